"""Where the energies of a frame of EELS spectra lie against those of the first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi import edge_shift, zero_loss_shift
from daisy_bluesky.spectra import EnergyAxis

LARGEST_DRIFT = 40  # channels


@dataclass
class EnergyAlignment:
    """Shifts along the energy axis: the step of the drift tube, and drift and descan where a feature shows them.

    Attributes
    ----------
    axis : EnergyAxis
        Of the sum: that of the first frame.
    window : tuple of float or None
        Range with the zero-loss peak, or an edge and some channels around it, eV; None to go by the drift tube alone.
    """

    axis: EnergyAxis
    window: tuple[float, float] | None = None
    _reference: NDArray[np.float64] | None = None

    def shift(self, spectra: NDArray[np.float32], offset: float) -> ArrayLike:
        """Return by how many channels a frame's spectra are to be moved.

        Parameters
        ----------
        spectra : (rows, columns, channels) float32
            The frame.
        offset : float
            Energy of its channel 0, eV.

        Returns
        -------
        float or (rows, columns) float64
            Channels.

        Raises
        ------
        ValueError
            If the window does not lie on the camera, or there is nothing in it.
        """
        step = (offset - self.axis.offset) / self.axis.dispersion
        if self.window is None:
            return step
        if self.window[0] < 0 < self.window[1]:
            peak = -self.axis.offset / self.axis.dispersion
            return zero_loss_shift(spectra, channel=peak, window=self._channels(step))
        if self._reference is None:
            self._reference = np.asarray(spectra.mean(axis=(0, 1)), np.float64)
            return step
        largest = LARGEST_DRIFT + int(np.ceil(abs(step)))
        return edge_shift(spectra, self._reference, window=self._channels(0.0), largest=largest)

    def _channels(self, step: float) -> tuple[int, int]:
        low, high = ((energy - self.axis.offset) / self.axis.dispersion - step for energy in self.window or ())
        return max(0, round(low)), min(self.axis.channels, round(high) + 1)
