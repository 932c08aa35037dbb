"""Plural scattering: the spectrum of electrons that lost energy any number of times."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from daisy_bluesky.spectra import EnergyAxis

FWHM = 2 * np.sqrt(2 * np.log(2))  # of a Gaussian of unit standard deviation
COARSEST_STEP = 0.25  # eV
STEPS_PER_RESOLUTION = 10
LEAST_RANGE = 500.0  # eV, far beyond what plasmons add up to


class PluralScattering:
    """Turns single scattering into the spectrum that a spectrometer of finite resolution records.

    Losses are on a fine grid from 0 to beyond the end of the axis, whatever the axis' own offset and dispersion, so
    that core losses far above the zero-loss peak hold their plural scattering too. The grid is twice as long as the
    axis needs, so that losses beyond its end do not come back at its beginning.

    Parameters
    ----------
    axis : EnergyAxis
        Energy axis of the spectra, eV.
    resolution : float
        Full width at half maximum of the zero-loss peak, a Gaussian, eV.

    Attributes
    ----------
    losses : ndarray
        (losses,) float64, the energy losses, eV, at which single scattering is asked for; the first is half a step.

    Raises
    ------
    ValueError
        If the axis ends below the zero-loss peak, its dispersion or the resolution is not positive.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), eqs. 4.8 to 4.10:
    ``j(nu) = z(nu) exp(s(nu) / I0)``, the Fourier-log relation read forwards.
    """

    def __init__(self, axis: EnergyAxis, resolution: float) -> None:
        end = axis.offset + axis.dispersion * axis.channels
        if not (axis.unit == "eV" and axis.dispersion > 0 and resolution > 0 and end > 0):
            raise ValueError("an EELS axis is in eV, with positive dispersion and resolution, and ends above 0 eV")
        self._step = min(COARSEST_STEP, axis.dispersion, resolution / STEPS_PER_RESOLUTION)
        half = int(np.ceil(max(end + 10 * resolution, LEAST_RANGE) / self._step))
        self._size = fft.next_fast_len(2 * half, real=True)
        grid = np.arange(half) * self._step
        self.losses: NDArray[np.float64] = np.concatenate([[self._step / 2], grid[1:]])
        frequency = fft.rfftfreq(self._size, self._step)
        self._zero_loss = np.exp(-2 * (np.pi * frequency * resolution / FWHM) ** 2)
        first = axis.offset - axis.dispersion / 2
        self._bounds = first + axis.dispersion * np.arange(axis.channels + 1)

    def spectrum(self, single: NDArray[np.float64], thickness: float) -> NDArray[np.float64]:
        """Return the share of the electrons in each channel.

        Parameters
        ----------
        single : ndarray
            (losses,) float64, expected number of scatterings per electron and eV at `losses`.
        thickness : float
            Expected number of scatterings per electron of any loss, also those beyond the axis: t / lambda.

        Returns
        -------
        ndarray
            (channels,) float64, summing to 1 over an axis that holds all losses.
        """
        scattered = fft.rfft(single * self._step, self._size)
        density = fft.irfft(self._zero_loss * np.exp(scattered - thickness), self._size)
        negative = self._size // 4  # the grid is cyclic: the zero-loss peak's left half lies at its end
        ordered = np.roll(density, negative)
        upper_bounds = (np.arange(self._size) - negative + 0.5) * self._step
        total = np.interp(self._bounds, upper_bounds, np.cumsum(ordered), left=0.0)
        return np.asarray(np.maximum(np.diff(total), 0.0))
