"""What a frame says about its displacement: Fisher information and score, summed along each row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """Variance of a pixel as a line over its expected value.

    Attributes
    ----------
    floor : float
        Variance where nothing is expected.
    slope : float
        Increase of the variance with the expected value: the counts' gain.
    """

    floor: float
    slope: float

    def variance(self, level: float) -> float:
        """Return the variance of a pixel of some expected value."""
        return max(self.floor + self.slope * level, 1e-12)


@compiled
def weigh(image: Array, seen: Array, linear: Array, noise: Array, pulls: Array) -> None:
    """Compare a frame with what the reference lets expect.

    Parameters
    ----------
    image : (rows, columns) float64
        The frame.
    seen : (4, rows, columns) float64
        The reference there: value, slopes, coverage.
    linear : (2,) float64
        Gain and offset of the frame against the reference.
    noise : (3,) float64
        Floor and slope of the variance, and the least variance allowed.
    pulls : (5, rows, columns) float64
        Filled with the information (rows-rows, rows-columns, columns-columns), 1 / px^2, and the score along rows and
        columns, 1 / px.
    """
    gain, offset = linear
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            coverage = seen[3, r, c]
            if coverage <= 0 or not np.isfinite(image[r, c]):
                pulls[:, r, c] = 0
                continue
            expected = gain * seen[0, r, c] + offset
            variance = max(noise[0] + noise[1] * expected, noise[2])
            weight = 1 / (variance * (1 + 1 / coverage))
            along_rows, along_columns = gain * seen[1, r, c], gain * seen[2, r, c]
            excess = weight * (image[r, c] - expected)
            pulls[0, r, c] = weight * along_rows * along_rows
            pulls[1, r, c] = weight * along_rows * along_columns
            pulls[2, r, c] = weight * along_columns * along_columns
            pulls[3, r, c] = excess * along_rows
            pulls[4, r, c] = excess * along_columns


@compiled
def row_information(pulls: Array, of_columns: Array, information: Array) -> None:
    """Sum the information of each row over the products of the functions of the column.

    Parameters
    ----------
    pulls : (5, rows, columns) float64
        From `weigh`.
    of_columns : (columns, factors) float64
        Functions of the column.
    information : (pairs, 3, rows) float64
        Filled; pair ``b * (b + 1) / 2 + a`` with ``a <= b``.
    """
    columns, factors = of_columns.shape
    products = np.empty((columns, len(information)))
    for c in range(columns):
        pair = 0
        for b in range(factors):
            for a in range(b + 1):
                products[c, pair] = of_columns[c, a] * of_columns[c, b]
                pair += 1
    for r in range(pulls.shape[1]):
        for kind in range(3):
            summed = np.zeros(len(information))
            for c in range(columns):
                pull = pulls[kind, r, c]
                if pull != 0:
                    for pair in range(len(summed)):
                        summed[pair] += pull * products[c, pair]
            information[:, kind, r] = summed


@compiled
def row_scores(pulls: Array, of_columns: Array, scores: Array) -> None:
    """Sum the score of each row over the functions of the column, into (factors, 2, rows) float64."""
    columns, factors = of_columns.shape
    for r in range(pulls.shape[1]):
        for along in range(2):
            summed = np.zeros(factors)
            for c in range(columns):
                for b in range(factors):
                    summed[b] += pulls[3 + along, r, c] * of_columns[c, b]
            scores[:, along, r] = summed


@compiled
def fit_linear(image: Array, seen: Array, noise: Array, linear: Array) -> None:
    """Fill `linear` with the gain and offset that bring the reference closest to a frame, by weighted least squares."""
    s, sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            if seen[3, r, c] > 0 and np.isfinite(image[r, c]):
                x = seen[0, r, c]
                weight = 1 / max(noise[0] + noise[1] * x, noise[2])
                s += weight
                sx += weight * x
                sy += weight * image[r, c]
                sxx += weight * x * x
                sxy += weight * x * image[r, c]
    spread = s * sxx - sx * sx
    if spread > 1e-12 * s * sxx:
        linear[0] = (s * sxy - sx * sy) / spread
        linear[1] = (sy - linear[0] * sx) / s


@compiled
def misfit(image: Array, seen: Array, linear: Array, sums: Array) -> None:
    """Fill `sums`, (5,), with the sums that fit a line of the squared misfit e^2 over x: n, x, x^2, e^2, x e^2."""
    sums[:] = 0
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            if seen[3, r, c] > 0 and np.isfinite(image[r, c]):
                x = linear[0] * seen[0, r, c] + linear[1]
                square = (image[r, c] - x) ** 2 / (1 + 1 / seen[3, r, c])
                sums[0] += 1
                sums[1] += x
                sums[2] += x * x
                sums[3] += square
                sums[4] += x * square
