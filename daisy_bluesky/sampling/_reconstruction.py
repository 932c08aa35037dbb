"""The best map from scattered labels: the same for adaptive and static sampling."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from daisy_bluesky.compilation import compiled

VOTERS = 10
SUPPORT = 16
# Covariance of indicators: share and length, pixels, of the smooth (Gaussian) part, length of the rough (exponential)
# part, nugget. Chosen on generated maps and two dendrites sampled adaptively to 5 ... 20%.
SMOOTH, SMOOTH_LENGTH, ROUGH_LENGTH, NUGGET = 0.7, 3.5, 10.0, 0.15
# Distance of the 16th neighbour, pixels, beyond which lengths grow in proportion.
WIDE = 11.0


def vote(shape: tuple[int, int], positions: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Reconstruct a map by the inverse-square-distance vote of the 10 nearest labels.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    positions : (n, 2) int
        Measured positions (row, column), pixels.
    labels : (n,) int
        Their labels; 0 (failed spectrum) has no vote, -1 (unknown phase) is a label of its own.

    Returns
    -------
    (rows, columns) int64
        The label of every pixel; 0 everywhere when there is no valid label.

    Raises
    ------
    ValueError
        If positions and labels do not match or positions lie outside the field.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), section 2.1: the reconstruction of SLADS.
    """
    places, values = _valid(shape, positions, labels)
    if len(places) == 0:
        return np.zeros(shape, np.int64)
    distance, nearest = nearest_places(shape, places, min(VOTERS, len(places)))
    codes = np.unique(values)
    member = (values[nearest][..., None] == codes).astype(float)
    weight = 1.0 / np.maximum(distance, 1e-6) ** 2
    winner = np.argmax(np.einsum("pk,pkl->pl", weight, member), axis=1)
    return np.asarray(codes[winner], np.int64).reshape(shape)


