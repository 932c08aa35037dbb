"""Elastic scattering of fast electrons by atoms."""

from math import inf, pi

import xraydb

from daisy_bluesky.specimen._fast_electron import BOHR_RADIUS, FastElectron


def elastic_cross_section(atomic_number: int, electron: FastElectron, inner: float, outer: float = inf) -> float:
    """Return the cross-section for elastic scattering into an annulus, by a screened nucleus.

    Parameters
    ----------
    atomic_number : int
        Z of the atom.
    electron : FastElectron
        The scattered electron.
    inner, outer : float
        Half-angles of the annulus, rad.

    Returns
    -------
    float
        Cross-section, cm2 per atom.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), section 3.1.1
    (Rutherford scattering by a Wentzel potential of radius ``a0 Z^(-1/3)``), integrated over angle.
    """
    wave_number = 2 * pi / electron.wavelength
    screening = float(atomic_number ** (1 / 3) / (wave_number * BOHR_RADIUS)) ** 2
    strength = 4 * pi * (electron.gamma * atomic_number / BOHR_RADIUS) ** 2 / wave_number**4
    beyond_outer = 0.0 if outer == inf else 1 / (outer**2 + screening)
    return strength * (1 / (inner**2 + screening) - beyond_outer)


def atomic_number(element: str) -> int:
    """Return Z of an element by its symbol."""
    return int(xraydb.atomic_number(element))
