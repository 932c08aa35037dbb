"""Core-loss edges, as a microscopist names them."""

from functools import lru_cache

import numpy as np
import xraydb
from numpy.typing import NDArray

SEARCH = 0.05  # how far an onset may lie from the free atom's binding energy, relative
PAIR = 2e-4  # the table brackets an edge by two energies nearer than this, relative
LEAST_JUMP = 0.005
LAST_TABULATED = 92


def edges(element: str, low: float = 50.0, high: float = 2000.0) -> list[tuple[str, float]]:
    """Return the edges of an element within a range of energy losses.

    The onset is the discontinuity of the photoabsorption tables, which is that of the element as found in solids;
    the free atom's binding energy, up to 12 eV higher for light elements, stands in where the tables show no jump.

    Parameters
    ----------
    element : str
        Symbol of the element.
    low, high : float, optional
        The range, eV.

    Returns
    -------
    list of (str, float)
        Name, such as ``"Ti L3"``, and onset, eV, by rising energy.

    Raises
    ------
    ValueError
        If the element is unknown or beyond uranium.

    References
    ----------
    W. T. Elam, B. D. Ravel, J. R. Sieber, Radiat. Phys. Chem. 63 (2002) 121 (binding energies).
    C. T. Chantler, J. Phys. Chem. Ref. Data 24 (1995) 71, 29 (2000) 597 (photoabsorption).
    """
    return [(name, onset) for name, onset in _all_edges(element) if low <= onset <= high]


@lru_cache(maxsize=128)
def _all_edges(element: str) -> tuple[tuple[str, float], ...]:
    try:
        tabulated = xraydb.atomic_number(element) <= LAST_TABULATED
    except ValueError:
        raise ValueError(f"unknown element {element!r}: use a symbol such as 'Fe'") from None
    if not tabulated:
        raise ValueError(f"the edges of {element} are not tabulated: use an element from H to U")
    known = xraydb.xray_edges(element)
    jumps = _jumps(element)
    found = [(f"{element} {name}", _onset(edge.energy, jumps)) for name, edge in known.items()]
    return tuple(sorted(found, key=lambda named: named[1]))


def _jumps(element: str) -> NDArray[np.float64]:
    """Return where the tabulated photoabsorption jumps, eV."""
    energies = np.asarray(xraydb.chantler_energies(element))
    absorption = np.log(xraydb.mu_chantler(element, energies, photo=True))
    bracketed = (np.diff(np.log(energies)) < PAIR) & (np.diff(absorption) > LEAST_JUMP)
    return np.asarray((energies[:-1] + energies[1:])[bracketed] / 2)


def _onset(binding: float, jumps: NDArray[np.float64]) -> float:
    near = jumps[np.abs(jumps - binding) < SEARCH * binding]
    return float(near[np.argmin(np.abs(near - binding))]) if near.size else float(binding)
