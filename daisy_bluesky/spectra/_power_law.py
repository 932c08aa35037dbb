"""The background of an EELS spectrum: a power law, fitted before an edge and continued below it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._windows import Window, checked_spectra, window_channels

Floats = NDArray[np.float64]

_STEPS = 8
_LARGEST_STEP = 1.0  # of the exponent in one step, so that noise cannot throw the fit off
_LOWEST, _HIGHEST = 0.0, 8.0  # exponent
_LEAST_ELECTRONS = 1.0  # in the fit window, for the weights only


@dataclass(frozen=True)
class PowerLaw:
    """Backgrounds ``amplitude * (energy / reference)^-exponent``, one for each spectrum.

    Attributes
    ----------
    amplitude : (...) float64
        Counts per channel at the reference energy; noise can make it negative.
    exponent : (...) float64
        Exponent, positive where the background falls.
    covariance : (..., 2, 2) float64
        Of amplitude and exponent.
    reference : float
        Reference energy, eV: the geometric middle of the fit window.
    axis : EnergyAxis
        Energies, eV.
    """

    amplitude: Floats
    exponent: Floats
    covariance: Floats
    reference: float
    axis: EnergyAxis

    def counts(self, window: Window) -> tuple[Floats, Floats]:
        """Return the background's counts in a window, and their variance.

        Parameters
        ----------
        window : (float, float)
            First and last energy, eV.

        Returns
        -------
        counts, variance : (...) float64
            Counts, and counts^2.
        """
        within = window_channels("window", window, self.axis)
        logs = np.log(self.axis.energies[within] / self.reference)
        shape = np.exp(-self.exponent[..., None] * logs)
        by_amplitude = shape.sum(axis=-1)
        by_exponent = -self.amplitude * (shape @ logs)
        variance = (
            by_amplitude**2 * self.covariance[..., 0, 0]
            + 2 * by_amplitude * by_exponent * self.covariance[..., 0, 1]
            + by_exponent**2 * self.covariance[..., 1, 1]
        )
        return self.amplitude * by_amplitude, variance


def fit_power_law(
    spectra: ArrayLike | Any,
    axis: EnergyAxis,
    fit_window: Window,
    *,
    noise_gain: float = 1.0,
    read_noise: float = 0.0,
    read_outs: ArrayLike = 1,
    exponent: tuple[float, float] = (3.0, 1.0),
) -> PowerLaw:
    """Fit a power law to each spectrum before an edge, by maximum likelihood.

    Parameters
    ----------
    spectra : array_like, (..., channels)
        Counts of the camera, dark reference subtracted.
    axis : EnergyAxis
        Their energies, eV.
    fit_window : (float, float)
        First and last energy of the fit, eV: below the edge, and above the one before.
    noise_gain, read_noise : float
        The camera's noise: the variance of a channel is ``noise_gain * counts + read_noise^2 * read_outs``.
    read_outs : array_like of float, (...)
        How many read-outs each spectrum is the sum of.
    exponent : (float, float)
        Mean and standard deviation of what is known of the exponent beforehand. The default holds what materials show
        and matters only where a spectrum says less; a fit to the sum of many spectra gives a better one, which lowers
        the variance. A standard deviation of 0 holds the exponent.

    Returns
    -------
    PowerLaw
        One for each spectrum.

    Raises
    ------
    ValueError
        If the spectra do not have the channels of the axis, the window reaches beyond it, lies at losses of 0 or less
        or holds less than 3 channels, or a noise makes no sense.

    Notes
    -----
    Iteratively re-weighted least squares on amplitude and exponent with the noise of the fitted counts as weights,
    which for Poisson counts is maximum likelihood.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), section 4.4.
    """
    found = checked_spectra(spectra, axis)
    within = window_channels("fit_window", fit_window, axis, least=3)
    energies = axis.energies[within]
    if energies[0] <= 0:
        raise ValueError(f"fit_window: {fit_window} eV begins at or below 0 eV; a power law has no value there")
    if not (exponent[0] > 0 and exponent[1] >= 0):
        raise ValueError(f"exponent: {exponent} is not a positive mean with a standard deviation of 0 or more")
    if not (noise_gain > 0 and read_noise >= 0):
        raise ValueError(f"noise_gain {noise_gain} must be positive, and read_noise {read_noise} not negative")
    outer = found.shape[:-1]
    read_variances = np.broadcast_to(np.asarray(read_outs, np.float64) * read_noise**2, outer).reshape(-1)
    reference = float(np.sqrt(energies[0] * energies[-1]))
    counts = np.ascontiguousarray(found[..., within], np.float64).reshape(-1, len(energies))
    fitted = np.empty((len(counts), 5))
    known = (float(exponent[0]), float(exponent[1]))
    _fit_each(counts, read_variances, np.log(energies / reference), float(noise_gain), known, fitted)
    covariance = fitted[:, [2, 3, 3, 4]].reshape(*outer, 2, 2)
    amplitude, exponents = fitted[:, 0].reshape(outer), fitted[:, 1].reshape(outer)
    return PowerLaw(amplitude, exponents, covariance, reference, axis)


@compiled
def _fit_each(
    counts: Floats,
    read_variances: Floats,
    logs: Floats,
    noise_gain: float,
    known: tuple[float, float],
    out: Floats,
) -> None:
    """Fill `out`, (n, 5), with amplitude, exponent and their variances and covariance for each spectrum."""
    mean, deviation = known
    prior = 1 / deviation**2 if deviation > 0 else 0.0
    least = _LEAST_ELECTRONS * noise_gain / len(logs)
    for i in range(len(counts)):
        exponent = mean
        amplitude = counts[i].sum() / np.exp(-mean * logs).sum()
        for _ in range(_STEPS):
            weights = _weights(amplitude, exponent, logs, noise_gain, read_variances[i], least)
            a, b, c = _information(amplitude, exponent, logs, weights)
            residual = counts[i] - amplitude * np.exp(-exponent * logs)
            slope = (weights * np.exp(-exponent * logs) * residual).sum()
            slope_exponent = -(weights * amplitude * np.exp(-exponent * logs) * logs * residual).sum()
            slope_exponent -= (exponent - mean) * prior
            if deviation > 0:
                step = (a * slope_exponent - b * slope) / (a * (c + prior) - b * b)
                exponent += min(max(step, -_LARGEST_STEP), _LARGEST_STEP)
                exponent = min(max(exponent, _LOWEST), _HIGHEST)
            # the amplitude enters linearly: its best value for an exponent is known without a step
            shape = np.exp(-exponent * logs)
            amplitude = (weights * shape * counts[i]).sum() / (weights * shape * shape).sum()
        weights = _weights(amplitude, exponent, logs, noise_gain, read_variances[i], least)
        a, b, c = _information(amplitude, exponent, logs, weights)
        out[i, 0], out[i, 1] = amplitude, exponent
        determinant = a * (c + prior) - b * b
        out[i, 2] = (c + prior) / determinant if deviation > 0 else 1 / a
        out[i, 3] = -b / determinant if deviation > 0 else 0.0
        out[i, 4] = a / determinant if deviation > 0 else 0.0


@compiled
def _weights(
    amplitude: float, exponent: float, logs: Floats, noise_gain: float, read_variance: float, least: float
) -> Floats:
    """Return one over the variance of each channel, (channels of the window,)."""
    electrons = np.maximum(amplitude * np.exp(-exponent * logs), least)
    return 1 / (noise_gain * electrons + read_variance)


@compiled
def _information(amplitude: float, exponent: float, logs: Floats, weights: Floats) -> tuple[float, float, float]:
    """Return the Fisher information: of the amplitude, of both, and of the exponent."""
    shape = np.exp(-exponent * logs)
    by_exponent = -amplitude * shape * logs
    both = weights * shape
    return (both * shape).sum(), (both * by_exponent).sum(), (weights * by_exponent**2).sum()
