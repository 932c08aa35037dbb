"""What the voxels of a set of spectra are expected to be, and how much they scatter, in fixed-point integers.

Everything the decoder must reproduce is integer arithmetic on the numbers in this model: they are stored with the data.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

POINT = 8
"""Fractional bits of predictions and of sigma: one unit is ``2**POINT``."""
MOST_COMPONENTS = 40
LARGEST_SCORE = 2**19
LARGEST_LOADING = 2**17
LARGEST_SHIFT = 17
LARGEST_MEAN = 2**40
LARGEST_SLOPE = 2**22
LARGEST_FLOOR = 2**60
SCORE_STEP = 2
"""A score counts in this many sigma of the noise."""

_LARGEST_WEIGHT = np.int64(2**30)
_LARGEST_DEVIATION = np.int64(2**31)
_LARGEST_PREDICTION = np.int64(2**40)


@dataclass(frozen=True)
class SpectralModel:
    """Mean spectrum, the ways in which spectra differ from it, and the noise.

    Attributes
    ----------
    slope : int
        Variance per prediction, in squared fixed-point units per fixed-point unit.
    floor : int
        Variance at 0, squared fixed-point units.
    mean_shift : int
        The mean is a multiple of ``2**mean_shift`` fixed-point units.
    mean : (channels,) int64
        Mean spectrum in those multiples.
    shifts : (components,) int64
        Fractional bits of each component's loadings.
    loadings : (components, channels) int64
        Deviation per score, in sigma of the mean.
    scores : (spectra, components) int64
        How much of each component a spectrum has, in `SCORE_STEP` sigma.
    """

    slope: int
    floor: int
    mean_shift: int
    mean: NDArray[np.int64]
    shifts: NDArray[np.int64]
    loadings: NDArray[np.int64]
    scores: NDArray[np.int64]


@compiled
def root(value: np.int64) -> np.int64:
    """Return the whole part of the square root of a number from 0 to 2**62."""
    guess = np.int64(np.sqrt(np.float64(value)))
    while guess * guess > value:
        guess -= 1
    while (guess + 1) * (guess + 1) <= value:
        guess += 1
    return guess


@compiled
def sigma(prediction: np.int64, slope: np.int64, floor: np.int64) -> np.int64:
    """Return the standard deviation of a voxel, at least 1, in fixed-point units."""
    return max(root(slope * max(prediction, np.int64(0)) + floor), np.int64(1))


@compiled
def predict(
    mean: NDArray[np.int64],
    weights: NDArray[np.int64],
    shifts: NDArray[np.int64],
    loadings: NDArray[np.int64],
    scores: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Fill `out`, (channels,), with the prediction of a spectrum of these scores, in fixed-point units.

    Parameters
    ----------
    mean, weights : (channels,) int64
        Mean spectrum and its sigma, both in fixed-point units.
    shifts : (components,) int64
        Fractional bits of the loadings.
    loadings : (components, channels) int64
    scores : (components,) int64
    """
    out[:] = 0
    deepest = np.int64(0)
    for component in range(shifts.size):
        deepest = max(deepest, shifts[component])
    for component in range(shifts.size):
        factor = scores[component] << (deepest - shifts[component])
        for channel in range(out.size):
            out[channel] += factor * loadings[component, channel]
    for channel in range(out.size):
        deviation = min(max(out[channel], -_LARGEST_DEVIATION), _LARGEST_DEVIATION)
        shifted = (deviation * min(weights[channel], _LARGEST_WEIGHT) * SCORE_STEP) >> deepest
        out[channel] = min(max(mean[channel] + shifted, -_LARGEST_PREDICTION), _LARGEST_PREDICTION)


@compiled
def weights_of(mean: NDArray[np.int64], slope: np.int64, floor: np.int64) -> NDArray[np.int64]:
    """Return sigma of each channel of the mean spectrum, (channels,) int64, fixed-point units."""
    weights = np.empty(mean.size, np.int64)
    for channel in range(mean.size):
        weights[channel] = sigma(mean[channel], slope, floor)
    return weights
