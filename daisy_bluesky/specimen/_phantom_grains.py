"""Phantoms of grains: a polycrystal with precipitates, and one whose boundaries are inclined to the beam."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree, Voronoi

from daisy_bluesky.specimen._phantom_discs import scatter_discs

_GRAIN = 0.16  # mean diameter of a grain, in sides of the image
_TILT = 6.0  # largest shift of a boundary from the top of the foil to the bottom, px
_SLICES = 9  # of the foil, to project inclined boundaries


def grains(shape: tuple[int, int], phases: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the labels of a polycrystal, its last phase small precipitates in the grains and between them."""
    rows, columns = _wavy_grid(shape, rng)
    centres = _centres(shape, rng)
    kinds = _kinds(centres, max(phases - 1, 1), rng)
    nearest = KDTree(centres).query(np.column_stack([rows.ravel(), columns.ravel()]))[1]
    labels = (kinds[nearest] + 1).astype(np.uint8).reshape(shape)
    if phases > 1:
        side = np.sqrt(shape[0] * shape[1])
        scatter_discs(labels, phases, count=round(0.1 * side), diameters=(3.0, 6.0), rng=rng)
        scatter_discs(labels, phases, count=round(0.03 * side), diameters=(8.0, 14.0), rng=rng)
    return labels


def inclined_grains(shape: tuple[int, int], phases: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the fractions, (rows, columns, phases), of a polycrystal projected through inclined boundaries."""
    rows, columns = _wavy_grid(shape, rng)
    points = np.column_stack([rows.ravel(), columns.ravel()])
    centres = _centres(shape, rng)
    kinds = _kinds(centres, phases, rng)
    shift = rng.uniform(-_TILT, _TILT, centres.shape)
    fractions = np.zeros((len(points), phases), dtype=np.float32)
    for depth in np.linspace(-0.5, 0.5, _SLICES):
        nearest = KDTree(centres + depth * shift).query(points)[1]
        fractions[np.arange(len(points)), kinds[nearest]] += 1 / _SLICES
    return fractions.reshape(*shape, phases)


def _wavy_grid(shape: tuple[int, int], rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Displace pixel coordinates smoothly, which bends the straight boundaries of Voronoi grains."""
    side = float(np.sqrt(shape[0] * shape[1]))
    rows, columns = np.indices(shape, dtype=np.float64)
    for grid in (rows, columns):
        noise = gaussian_filter(rng.standard_normal(shape), 0.06 * side, mode="wrap")
        grid += 0.02 * side * noise / max(noise.std(), 1e-12)
    return rows, columns


def _centres(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Jittered centres, at least four, a little beyond the image."""
    counts = [max(2, round(1 / _GRAIN * extent / np.sqrt(shape[0] * shape[1]))) for extent in shape]
    cells = np.stack(np.meshgrid(*(np.arange(-1, n + 1) for n in counts), indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray((cells + rng.uniform(0.05, 0.95, cells.shape)) * np.array(shape) / counts)


def _kinds(centres: NDArray[np.float64], phases: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Give each grain a phase, the rarest among its neighbours first, so that few boundaries vanish."""
    neighbours = _neighbours(centres)
    kinds = np.full(len(centres), -1)
    for grain in rng.permutation(len(centres)):
        around = kinds[list(neighbours[grain])]
        crowding = np.bincount(around[around >= 0], minlength=phases) + rng.uniform(0, 1.5, phases)
        kinds[grain] = crowding.argmin()
    return kinds


def _neighbours(centres: NDArray[np.float64]) -> list[set[int]]:
    neighbours: list[set[int]] = [set() for _ in centres]
    for a, b in Voronoi(centres).ridge_points:
        neighbours[a].add(int(b))
        neighbours[b].add(int(a))
    return neighbours
