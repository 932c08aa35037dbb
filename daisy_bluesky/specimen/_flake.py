"""A flake of boron nitride over a holey carbon film: what lies where, and what it is made of."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.spectra import EnergyAxis

_FILM, _FLAKE = 15.0, 20.0  # nm
_VACUUM = 1e-6  # nm: next to nothing, where a phase must have a thickness

FLAKE_PHASES = (
    Phase("hole", {"C": 1.0}, 2.0, _VACUUM),
    Phase("carbon film", {"C": 1.0}, 2.0, _FILM),
    Phase("boron nitride", {"B": 1.0, "N": 1.0}, 2.1, _FLAKE),
    # by atoms per area: 2.1 g/cm3 of 20 nm BN, 24.8 g/mol, over 2.0 g/cm3 of 15 nm carbon, 12.0 g/mol
    Phase("boron nitride on carbon", {"B": 1.69, "N": 1.69, "C": 2.5}, (2.1 * 20 + 2.0 * 15) / 35, _FILM + _FLAKE),
)
"""Vacuum, the film, the flake, and the flake on the film."""

FLAKE_AXIS = EnergyAxis(130.0, 1.0, 400, "eV")
"""Energy losses that hold the K edges of boron, carbon and nitrogen."""

_FINE = 4  # points across a pixel
_HOLES = (0.22, 0.20, 0.20), (0.30, 0.80, 0.16), (0.80, 0.30, 0.19), (0.86, 0.86, 0.15)  # row, column, radius
_CORNERS = (0.12, 0.42), (0.40, 0.14), (0.70, 0.30), (0.88, 0.62), (0.62, 0.90), (0.30, 0.74)  # row, column
_JITTER = 0.03


def flake_fractions(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Return the fraction of each of `FLAKE_PHASES` in each pixel, (rows, columns, 4) float32."""
    rng = np.random.default_rng(seed)
    row, column = ((np.arange(side * _FINE) + 0.5) / (side * _FINE) for side in shape)
    rows, columns = np.meshgrid(row, column, indexing="ij")
    film = np.ones(rows.shape, bool)
    for down, right, radius in _HOLES:
        down, right = (down, right) + _JITTER * rng.standard_normal(2)
        film &= (rows - down) ** 2 + (columns - right) ** 2 > radius**2
    flake = _inside(rows, columns, np.array(_CORNERS) + _JITTER * rng.standard_normal((len(_CORNERS), 2)))
    labels = film + 2 * flake
    fractions = np.eye(len(FLAKE_PHASES), dtype=np.float32)[labels]
    return fractions.reshape(shape[0], _FINE, shape[1], _FINE, -1).mean(axis=(1, 3))


def _inside(rows: NDArray[np.float64], columns: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points lie inside a polygon, by how often a line from each to the right crosses its sides."""
    inside = np.zeros(rows.shape, bool)
    for (row, column), (next_row, next_column) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (row > rows) != (next_row > rows)
        inside ^= crosses & (columns < column + (rows - row) / (next_row - row) * (next_column - column))
    return inside
