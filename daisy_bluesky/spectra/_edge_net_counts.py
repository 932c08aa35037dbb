"""Net counts of an EELS edge: what stands above the background continued from before it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._power_law import fit_power_law
from daisy_bluesky.spectra._windows import Window, checked_spectra, window_channels, window_sum

_WIDTH = 50.0  # eV
_FIT = 0.80, 0.97  # of the onset


def edge_net_counts(
    spectra: ArrayLike | Any,
    axis: EnergyAxis,
    onset_eV: float,  # noqa: N803
    width_eV: float = _WIDTH,  # noqa: N803
    fit_window: Window | None = None,
    *,
    noise_gain: float = 1.0,
    read_noise: float = 0.0,
    read_outs: ArrayLike = 1,
    exponent: tuple[float, float] = (3.0, 1.0),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the counts of a core-loss edge above a power-law background, and their variance.

    Parameters
    ----------
    spectra : array_like, (..., channels)
        Counts of the camera, dark reference subtracted.
    axis : EnergyAxis
        Their energies, eV.
    onset_eV : float
        Onset of the edge, eV: where the window on the edge begins.
    width_eV : float
        Width of that window, eV.
    fit_window : (float, float), optional
        First and last energy of the fit of the background, eV; from 80% to 97% of the onset when not given. It must
        hold no other edge, nor the peak of one just below.
    noise_gain, read_noise : float
        The camera's noise: the variance of a channel is ``noise_gain * counts + read_noise^2 * read_outs``.
    read_outs : array_like of float, (...)
        How many read-outs each spectrum is the sum of.
    exponent : (float, float)
        Mean and standard deviation of what is known of the background's exponent, as for `fit_power_law`.

    Returns
    -------
    net : (...) float64
        Net counts; noise can make them negative.
    variance : (...) float64
        Estimate of their variance, counts^2: that of the counts in the window and that of the background continued
        into it, which is ``(h - 1)`` times the background where only electrons make noise.

    Raises
    ------
    ValueError
        If the spectra do not have the channels of the axis, a window does not lie on it, or a noise makes no sense.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), section 4.4.4:
    ``SNR = I_k / (I_k + h I_b)^(1/2)``, ``h = (I_b + var(I_b)) / I_b``.
    """
    found = checked_spectra(spectra, axis)
    window = (float(onset_eV), float(onset_eV) + float(width_eV))
    channels = window_channels("onset_eV", window, axis)
    before = (_FIT[0] * onset_eV, _FIT[1] * onset_eV) if fit_window is None else fit_window
    background = fit_power_law(
        found, axis, before, noise_gain=noise_gain, read_noise=read_noise, read_outs=read_outs, exponent=exponent
    )
    below, uncertainty = background.counts(window)
    total = window_sum(found, channels)
    read_variance = np.asarray(read_outs) * read_noise**2 * (channels.stop - channels.start)
    # what is counted can be too little, or negative; the noise is not less than that of the background alone
    electrons = np.maximum(total, np.maximum(below, 0))
    return total - below, noise_gain * electrons + read_variance + uncertainty
