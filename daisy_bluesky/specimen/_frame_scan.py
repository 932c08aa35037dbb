"""What a scan does to the places it visits: drift, row jitter, smooth distortion, mains pick-up, rows that jump."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from math import pi

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

_KNOTS = 4096  # frames a drift path reaches


class _Part(IntEnum):
    """What the random numbers of a frame's scan are for."""

    WALK = 0
    ROWS = 1
    FIELD = 2
    OUTLIERS = 3
    MAINS = 4


@dataclass(frozen=True)
class ScanDistortion:
    """A distorted scan, frame by frame, with its truth.

    Attributes
    ----------
    drift : tuple of float
        Steady drift along rows and columns, px per frame; it goes on while a frame is scanned.
    walk : float
        Standard deviation of the drift's random walk along each axis, px per frame.
    jitter : tuple of float
        Standard deviation of the displacement of a whole row, (along rows, along columns), px.
    jitter_correlation : float
        Correlation of the jitter of neighbouring rows, 0 to 1.
    field : float
        Root-mean-square length of the smooth distortion, px.
    field_length : float or None
        Correlation length of a random Gaussian field, px; None for a field of the lowest cosine modes.
    mains : tuple of float
        Amplitude of the mains pick-up, (along rows, along columns), px.
    mains_period : float
        Its period, px of the scan.
    line_locked : bool
        Whether each line starts at the same phase of the mains.
    fly_back : float
        Time from the end of a line to the next, px of the scan.
    outlier_rows : float
        Part of the rows that jump.
    outlier_size : float
        How far they jump, in any direction, px.
    seed : int
        Seed of all of it.
    """

    drift: tuple[float, float] = (0.10, 0.06)
    walk: float = 0.15
    jitter: tuple[float, float] = (0.12, 0.30)
    jitter_correlation: float = 0.0
    field: float = 0.25
    field_length: float | None = None
    mains: tuple[float, float] = (0.0, 0.0)
    mains_period: float = 20.3
    line_locked: bool = False
    fly_back: float = 5.0
    outlier_rows: float = 0.0
    outlier_size: float = 1.0
    seed: int = 0

    def displacement(self, frame: int, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return where the probe was in a frame, from its pixels, (rows, columns, 2) float64, px."""
        rows, columns = shape
        part = np.arange(rows * columns).reshape(shape)[..., None] / (rows * columns)
        start, end = self._path[frame], self._path[frame + 1]
        moved = start + part * (end - start)
        moved = moved + self.row_jitter(frame, rows)[:, None, :] + self.smooth_field(frame, shape)
        return np.asarray(moved + self._mains(frame, shape), dtype=np.float64)

    def row_jitter(self, frame: int, rows: int) -> NDArray[np.float64]:
        """Return the displacement of whole rows, outliers included, (rows, 2) float64, px."""
        noise = self._rng(_Part.ROWS, frame).standard_normal((rows, 2))
        rho = self.jitter_correlation
        for row in range(1, rows if rho else 0):
            noise[row] = rho * noise[row - 1] + np.sqrt(1 - rho**2) * noise[row]
        rng = self._rng(_Part.OUTLIERS, frame)
        jumps = rng.random(rows) < self.outlier_rows
        direction = rng.uniform(0, 2 * pi, rows)
        jump = self.outlier_size * np.stack([np.sin(direction), np.cos(direction)], axis=1)
        return np.asarray(noise * self.jitter + jump * jumps[:, None])

    def smooth_field(self, frame: int, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return the smooth distortion of a frame, (rows, columns, 2) float64, px."""
        rng = self._rng(_Part.FIELD, frame)
        if self.field_length is not None:
            return np.asarray(self.field / np.sqrt(2) * _random_field(rng, shape, self.field_length))
        functions = low_modes(shape)
        weights = rng.standard_normal((len(functions), 2)) / np.sqrt(2 * len(functions))
        return np.asarray(self.field * np.einsum("krc,kd->rcd", functions, weights))

    def _mains(self, frame: int, shape: tuple[int, int]) -> NDArray[np.float64]:
        rows, columns = np.indices(shape)
        time = columns + rows * (0.0 if self.line_locked else columns.shape[1] + self.fly_back)
        phase = 0.0 if self.line_locked else self._rng(_Part.MAINS, frame).uniform(0, 2 * pi)
        wave = np.sin(2 * pi * time / self.mains_period + phase)
        return np.asarray(wave[..., None] * self.mains)

    @cached_property
    def _path(self) -> NDArray[np.float64]:
        steps = self.walk * self._rng(_Part.WALK, 0).standard_normal((_KNOTS, 2)) + self.drift
        return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])

    def _rng(self, part: _Part, frame: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=self.seed, counter=[0, frame, part, 0]))


def low_modes(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the cosine modes of the smooth field, (8, rows, columns) float64, each of unit mean square."""
    modes = []
    for a in range(3):
        for b in range(3):
            if a or b:
                along_rows = np.cos(pi * a * (np.arange(shape[0]) + 0.5) / shape[0])
                along_columns = np.cos(pi * b * (np.arange(shape[1]) + 0.5) / shape[1])
                modes.append(np.sqrt((1 + (a > 0)) * (1 + (b > 0))) * np.outer(along_rows, along_columns))
    return np.array(modes)


def _random_field(rng: np.random.Generator, shape: tuple[int, int], length: float) -> NDArray[np.float64]:
    """Return two random fields of unit variance and Gaussian covariance, (rows, columns, 2) float64."""
    smoothing = length / np.sqrt(2)
    pad = int(4 * smoothing) + 1
    noise = rng.standard_normal((2, shape[0] + 2 * pad, shape[1] + 2 * pad))
    smooth = gaussian_filter(noise, (0, smoothing, smoothing), mode="wrap")[:, pad:-pad, pad:-pad]
    return np.asarray(np.moveaxis(smooth * (2 * np.sqrt(pi) * smoothing), 0, -1))