def reconstruct(shape: tuple[int, int], positions: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Reconstruct a map by local ordinary kriging of the labels' indicators: Gaussian process regression.

    The indicator of each label is predicted from the 16 nearest labels and a constant mean; the largest wins. The
    covariance is smooth over a few pixels, with a rougher part, and a nugget keeps single labels from bending
    boundaries; where measurements are sparse it widens with their spacing. Unlike a vote, kriging knows that neighbours
    beside each other tell the same.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    positions : (n, 2) int
        Measured positions (row, column), pixels.
    labels : (n,) int
        Their labels; 0 (failed spectrum) is interpolated over, -1 (unknown phase) is a label of its own.

    Returns
    -------
    (rows, columns) int64
        The label of every pixel; 0 everywhere when there is no valid label.

    Raises
    ------
    ValueError
        If positions and labels do not match or positions lie outside the field.

    References
    ----------
    A. G. Journel, "Nonparametric estimation of spatial distributions", Math. Geol. 15, 445 (1983): indicator kriging.
    """
    places, values = _valid(shape, positions, labels)
    if len(places) == 0:
        return np.zeros(shape, np.int64)
    distance, nearest = nearest_places(shape, places, min(SUPPORT, len(places)))
    codes, coded = np.unique(values, return_inverse=True)
    result = np.empty(shape[0] * shape[1], np.int64)
    _krige(shape[1], places, coded.astype(np.int64), nearest, distance[:, -1], len(codes), result)
    return codes[result].reshape(shape)


def _valid(
    shape: tuple[int, int], positions: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions, (m, 2), and labels, (m,), that are not failed spectra, the last of each position."""
    places = np.asarray(positions, np.int64).reshape(-1, 2)
    values = np.asarray(labels, np.int64).ravel()
    if len(places) != len(values):
        raise ValueError(f"labels: {len(values)} for {len(places)} positions; give one each")
    if len(places) and (places.min() < 0 or (places >= np.array(shape)).any()):
        raise ValueError(f"positions must lie inside the field of {shape[0]} x {shape[1]} pixels")
    sparse = np.zeros(shape, np.int64)
    sparse[places[:, 0], places[:, 1]] = values
    kept = np.argwhere(sparse)
    return kept, sparse[kept[:, 0], kept[:, 1]]


def nearest_places(
    shape: tuple[int, int], places: NDArray[np.int64], k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distances and numbers of the k nearest places of every pixel, (pixels, k) each."""
    grid = np.indices(shape).reshape(2, -1).T
    distance, nearest = KDTree(places).query(grid, k=np.arange(1, k + 1))
    return np.asarray(distance, np.float64), np.asarray(nearest, np.int64)


@compiled
def _krige(
    columns: int,
    places: NDArray[np.int64],
    coded: NDArray[np.int64],
    nearest: NDArray[np.int64],
    farthest: NDArray[np.float64],
    codes: int,
    result: NDArray[np.int64],
) -> None:
    """Fill `result`, (pixels,), with the code whose kriged indicator is largest."""
    k = nearest.shape[1]
    matrix, weights, ones, indicator = np.empty((k, k)), np.empty(k), np.empty(k), np.empty(codes)
    for pixel in range(len(result)):
        support = nearest[pixel]
        first = coded[support[0]]
        row, column = pixel // columns, pixel % columns
        measured = places[support[0], 0] == row and places[support[0], 1] == column
        if measured or np.all(coded[support] == first):
            result[pixel] = first
            continue
        scale = max(1.0, farthest[pixel] / WIDE)
        fill_system(places, support, row, column, scale, matrix, weights)
        ones[:] = 1.0
        solve(matrix, weights, ones)
        indicator[:] = 0.0
        for place in range(k):
            indicator[coded[support[place]]] += weights[place]
        result[pixel] = np.argmax(indicator)


@compiled
def _covariance(squared: float, scale: float) -> float:
    """Return the covariance of two indicators whose squared distance is given, pixels^2."""
    squared /= scale * scale
    return SMOOTH * math.exp(-0.5 * squared / SMOOTH_LENGTH**2) + (1 - SMOOTH) * math.exp(
        -math.sqrt(squared) / ROUGH_LENGTH
    )


@compiled
def fill_system(
    places: NDArray[np.int64],
    support: NDArray[np.int64],
    row: int,
    column: int,
    scale: float,
    matrix: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> None:
    """Fill in the covariances of a pixel's support, lower triangle, and those of the pixel with it."""
    for one in range(len(support)):
        own_row, own_column = places[support[one], 0], places[support[one], 1]
        for two in range(one):
            apart = (own_row - places[support[two], 0]) ** 2 + (own_column - places[support[two], 1]) ** 2
            matrix[one, two] = _covariance(apart, scale)
        matrix[one, one] = 1.0 + NUGGET
        weights[one] = _covariance((own_row - row) ** 2 + (own_column - column) ** 2, scale)


@compiled
def solve(matrix: NDArray[np.float64], weights: NDArray[np.float64], ones: NDArray[np.float64]) -> None:
    """Turn covariances into ordinary kriging weights, which sum to 1, by Cholesky's decomposition; all in place."""
    k = len(weights)
    for one in range(k):
        for two in range(one):
            for inner in range(two):
                matrix[one, two] -= matrix[one, inner] * matrix[two, inner]
            matrix[one, two] /= matrix[two, two]
            matrix[one, one] -= matrix[one, two] ** 2
            weights[one] -= matrix[one, two] * weights[two]
            ones[one] -= matrix[one, two] * ones[two]
        matrix[one, one] = math.sqrt(matrix[one, one])
        weights[one] /= matrix[one, one]
        ones[one] /= matrix[one, one]
    mean = (1.0 - (weights * ones).sum()) / (ones * ones).sum()
    for one in range(k - 1, -1, -1):
        weights[one] += mean * ones[one]
    for one in range(k - 1, -1, -1):
        for two in range(one + 1, k):
            weights[one] -= matrix[two, one] * weights[two]
        weights[one] /= matrix[one, one]
