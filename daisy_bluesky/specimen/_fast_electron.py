"""Kinematics of the beam's electrons."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

REST_ENERGY = 510998.95  # eV
BOHR_RADIUS = 5.29177211e-9  # cm
RYDBERG = 13.605693  # eV
COMPTON_WAVELENGTH = 2.42631024e-10  # cm
ELECTRONS_PER_PICOCOULOMB = 6.241509e6


@dataclass(frozen=True)
class FastElectron:
    """An electron of the beam.

    Attributes
    ----------
    energy : float
        Kinetic energy, keV.

    Raises
    ------
    ValueError
        If the energy is not positive.
    """

    energy: float

    def __post_init__(self) -> None:
        if not self.energy > 0:
            raise ValueError(f"beam energy is {self.energy} keV, but must be positive")

    @property
    def gamma(self) -> float:
        """Relativistic mass factor."""
        return 1 + self.energy * 1e3 / REST_ENERGY

    @property
    def effective_energy(self) -> float:
        """``T = m0 v^2 / 2``, eV: what replaces the kinetic energy in non-relativistic formulas."""
        return 0.5 * REST_ENERGY * (1 - 1 / self.gamma**2)

    @property
    def wavelength(self) -> float:
        """De Broglie wavelength, cm."""
        return COMPTON_WAVELENGTH / sqrt(self.gamma**2 - 1)

    def characteristic_angle(self, loss: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``E / (gamma m0 v^2)``, rad, the half-width of inelastic scattering with energy losses in eV."""
        return loss / (2 * self.gamma * self.effective_energy)
