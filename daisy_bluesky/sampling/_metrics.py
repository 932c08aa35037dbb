"""How good a phase map is."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage


def total_distortion(labels: ArrayLike, truth: ArrayLike, ill: ArrayLike | None = None) -> float:
    """Return the fraction of pixels whose label is wrong.

    Parameters
    ----------
    labels, truth : (rows, columns) int
        The map and what it should be.
    ill : (rows, columns) bool, optional
        Pixels without a true phase, which are not counted.

    Returns
    -------
    float
        Total distortion, 0 to 1; 0 when every pixel is ill.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), equation 14.
    """
    found_map, true_map = _same_shape(labels, truth)
    counted = np.ones(true_map.shape, bool) if ill is None else ~np.asarray(ill, bool)
    _same_shape(counted, true_map)
    return float((found_map != true_map)[counted].mean()) if counted.any() else 0.0


def small_objects_found(labels: ArrayLike, truth: ArrayLike, max_area: int) -> tuple[int, int]:
    """Count the small objects that a map shows.

    Parameters
    ----------
    labels, truth : (rows, columns) int
        The map and what it should be.
    max_area : int
        Largest area of a small object, pixels. An object is a set of pixels of one phase joined by their sides.

    Returns
    -------
    tuple of int
        How many small objects carry their phase in at least half of their pixels, and how many there are.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    found_map, true_map = _same_shape(labels, truth)
    found = total = 0
    for phase in np.unique(true_map):
        objects, count = ndimage.label(true_map == phase)
        areas = np.bincount(objects.ravel(), minlength=count + 1)[1:]
        right = np.bincount(objects[found_map == phase].ravel(), minlength=count + 1)[1:]
        small = areas <= max_area
        total += int(small.sum())
        found += int((small & (2 * right >= areas)).sum())
    return found, total


def _same_shape(one: ArrayLike, other: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two maps as arrays of one shape."""
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape:
        raise ValueError(f"maps differ in shape: {first.shape} and {second.shape}")
    return first, second
