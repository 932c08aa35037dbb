"""Characteristic X-ray lines, as a microscopist names them."""

from dataclasses import dataclass
from functools import lru_cache
from math import log

import xraydb

ELECTRONS = {"K": 2, "L1": 2, "L2": 2, "L3": 4, "M1": 2, "M2": 2, "M3": 4, "M4": 4, "M5": 6}
"""Electrons in a full subshell."""

_LOWEST_ENERGY = 0.1  # keV; below it no X-ray detector window lets anything through


@dataclass(frozen=True)
class Line:
    """A characteristic X-ray line, its unresolved components taken together.

    Attributes
    ----------
    element : str
        Symbol of the element.
    name : str
        ``"Ka"``, ``"Kb"``, ``"La"``, ``"Lb"``, ``"Lg"``, ``"Ll"``, ``"Ln"``, ``"Ma"``, ``"Mb"``, ``"Mg"`` or ``"Mz"``.
    energy : float
        Energy, the intensity-weighted mean of the components, keV.
    weight : float
        Emitted intensity relative to the strongest line of the same shell (K, L or M) of the element.
    """

    element: str
    name: str
    energy: float
    weight: float

    @property
    def label(self) -> str:
        """Element and line, such as ``"Fe Ka"``."""
        return f"{self.element} {self.name}"

    @property
    def shell(self) -> str:
        """The shell that was ionised: ``"K"``, ``"L"`` or ``"M"``."""
        return self.name[0]


@dataclass(frozen=True)
class Transition:
    """One component of a line: a vacancy in `level` filled under emission of a photon.

    Attributes
    ----------
    name : str
        Siegbahn name, such as ``"Ka1"``.
    level : str
        The ionised subshell, such as ``"L3"``.
    edge : float
        Ionisation energy of that subshell, keV.
    energy : float
        Photon energy, keV.
    photons : float
        Mean number of these photons for each vacancy (fluorescence yield times relative intensity).
    """

    name: str
    level: str
    edge: float
    energy: float
    photons: float


@lru_cache(maxsize=256)
def transitions(element: str) -> tuple[Transition, ...]:
    """Return the radiative transitions of an element above 0.1 keV.

    Parameters
    ----------
    element : str
        Symbol of the element.

    Returns
    -------
    tuple of Transition
        K, L and M transitions, unordered.

    Raises
    ------
    ValueError
        If the element is unknown.

    References
    ----------
    W. T. Elam, B. D. Ravel, J. R. Sieber, Radiat. Phys. Chem. 63 (2002) 121, as tabulated by xraydb.
    """
    try:
        lines, edges = xraydb.xray_lines(element), xraydb.xray_edges(element)
    except (ValueError, AttributeError):
        raise ValueError(f"unknown element {element!r}: use a symbol such as 'Fe'") from None
    found = []
    for name, line in lines.items():
        level = "M5" if line.initial_level == "M4,5" else line.initial_level
        if level in ELECTRONS and level in edges and line.energy >= 1000 * _LOWEST_ENERGY:
            photons = edges[level].fyield * line.intensity
            found.append(Transition(name, level, edges[level].energy / 1000, line.energy / 1000, photons))
    return tuple(found)


@lru_cache(maxsize=1024)
def characteristic_lines(element: str, beam_energy_kev: float = 200.0) -> tuple[Line, ...]:
    """Return the lines an electron beam excites in an element, strongest of each shell first.

    Relative weights within a shell take each subshell's ionisation as its electrons times ``ln(U) / edge energy``
    (Bethe's law, U = beam energy / edge energy).

    Parameters
    ----------
    element : str
        Symbol of the element.
    beam_energy_kev : float, optional
        Beam energy, keV.

    Returns
    -------
    tuple of Line
        K lines, then L, then M; within a shell by falling weight.

    Raises
    ------
    ValueError
        If the element is unknown or the beam energy is not positive.
    """
    if not beam_energy_kev > 0:
        raise ValueError(f"beam_energy_kev is {beam_energy_kev}, but must be positive")
    components: dict[str, list[tuple[float, float]]] = {}
    for transition in transitions(element):
        if transition.edge < beam_energy_kev:
            ionisation = ELECTRONS[transition.level] * log(beam_energy_kev / transition.edge) / transition.edge
            components.setdefault(transition.name[:2], []).append((transition.energy, ionisation * transition.photons))
    lines = []
    for shell in "KLM":
        totals = {name: sum(i for _, i in parts) for name, parts in components.items() if name[0] == shell}
        strongest = max(totals.values(), default=0.0)
        for name, total in sorted(totals.items(), key=lambda item: -item[1]):
            if total > 0:
                energy = sum(e * i for e, i in components[name]) / total
                lines.append(Line(element, name, energy, total / strongest))
    return tuple(lines)
