"""Phantoms of round things: precipitates, and spheres in a matrix."""

import numpy as np
from numpy.typing import NDArray

_ATTEMPTS = 40  # to place one disc without touching another


def spheres(shape: tuple[int, int], phases: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the labels of spheres of phases 2 and up in a matrix of phase 1, a few large ones and more small ones."""
    labels = np.ones(shape, dtype=np.uint8)
    side = float(np.sqrt(shape[0] * shape[1]))
    for label in range(2, phases + 1):
        for count, smallest, largest in ((3, 0.14, 0.25), (6, 0.05, 0.11)):
            diameters = (max(5.0, smallest * side), max(6.0, largest * side))
            scatter_discs(labels, label, count=count, diameters=diameters, rng=rng, on=1)
        scatter_discs(labels, label, count=round(0.05 * side), diameters=(3.0, 6.0), rng=rng, on=1)
    return labels


def scatter_discs(
    labels: NDArray[np.uint8],
    label: int,
    *,
    count: int,
    diameters: tuple[float, float],
    rng: np.random.Generator,
    on: int | None = None,
) -> None:
    """Draw slightly elliptic discs of a label into a map, in place, apart from one another.

    Parameters
    ----------
    labels : (rows, columns) uint8
        The map.
    label : int
        What to draw.
    count : int
        How many; fewer where there is no room.
    diameters : tuple of float
        Smallest and largest mean diameter, px.
    rng : numpy.random.Generator
        Source of randomness.
    on : int, optional
        Draw only where the map has this label; on anything but `label` if not given.
    """
    for _ in range(count):
        radius = rng.uniform(*diameters) / 2
        for _ in range(_ATTEMPTS):
            centre = rng.uniform(0, labels.shape)
            stretch, angle = rng.uniform(1, 1.25), rng.uniform(0, np.pi)
            around = _ellipse(labels.shape, centre, radius + 2, 1.0, 0.0)
            under = labels[around]
            if (on is None and not np.any(under == label)) or (on is not None and np.all(under == on)):
                labels[_ellipse(labels.shape, centre, radius, stretch, angle)] = label
                break


def _ellipse(
    shape: tuple[int, ...], centre: NDArray[np.float64], radius: float, stretch: float, angle: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    reach = radius * stretch + 1
    first = np.maximum(np.floor(centre - reach), 0).astype(np.int64)
    last = np.minimum(np.ceil(centre + reach) + 1, shape).astype(np.int64)
    rows, columns = np.mgrid[first[0] : last[0], first[1] : last[1]]
    y, x = rows - centre[0], columns - centre[1]
    along = (np.cos(angle) * x + np.sin(angle) * y) / stretch**0.5
    across = (np.cos(angle) * y - np.sin(angle) * x) * stretch**0.5
    inside = along**2 + across**2 <= radius**2
    return rows[inside], columns[inside]
