"""Inelastic scattering of fast electrons through small angles, where it does what light does."""

import numpy as np
import xraydb
from numpy.typing import NDArray

from daisy_bluesky.specimen._elastic import atomic_number
from daisy_bluesky.specimen._fast_electron import BOHR_RADIUS, RYDBERG, FastElectron
from daisy_bluesky.specimen._phase import AVOGADRO, Phase

PHOTOABSORPTION = 1.0976e-16  # cm2 eV: cross-section of one electron's oscillator strength
LAST_TABULATED = 92


def oscillator_strength(element: str, losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the optical oscillator strength of a free atom, inner shells and valence electrons together.

    Parameters
    ----------
    element : str
        Symbol of the element.
    losses : ndarray
        (losses,) float64, energy losses within the tables' range, eV.

    Returns
    -------
    ndarray
        (losses,) float64, df/dE, electrons per eV.

    Raises
    ------
    ValueError
        If the element is beyond uranium, where the tables end.

    References
    ----------
    R. F. Egerton, Ultramicroscopy 50 (1993) 13 (oscillator strengths of inner shells from photoabsorption).
    C. T. Chantler, J. Phys. Chem. Ref. Data 24 (1995) 71, 29 (2000) 597 (photoabsorption).
    """
    if atomic_number(element) > LAST_TABULATED:
        raise ValueError(f"the photoabsorption of {element} is not tabulated: EELS needs elements from H to U")
    per_gram = np.atleast_1d(xraydb.mu_chantler(element, losses, photo=True))
    return np.asarray(per_gram * float(xraydb.atomic_mass(element)) / AVOGADRO / PHOTOABSORPTION)


def dipole_scattering(
    phase: Phase, losses: NDArray[np.float64], electron: FastElectron, collection_angle: float
) -> NDArray[np.float64]:
    """Return how often the atoms of a phase take an energy from an electron, the angle staying within a limit.

    Parameters
    ----------
    phase : Phase
        What scatters.
    losses : ndarray
        (losses,) float64, energy losses within the tables' range, eV.
    electron : FastElectron
        The scattered electron.
    collection_angle : float
        Half-angle that the spectrometer accepts, mrad; to be below the Bethe ridge, ``sqrt(E / E0)`` rad.

    Returns
    -------
    ndarray
        (losses,) float64, expected scatterings per electron and eV.

    References
    ----------
    M. Inokuti, Rev. Mod. Phys. 43 (1971) 297 (Bethe theory).
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), section 3.2.2:
    ``4 pi a0^2 R^2 / (E T) df/dE ln(1 + (beta / theta_E)^2)``.
    """
    strength = sum(
        (x * oscillator_strength(element, losses) for element, x in phase.composition.items()),
        start=np.zeros_like(losses),
    )
    scale = 4 * np.pi * (BOHR_RADIUS * RYDBERG) ** 2 / electron.effective_energy * phase.atoms_per_area
    return np.asarray(scale * strength / losses * collected(losses, electron, collection_angle))


def collected(losses: NDArray[np.float64], electron: FastElectron, collection_angle: float) -> NDArray[np.float64]:
    """Return ``ln(1 + (beta / theta_E)^2)``, (losses,) float64: Lorentzian scattering within an angle in mrad."""
    return np.log1p((collection_angle * 1e-3 / electron.characteristic_angle(losses)) ** 2)
