"""A crystal of four elements, scanned frame by frame: what each frame shows, and where it really was."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, zoom

SHAPE, CHANNELS, FRAMES = (200, 200), 2048, 230
EVENTS = 32_800
CELL = np.array([[0.0, 11.07], [10.36, 0.0]])  # px of 0.056 nm
COLUMNS = {  # places in the cell, and channels and weights of the lines, of 10 eV channels
    "Ag": (((0.0, 0.0), (0.5, 0.5)), ((298, 1.0), (315, 0.6))),
    "Sn": (((0.0, 0.5),), ((344, 1.0), (366, 0.6))),
    "Zn": (((0.5, 0.0),), ((101, 1.0), (864, 0.8), (957, 0.1))),
    "Se": (((0.25, 0.25), (0.75, 0.75)), ((138, 1.0), (1122, 0.7), (1250, 0.1))),
}
COLUMN_WIDTH = 1.3  # px, one standard deviation
LINE_WIDTH = 5.5  # channels, one standard deviation
BACKGROUND = 0.35
FINE = 64
EVENT = np.dtype([("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint8)])


@dataclass(frozen=True)
class Frame:
    """Events of one frame and its true displacement, (rows, columns, 2) px."""

    events: NDArray[np.void]
    displacement: NDArray[np.float64]


class Crystal:
    """Draws frames: drift and a random walk, jitter of the rows, a smooth field; Poisson counts.

    Parameters
    ----------
    seed : int
        Seed.
    events : int
        Mean events of a frame.
    background : bool
        Whether a quarter or so of the events are bremsstrahlung, the same everywhere.
    """

    def __init__(self, seed: int, *, events: int = EVENTS, background: bool = True) -> None:
        self.rng = np.random.default_rng(seed)
        self.events = events
        self._share = BACKGROUND if background else 0.0

    @cached_property
    def spectra(self) -> NDArray[np.float64]:
        """Normalised spectra of the elements and of the background, (5, channels)."""
        channel = np.arange(CHANNELS)
        lines = [
            sum(w * np.exp(-0.5 * ((channel - at) / LINE_WIDTH) ** 2) for at, w in peaks)
            for _, peaks in COLUMNS.values()
        ]
        slope = np.exp(-channel / 450) * (1 - np.exp(-channel / 40))
        spectra = np.array([*lines, slope])
        return np.asarray(spectra / spectra.sum(axis=1, keepdims=True))

    @cached_property
    def cells(self) -> NDArray[np.float64]:
        """Intensity of each element over the unit cell, (4, 64, 64), of mean 1."""
        grid = np.stack(np.meshgrid(*[np.arange(FINE) / FINE] * 2, indexing="ij"), -1)
        cells = []
        for places, _ in COLUMNS.values():
            cell = np.zeros((FINE, FINE))
            for place in places:
                for shift in np.ndindex(5, 5):
                    away = (grid - np.array(place) - np.array(shift) + 2) @ CELL
                    cell += np.exp(-0.5 * (away**2).sum(-1) / COLUMN_WIDTH**2)
            cells.append(cell / cell.mean())
        return np.array(cells)

    def intensity(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each element shows at positions, (4, ...), of mean 1; positions (..., 2) px."""
        fractions = positions @ np.linalg.inv(CELL)
        cell = np.floor(fractions * FINE + 0.5).astype(int) % FINE
        return np.asarray(self.cells[:, cell[..., 0], cell[..., 1]])

    def displacement(self, number: int) -> NDArray[np.float64]:
        """Draw the displacement of a frame, (rows, columns, 2) px."""
        rows, columns = SHAPE
        drift = np.array([0.02, -0.03]) * (number - FRAMES / 2) + self.rng.normal(0, 0.5, 2)
        jitter = gaussian_filter1d(self.rng.normal(size=(rows, 1, 2)), 0.7, axis=0) * (0.2, 0.5)
        smooth = np.stack([zoom(self.rng.normal(0, 0.25, (4, 4)), (rows / 4, columns / 4), order=3) for _ in "rc"], -1)
        return np.asarray(drift + jitter + smooth)

    def frames(self, n: int = FRAMES) -> Iterator[Frame]:
        """Draw frames."""
        pixels = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1)
        for number in range(n):
            displacement = self.displacement(number)
            yield Frame(self._drawn(pixels + displacement), displacement)

    def _drawn(self, positions: NDArray[np.float64]) -> NDArray[np.void]:
        shares = [(1 - self._share) / len(COLUMNS)] * len(COLUMNS) + [self._share]
        rates = [*self.intensity(positions), np.ones(SHAPE)]
        places, channels = [], []
        for share, rate, spectrum in zip(shares, rates, self.spectra, strict=True):
            n = self.rng.poisson(share * self.events * rate.mean())
            places.append(_draw(self.rng, rate.reshape(-1), n))
            channels.append(_draw(self.rng, spectrum, n))
        pixel, channel = np.concatenate(places), np.concatenate(channels)
        order = np.argsort(pixel, kind="stable")
        events = np.ones(pixel.size, EVENT)
        events["row"], events["column"] = np.divmod(pixel[order], SHAPE[1])
        events["channel"] = channel[order]
        return events


def _draw(rng: np.random.Generator, weights: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    edges = np.cumsum(weights)
    found = np.searchsorted(edges, rng.random(n) * edges[-1], side="right")
    return np.asarray(np.minimum(found, weights.size - 1))
