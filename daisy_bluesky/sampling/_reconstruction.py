"""The best map from scattered labels: the same for adaptive and static sampling."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._nearest import Cells, cells_of, find_nearest

VOTERS = 10
SUPPORT = 16
# Covariance of indicators: share and length, pixels, of the smooth (Gaussian) part, length of the rough (exponential)
# part, nugget. Chosen on generated maps and two dendrites sampled adaptively to 5 ... 20%.
SMOOTH, SMOOTH_LENGTH, ROUGH_LENGTH, NUGGET = 0.7, 3.5, 10.0, 0.15
# Distance of the 16th neighbour, pixels, beyond which lengths grow in proportion.
WIDE = 11.0
# Two places within `WIDE` of a pixel are at most twice that apart.
TABULATED = int(4 * WIDE**2) + 1


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
    codes, coded = np.unique(values, return_inverse=True)
    result = np.empty(shape, np.int64)
    _vote(cells_of(shape, places), coded.astype(np.int64), min(VOTERS, len(places)), len(codes), result)
    return np.asarray(codes[result], np.int64)


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
    codes, coded = np.unique(values, return_inverse=True)
    result = np.empty(shape, np.int64)
    _krige(cells_of(shape, places), coded.astype(np.int64), min(SUPPORT, len(places)), len(codes), result)
    return np.asarray(codes[result], np.int64)


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


@compiled
def _vote(cells: Cells, coded: NDArray[np.int64], k: int, codes: int, result: NDArray[np.int64]) -> None:
    """Fill `result`, (rows, columns), with the code of largest inverse-square weight among the k nearest places."""
    squared, support, weight = np.empty(k, np.int64), np.empty(k, np.int64), np.empty(codes)
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            find_nearest(cells, row, column, squared, support)
            if squared[0] == 0:
                result[row, column] = coded[support[0]]
                continue
            weight[:] = 0.0
            for place in range(k):
                weight[coded[support[place]]] += 1.0 / squared[place]
            result[row, column] = np.argmax(weight)


@compiled
def _krige(cells: Cells, coded: NDArray[np.int64], k: int, codes: int, result: NDArray[np.int64]) -> None:
    """Fill `result`, (rows, columns), with the code whose indicator, kriged from the k nearest places, is largest."""
    squared, support = np.empty(k, np.int64), np.empty(k, np.int64)
    room, indicator, table = kriging_room(k), np.empty(codes), covariance_table()
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            find_nearest(cells, row, column, squared, support)
            first = coded[support[0]]
            if squared[0] == 0 or np.all(coded[support] == first):
                result[row, column] = first
                continue
            krige(cells.places, support, squared, room, table)
            indicator[:] = 0.0
            for place in range(k):
                indicator[coded[support[place]]] += room.weights[place]
            result[row, column] = np.argmax(indicator)


class KrigingRoom(NamedTuple):
    """What kriging from k places writes to: covariances, (k, k), and weights and ones, (k,)."""

    matrix: NDArray[np.float64]
    weights: NDArray[np.float64]
    ones: NDArray[np.float64]


@compiled
def kriging_room(k: int) -> KrigingRoom:
    """Return the arrays that kriging from k places writes to."""
    return KrigingRoom(np.empty((k, k)), np.empty(k), np.empty(k))


@compiled
def krige(
    places: NDArray[np.int64],
    support: NDArray[np.int64],
    squared: NDArray[np.int64],
    room: KrigingRoom,
    table: NDArray[np.float64],
) -> None:
    """Fill `room.weights` with those of the places `support`, whose squared distances from the pixel are given."""
    scale = max(1.0, math.sqrt(squared[-1]) / WIDE)
    _fill_system(places, support, squared, scale, room, table)
    room.ones[:] = 1.0
    _solve(room.matrix, room.weights, room.ones)


@compiled
def covariance_table() -> NDArray[np.float64]:
    """Return the covariance at every squared distance that places not wider apart than `WIDE` can have."""
    table = np.empty(TABULATED)
    for squared in range(TABULATED):
        table[squared] = _covariance(squared, 1.0)
    return table


@compiled
def _covariance(squared: float, scale: float) -> float:
    """Return the covariance of two indicators whose squared distance is given, pixels^2."""
    squared /= scale * scale
    return SMOOTH * math.exp(-0.5 * squared / SMOOTH_LENGTH**2) + (1 - SMOOTH) * math.exp(
        -math.sqrt(squared) / ROUGH_LENGTH
    )


@compiled
def _fill_system(
    places: NDArray[np.int64],
    support: NDArray[np.int64],
    squared: NDArray[np.int64],
    scale: float,
    room: KrigingRoom,
    table: NDArray[np.float64],
) -> None:
    """Fill in the covariances of the places with each other, lower triangle, and with the pixel."""
    tabulated = scale == 1.0
    for one in range(len(support)):
        row, column = places[support[one], 0], places[support[one], 1]
        for two in range(one):
            apart = (row - places[support[two], 0]) ** 2 + (column - places[support[two], 1]) ** 2
            room.matrix[one, two] = table[apart] if tabulated else _covariance(apart, scale)
        room.matrix[one, one] = 1.0 + NUGGET
        room.weights[one] = table[squared[one]] if tabulated else _covariance(squared[one], scale)


@compiled
def _solve(matrix: NDArray[np.float64], weights: NDArray[np.float64], ones: NDArray[np.float64]) -> None:
    """Turn covariances into ordinary kriging weights, which sum to 1, by Cholesky's decomposition; all in place."""
    k = len(weights)
    for one in range(k):
        own, right, rest = matrix[one], weights[one], ones[one]
        pivot = own[one]
        for two in range(one):
            other, value = matrix[two], own[two]
            for inner in range(two):
                value -= own[inner] * other[inner]
            value /= other[two]
            own[two] = value
            pivot -= value * value
            right -= value * weights[two]
            rest -= value * ones[two]
        own[one] = math.sqrt(pivot)
        weights[one] = right / own[one]
        ones[one] = rest / own[one]
    mean = (1.0 - (weights * ones).sum()) / (ones * ones).sum()
    for one in range(k - 1, -1, -1):
        weights[one] += mean * ones[one]
    for one in range(k - 1, -1, -1):
        for two in range(one + 1, k):
            weights[one] -= matrix[two, one] * weights[two]
        weights[one] /= matrix[one, one]
