"""Cross-sections for the ionisation of inner shells by electrons."""

from math import exp, log, pi, sqrt

from daisy_bluesky.spectra import ELECTRONS

REST_ENERGY = 510.99895  # of the electron, keV
RYDBERG = 0.013605693  # keV
BOHR_RADIUS = 5.29177211e-9  # cm


def ionisation_cross_section(level: str, edge: float, beam_energy: float) -> float:
    """Return the cross-section for emptying a subshell: Casnati's for K, Gryzinski's for L and M.

    Parameters
    ----------
    level : str
        Subshell: ``"K"``, ``"L1"`` ... ``"M5"``; taken as full.
    edge : float
        Ionisation energy of the subshell, keV.
    beam_energy : float
        Kinetic energy of the electrons, keV.

    Returns
    -------
    float
        Cross-section, cm2 per atom; zero below threshold.

    Notes
    -----
    With U the beam energy over the edge energy I, n the electrons of the subshell, a0 the Bohr radius, R the Rydberg
    energy and F Gryzinski's relativistic factor, both are ``n a0^2 (R / I)^2 F g(U)``;
    Casnati's ``g = (I / R)^d 10.57 exp(-1.736 / U + 0.317 / U^2) ln(U) / U`` with
    ``d = -0.0318 + 0.3160 / U - 0.1135 / U^2``;
    Gryzinski's ``g = 4 pi / U ((U - 1) / (U + 1))^1.5 (1 + 2/3 (1 - 1 / 2U) ln(2.7 + sqrt(U - 1)))``.

    References
    ----------
    E. Casnati, A. Tartari, C. Baraldi, J. Phys. B 15 (1982) 155 (the empirical formula for K shells).
    M. Gryzinski, Phys. Rev. 138 (1965) A336 (the inner-shell formula with its relativistic correction).
    """
    overvoltage = beam_energy / edge
    if overvoltage <= 1:
        return 0.0
    scale = ELECTRONS[level] * BOHR_RADIUS**2 * (RYDBERG / edge) ** 2 * _relativistic_factor(edge, beam_energy)
    if level == "K":
        return scale * _casnati(edge, overvoltage)
    return scale * _gryzinski(overvoltage)


def relativistic_velocity(beam_energy: float) -> float:
    """Return the electrons' velocity over that of light at a kinetic energy in keV."""
    gamma = 1 + beam_energy / REST_ENERGY
    return sqrt(1 - 1 / gamma**2)


def _casnati(edge: float, u: float) -> float:
    exponent = -0.0318 + 0.3160 / u - 0.1135 / u**2
    return float((edge / RYDBERG) ** exponent * 10.57 * exp(-1.736 / u + 0.317 / u**2) * log(u) / u)


def _gryzinski(u: float) -> float:
    impact = ((u - 1) / (u + 1)) ** 1.5 * (1 + 2 / 3 * (1 - 1 / (2 * u)) * log(2.7 + sqrt(u - 1)))
    return float(4 * pi * impact / u)


def _relativistic_factor(edge: float, beam_energy: float) -> float:
    i, t = edge / REST_ENERGY, beam_energy / REST_ENERGY
    slow = (2 + i) / (2 + t) * ((1 + t) / (1 + i)) ** 2
    fast = (i + t) * (2 + t) * (1 + i) ** 2 / (t * (2 + t) * (1 + i) ** 2 + i * (2 + i))
    return float(slow * fast**1.5)
