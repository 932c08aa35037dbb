"""Plasmons of a free-electron gas."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._elastic import atomic_number
from daisy_bluesky.specimen._phase import Phase

NOBLE_GASES = (0, 2, 10, 18, 36, 54, 86)
FREE_ELECTRON_PLASMON = 28.82  # eV, of one electron per atomic mass unit at 1 g/cm3
DAMPING = 0.2  # width of the plasmon relative to its energy


def valence_electrons(element: str) -> int:
    """Return how many electrons an atom contributes to the plasmon: those outside closed shells.

    The d electrons of groups 3 to 11 count, filled d shells and the f shells do not.
    """
    number = atomic_number(element)
    outside = number - max(gas for gas in NOBLE_GASES if gas < number)
    period = sum(gas < number for gas in NOBLE_GASES)
    if period >= 6 and outside > 3:
        outside = max(3, outside - 14)
    if period >= 4 and outside > 11:
        outside -= 10
    return outside


def plasmon_energy(phase: Phase) -> float:
    """Return the plasmon energy of a phase, eV, of free valence electrons.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), eq. 3.41:
    ``28.82 eV (z rho / A)^(1/2)``.
    """
    electrons = sum(x * valence_electrons(element) for element, x in phase.composition.items())
    return FREE_ELECTRON_PLASMON * sqrt(electrons * phase.density / phase.atomic_mass)


def plasmon_loss(energy: float, losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the loss function ``Im(-1 / epsilon)`` of a free-electron gas.

    Parameters
    ----------
    energy : float
        Plasmon energy, eV; its width is a fifth of it.
    losses : ndarray
        (losses,) float64, energy losses, eV.

    Returns
    -------
    ndarray
        (losses,) float64.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), eq. 3.43.
    """
    width = DAMPING * energy
    return np.asarray(losses * width * energy**2 / ((losses**2 - energy**2) ** 2 + (losses * width) ** 2))
