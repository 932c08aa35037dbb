"""The energy axis of a spectrum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EnergyAxis:
    """A linear energy axis: ``offset + dispersion * channel``.

    Attributes
    ----------
    offset : float
        Energy of the centre of channel 0; keV for EDS, eV for EELS.
    dispersion : float
        Energy per channel, in the same unit.
    channels : int
        Number of channels.
    unit : str
        ``"keV"`` or ``"eV"``.
    """

    offset: float
    dispersion: float
    channels: int
    unit: str = "keV"

    @property
    def energies(self) -> NDArray[np.float64]:
        """Energies of the channel centres, (channels,) float64, in `unit`."""
        return self.offset + self.dispersion * np.arange(self.channels, dtype=np.float64)

    def channel(self, energy: float) -> int:
        """Return the channel nearest to an energy, clipped to the axis."""
        return int(np.clip(round((energy - self.offset) / self.dispersion), 0, self.channels - 1))
