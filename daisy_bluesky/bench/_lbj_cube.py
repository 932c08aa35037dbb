"""EDS spectrum images of one phase of four elements, drawn photon by photon: what the count codec is measured on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import poisson

from daisy_bluesky.specimen import Phase, VirtualSpecimen

SHAPE = (200, 200)
PHASE = Phase("Ag2ZnSnSe4", {"Ag": 2, "Zn": 1, "Sn": 1, "Se": 4}, density=5.2, thickness=80.0)


@dataclass(frozen=True)
class Cube:
    """Photons of one frame.

    Attributes
    ----------
    pixels, channels : (n,) int64
        Of each photon.
    mean : (channels,) float64
        Expected counts per pixel.
    n_pixels : int
    """

    pixels: NDArray[np.int64]
    channels: NDArray[np.int64]
    mean: NDArray[np.float64]
    n_pixels: int

    @classmethod
    def draw(cls, occupied: float, seed: int, n_pixels: int = SHAPE[0] * SHAPE[1]) -> "Cube":
        """Return photons of which a share `occupied` of all voxels is expected to hold one or more."""
        mean = mean_spectrum(occupied)
        rng = np.random.default_rng(seed)
        photons = rng.poisson(n_pixels * mean.sum())
        channels = rng.choice(mean.size, photons, p=mean / mean.sum())
        return cls(rng.integers(0, n_pixels, photons), channels, mean, n_pixels)

    def dense(self) -> NDArray[np.int32]:
        """Return the counts, (pixels, channels)."""
        counts = np.zeros((self.n_pixels, self.mean.size), np.int32)
        np.add.at(counts, (self.pixels, self.channels), 1)
        return counts

    def events(self, columns: int) -> NDArray[np.void]:
        """Return the photons as a list with row, column and channel."""
        events = np.empty(self.pixels.size, [("row", np.int32), ("column", np.int32), ("channel", np.int32)])
        events["row"], events["column"] = np.divmod(self.pixels, columns)
        events["channel"] = self.channels
        return events

    @property
    def floor(self) -> float:
        """Bytes that counts take when the mean spectrum is known: the sum of the entropies of all voxels."""
        counts = np.arange(int(self.mean.max() + 12 * np.sqrt(self.mean.max()) + 20))
        odds = poisson.pmf(counts[:, None], self.mean)
        return float(-xlogy(odds, odds).sum() / np.log(2) * self.n_pixels / 8)


def mean_spectrum(occupied: float) -> NDArray[np.float64]:
    """Return the expected counts per channel of a pixel, (channels,), at a share of voxels that are not zero."""
    specimen = VirtualSpecimen([PHASE], np.ones((2, 2), int))
    shape = np.asarray(specimen.eds_mean(1), np.float64)
    low, high = 0.0, 1e6
    for _ in range(80):
        counts = (low + high) / 2
        low, high = (counts, high) if -np.expm1(-counts * shape).mean() < occupied else (low, counts)
    return low * shape
