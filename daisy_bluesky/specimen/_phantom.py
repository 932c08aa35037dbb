"""Phantoms: phase maps that look like micrographs."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._phantom_dendrites import dendrites
from daisy_bluesky.specimen._phantom_discs import spheres
from daisy_bluesky.specimen._phantom_grains import grains, inclined_grains

_CUTS = 5  # straight interfaces across the field


def phantom(kind: str, shape: tuple[int, int], *, seed: int, phases: int = 4) -> NDArray[np.uint8]:
    """Return a phase map.

    Parameters
    ----------
    kind : str
        One of `PHANTOM_KINDS`: ``"dendrites"``, ``"grains"`` (with small precipitates of the last phase), ``"spheres"``
        (in a matrix of phase 1), ``"interfaces"`` (straight edges) or ``"overlaps"`` (grains with boundaries inclined
        to the beam; the labels are the larger fractions).
    shape : tuple of int
        Rows and columns.
    seed : int
        Seed of the map.
    phases : int, optional
        Number of phases.

    Returns
    -------
    (rows, columns) uint8
        Labels, from 1 to `phases`.

    Raises
    ------
    ValueError
        If there is no such kind, or `shape` or `phases` is out of range.
    """
    if kind == "overlaps":
        fractions = phase_fractions(kind, shape, seed=seed, phases=phases)
        return np.asarray(fractions.argmax(axis=2) + 1, dtype=np.uint8)
    return _map(kind)(*_checked(shape, phases), np.random.default_rng(seed))


def phase_fractions(kind: str, shape: tuple[int, int], *, seed: int, phases: int = 4) -> NDArray[np.float32]:
    """Return the fraction of each phase in each pixel of a phantom.

    Parameters and errors are those of `phantom`.

    Returns
    -------
    (rows, columns, phases) float32
        Fractions that sum to one; mixed only for ``"overlaps"``, otherwise ones and zeros.
    """
    if kind == "overlaps":
        return inclined_grains(*_checked(shape, phases), np.random.default_rng(seed))
    return np.eye(phases, dtype=np.float32)[phantom(kind, shape, seed=seed, phases=phases) - 1]


def _map(kind: str) -> Callable[[tuple[int, int], int, np.random.Generator], NDArray[np.uint8]]:
    if kind not in _MAPS:
        raise ValueError(f"no phantom of kind {kind!r}: choose from {', '.join(PHANTOM_KINDS)}")
    return _MAPS[kind]


def _checked(shape: tuple[int, int], phases: int) -> tuple[tuple[int, int], int]:
    if len(shape) != 2 or min(shape) < 8:
        raise ValueError(f"shape {shape} of a phantom: give rows and columns of at least 8 pixels each")
    if not 1 <= phases <= 255:
        raise ValueError(f"phases is {phases}, but a phantom has 1 to 255")
    return shape, phases


def _interfaces(shape: tuple[int, int], phases: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the field by straight lines; pieces that share a line differ in phase where phases allow."""
    rows, columns = np.indices(shape)
    sides = np.zeros(shape, dtype=np.int64)
    for _ in range(max(_CUTS, phases)):
        angle = rng.uniform(0, np.pi)
        through = rng.uniform(0.15, 0.85, 2) * shape
        sides += (rows - through[0]) * np.cos(angle) + (columns - through[1]) * np.sin(angle) > 0
    return (sides % phases + 1).astype(np.uint8)


_MAPS: Mapping[str, Callable[[tuple[int, int], int, np.random.Generator], NDArray[np.uint8]]] = MappingProxyType(
    {"dendrites": dendrites, "grains": grains, "spheres": spheres, "interfaces": _interfaces}
)
PHANTOM_KINDS = (*_MAPS, "overlaps")
"""Names of the kinds of phantoms."""
