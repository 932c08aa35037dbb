"""X-rays a thin film emits under the beam, and the part of them that gets out."""

from collections.abc import Mapping
from functools import lru_cache
from math import pi, radians, sin, sqrt

import numpy as np
import xraydb
from numpy.typing import NDArray

from daisy_bluesky.specimen._ionisation import ionisation_cross_section, relativistic_velocity
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.spectra import Transition, transitions

_BREMSSTRAHLUNG_UNIT = 5.795e-28  # fine-structure constant x (classical electron radius)^2, cm2


def characteristic_yield(phase: Phase, beam_energy: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the characteristic photons one electron makes on its way through a phase.

    Vacancies made by impact move between the subshells of a shell by Coster-Kronig transitions; those that
    follow from the filling of a deeper shell are left out, as is fluorescence.

    Parameters
    ----------
    phase : Phase
        The material.
    beam_energy : float
        Kinetic energy of the electrons, keV.

    Returns
    -------
    energies : (transitions,) float64
        Photon energies, keV.
    photons : (transitions,) float64
        Photons per electron, into all directions.

    References
    ----------
    J. I. Goldstein et al., Scanning Electron Microscopy and X-Ray Microanalysis, thin-film yield: atoms per area x
    cross-section x fluorescence yield x relative line intensity.
    """
    energies, photons = [], []
    for element, fraction in phase.composition.items():
        found = transitions(element)
        vacancies = _vacancies(element, found, beam_energy)
        for transition in found:
            energies.append(transition.energy)
            photons.append(phase.atoms_per_area * fraction * vacancies[transition.level] * transition.photons)
    return np.array(energies), np.array(photons)


def bremsstrahlung_yield(phase: Phase, energies: NDArray[np.float64], beam_energy: float) -> NDArray[np.float64]:
    """Return the bremsstrahlung one electron makes on its way through a phase.

    Parameters
    ----------
    phase : Phase
        The material.
    energies : (n,) float64
        Photon energies, keV.
    beam_energy : float
        Kinetic energy of the electrons, keV.

    Returns
    -------
    (n,) float64
        Photons per electron and keV, into all directions taken as equal; zero outside (0, `beam_energy`).

    References
    ----------
    H. A. Kramers, Phil. Mag. 46 (1923) 836: thin target, cross-section per energy
    ``16 pi / (3 sqrt 3) alpha r_e^2 Z^2 / (beta^2 E)``.
    """
    squares = sum(fraction * xraydb.atomic_number(element) ** 2 for element, fraction in phase.composition.items())
    strength = 16 * pi / (3 * sqrt(3)) * _BREMSSTRAHLUNG_UNIT / relativistic_velocity(beam_energy) ** 2
    emitting = (energies > 0) & (energies < beam_energy)
    emitted = np.zeros(len(energies))
    emitted[emitting] = phase.atoms_per_area * squares * strength / energies[emitting]
    return emitted


def transmission(phase: Phase, energies: NDArray[np.float64], take_off_angle: float) -> NDArray[np.float64]:
    """Return the part of the photons, made evenly over the depth of a film, that leaves it towards the detector.

    Parameters
    ----------
    phase : Phase
        The material.
    energies : (n,) float64
        Photon energies, keV.
    take_off_angle : float
        Angle between the film and the line of sight of the detector, degrees.

    Returns
    -------
    (n,) float64
        ``(1 - exp(-x)) / x`` with ``x = mass attenuation x density x thickness / sin(take-off angle)``.

    References
    ----------
    J. I. Goldstein, J. L. Costley, G. W. Lorimer, S. J. B. Reed, SEM/1977 I, 315 (thin-film absorption correction).
    """
    mass_thickness = phase.density * phase.thickness * 1e-7
    depth = mass_attenuation(phase.weight_fractions, energies) * mass_thickness / sin(radians(take_off_angle))
    return -np.expm1(-depth) / depth


def mass_attenuation(weight_fractions: Mapping[str, float], energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mass attenuation of a mixture, (n,) float64 in cm2/g, at photon energies (n,) in keV, 0.1 or above.

    References
    ----------
    W. T. Elam, B. D. Ravel, J. R. Sieber, Radiat. Phys. Chem. 63 (2002) 121, as tabulated by xraydb.
    """
    tabulated = np.maximum(energies, 0.1).tobytes()
    parts = [weight * _element_attenuation(element, tabulated) for element, weight in weight_fractions.items()]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


@lru_cache(maxsize=64)
def _element_attenuation(element: str, energies: bytes) -> NDArray[np.float64]:
    """Return the mass attenuation of an element; the tables are slow, and many materials share their energies."""
    return np.asarray(xraydb.mu_elam(element, 1000 * np.frombuffer(energies)))


def _vacancies(element: str, found: tuple[Transition, ...], beam_energy: float) -> dict[str, float]:
    made = {t.level: ionisation_cross_section(t.level, t.edge, beam_energy) for t in found}
    levels = sorted(made)
    for place, level in enumerate(levels):
        for higher in levels[:place]:
            if higher[0] == level[0]:
                made[level] += made[higher] * xraydb.ck_probability(element, higher, level, total=False)
    return made
