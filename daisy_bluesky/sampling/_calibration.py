"""From what a run expects to be wrong to what is: learned where the truth is known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._surprise import surprise_ratios

# Total distortion below which it does not matter how many times off an estimate is.
LEAST_DISTORTION = 1e-3
SIGNS = 4
# Wider than 90% of calibration runs: the slopes were fitted to the same runs, and other maps differ more.
QUANTILES = (0.04, 0.96)
# Draws slopes to 0 where a few runs that were all alike tell nothing of them.
RIDGE = 1e-4


def signs(tiles: NDArray[Any], tally: NDArray[np.float64], inside: int) -> NDArray[np.float64]:
    """Return what a run itself tells about the distortion that is left.

    Parameters
    ----------
    tiles : (tile rows, tile columns) TILE_SUMMARY
        Summaries of the field, up to date.
    tally : (2, 2) float64
        Surprises met and expected, elsewhere and in quiet places.
    inside : int
        Pixels of the region of interest.

    Returns
    -------
    (SIGNS,) float64
        1; the logarithms of how many times more surprises were met than expected, elsewhere and in quiet places; and
        that of the mean probability of a wrong label, raised by `LEAST_DISTORTION`.
    """
    doubt = tiles["doubt"].sum() / inside
    return np.array([1.0, *np.log(surprise_ratios(tally)), np.log(doubt + LEAST_DISTORTION)])


def calibrated(told: NDArray[np.float64], true: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit how many times off the sum of probabilities is, by least squares on its logarithm.

    Parameters
    ----------
    told : (n, SIGNS) float64
        Signs of calibration runs at several moments.
    true : (n,) float64
        Total distortion then.

    Returns
    -------
    (3, SIGNS) float64, (2,) float64
        Slopes, the constant first, with the least and largest signs met; and the `QUANTILES` of what is left,
        with respect to the median.
    """
    off = np.log(true + LEAST_DISTORTION) - told[:, -1]
    lengths = np.array([0.0, *np.full(SIGNS - 1, RIDGE * len(told))])
    slopes = np.linalg.solve(told.T @ told + np.diag(lengths), told.T @ off)
    left = off - told @ slopes
    slopes[0] += np.median(left)
    return np.stack([slopes, told.min(axis=0), told.max(axis=0)]), np.quantile(left, QUANTILES) - np.median(left)


def estimate(
    told: NDArray[np.float64], calibration: NDArray[np.float64], interval: NDArray[np.float64], most: float
) -> NDArray[np.float64]:
    """Return estimate, low and high end of the total distortion, (3,) float64, at most `most`.

    Signs beyond those of calibration runs count as the nearest that were met.
    """
    slopes, least, largest = calibration
    off = slopes @ np.clip(told, least, largest) + np.array([0.0, *interval])
    return np.asarray(np.clip(np.exp(told[-1] + off) - LEAST_DISTORTION, 0.0, most))
