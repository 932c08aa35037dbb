"""The noise of the camera behind a spectrometer, from the spectra themselves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._eels_sum_energy import frame_of_spectra

SECOND_DIFFERENCE = 6.0  # variance of a second difference of independent values, over theirs
ROUNDS = 4
UNUSUAL = 1.5  # times the variance expected: a peak, and no noise
PORTION = 64  # channels looked at together


@dataclass(frozen=True)
class CameraNoise:
    """How values of single channels scatter.

    Attributes
    ----------
    gain : float
        Variance over mean of what electrons give; 1 for counted electrons.
    read_noise : float
        Standard deviation of the read-out.
    """

    gain: float = 1.0
    read_noise: float = 0.0


def estimated_noise(spectra: ArrayLike) -> CameraNoise:
    """Return the camera's noise, from how neighbouring channels of single spectra scatter.

    Second differences along the energy axis leave smooth spectra out. Their variance in each channel is a line over
    the mean: its slope is the gain, its height at zero the square of the read noise. Channels far above it show sharp
    peaks, and are left out.

    Parameters
    ----------
    spectra : array_like, (rows, columns, channels)
        One frame as recorded.

    Returns
    -------
    CameraNoise
        That of counted electrons where the spectra hold nothing.

    Raises
    ------
    ValueError
        If the spectra are not one frame of finite values.
    """
    flat = frame_of_spectra(spectra).reshape(-1, np.shape(spectra)[2])
    means, variances = _scatter(flat)
    kept = means > 0
    if kept.sum() < 2:
        return CameraNoise()
    slope, height = _line(means[kept], variances[kept])
    for _ in range(ROUNDS):
        expected = slope * means + height
        kept = (means > 0) & (variances < UNUSUAL * expected)
        if kept.sum() < 2:
            return CameraNoise()
        slope, height = _line(means[kept], variances[kept])
    return CameraNoise(slope, float(np.sqrt(height)))


def _scatter(flat: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of each channel but the first and the last, (channels - 2,) each."""
    means, variances = [], []
    for first in range(1, flat.shape[1] - 1, PORTION):
        values = flat[:, first - 1 : first + PORTION + 1].astype(np.float64)
        bent = values[:, 2:] - 2 * values[:, 1:-1] + values[:, :-2]
        means.append(values[:, 1:-1].mean(axis=0))
        variances.append(np.square(bent).mean(axis=0) / SECOND_DIFFERENCE)
    return np.concatenate(means), np.concatenate(variances)


def _line(means: NDArray[np.float64], variances: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and height of the line that fits best, neither of them negative; variances vary as they are high."""
    weights = 1 / np.maximum(variances, 1e-12)
    design = np.stack([means * weights, weights], axis=1)
    slope, height = np.linalg.lstsq(design, variances * weights, rcond=None)[0].tolist()
    if height < 0:
        return float(np.average(variances / means, weights=(means * weights) ** 2)), 0.0
    if slope < 0:
        return 0.0, float(np.average(variances, weights=weights**2))
    return slope, height
