"""The best map from scattered labels: the same for adaptive and static sampling."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from daisy_bluesky.compilation import compiled

VOTERS = 10
SUPPORT = 16


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
    distance, nearest = _nearest(shape, places, min(VOTERS, len(places)))
    codes = np.unique(values)
    member = (values[nearest][..., None] == codes).astype(float)
    weight = 1.0 / np.maximum(distance, 1e-6) ** 2
    winner = np.argmax(np.einsum("pk,pkl->pl", weight, member), axis=1)
    return np.asarray(codes[winner], np.int64).reshape(shape)


def reconstruct(shape: tuple[int, int], positions: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Reconstruct a map by local ordinary kriging of the labels' indicators with a linear variogram.

    The indicator of each label is interpolated exactly from the 16 nearest labels (a local linear radial basis
    function with a constant); the largest wins. Unlike a vote it knows that neighbours beside each other tell the same.

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
    _, nearest = _nearest(shape, places, min(SUPPORT, len(places)))
    codes, coded = np.unique(values, return_inverse=True)
    result = np.empty(shape[0] * shape[1], np.int64)
    _krige(shape[1], places.astype(float), coded.astype(np.int64), nearest, len(codes), result)
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


def _nearest(
    shape: tuple[int, int], places: NDArray[np.int64], k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distances and numbers of the k nearest places of every pixel, (pixels, k) each."""
    grid = np.indices(shape).reshape(2, -1).T
    distance, nearest = KDTree(places).query(grid, k=np.arange(1, k + 1))
    return np.asarray(distance, np.float64), np.asarray(nearest, np.int64)


@compiled
def _krige(
    columns: int,
    places: NDArray[np.float64],
    coded: NDArray[np.int64],
    nearest: NDArray[np.int64],
    codes: int,
    result: NDArray[np.int64],
) -> None:
    """Fill `result`, (pixels,), with the code whose kriged indicator is largest."""
    k = nearest.shape[1]
    matrix, weights, indicator = np.zeros((k + 1, k + 1)), np.zeros(k + 1), np.zeros(codes)
    for pixel in range(len(result)):
        support = nearest[pixel]
        first = coded[support[0]]
        row, column = pixel // columns, pixel % columns
        measured = places[support[0], 0] == row and places[support[0], 1] == column
        if measured or np.all(coded[support] == first):
            result[pixel] = first
            continue
        _fill_system(places, support, row, column, matrix, weights)
        solution = np.linalg.solve(matrix, weights)
        indicator[:] = 0.0
        for place in range(k):
            indicator[coded[support[place]]] += solution[place]
        result[pixel] = np.argmax(indicator)


@compiled
def _fill_system(
    places: NDArray[np.float64],
    support: NDArray[np.int64],
    row: int,
    column: int,
    matrix: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> None:
    """Fill the ordinary kriging system of a pixel: variogram |distance|, weights that sum to 1."""
    k = len(support)
    for one in range(k):
        for two in range(one):
            matrix[one, two] = matrix[two, one] = np.hypot(
                places[support[one], 0] - places[support[two], 0], places[support[one], 1] - places[support[two], 1]
            )
        weights[one] = np.hypot(places[support[one], 0] - row, places[support[one], 1] - column)
        matrix[one, k] = matrix[k, one] = 1.0
    weights[k] = 1.0
