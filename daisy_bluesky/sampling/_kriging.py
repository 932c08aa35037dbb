"""Local ordinary kriging: the weights with which a pixel is predicted from the places nearest to it."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

# Distance of the farthest neighbour, pixels, beyond which lengths grow in proportion.
WIDE = 11.0
# Two places within `WIDE` of a pixel are at most twice that apart.
TABULATED = int(4 * WIDE**2) + 1


class Covariance(NamedTuple):
    """How alike two places are, as a function of their distance; 1 at a distance of 0.

    Attributes
    ----------
    smooth : float
        Share of the smooth (Gaussian) part; the rest is rough (exponential).
    smooth_length, rough_length : float
        Their lengths, pixels.
    nugget : float
        Variance of single places on top, which keeps them from bending what their neighbours say.
    """

    smooth: float
    smooth_length: float
    rough_length: float
    nugget: float


class KrigingRoom(NamedTuple):
    """What kriging from k places writes to: covariances, (k, k), weights and ones, (k,); and those tabulated."""

    matrix: NDArray[np.float64]
    weights: NDArray[np.float64]
    ones: NDArray[np.float64]
    table: NDArray[np.float64]


@compiled
def kriging_room(k: int, covariance: Covariance) -> KrigingRoom:
    """Return the arrays that kriging from k places writes to.

    The table holds the covariance at every squared distance that places not wider apart than `WIDE` can have.
    """
    table = np.empty(TABULATED)
    for squared in range(TABULATED):
        table[squared] = _at(squared, covariance, 1.0)
    return KrigingRoom(np.empty((k, k)), np.empty(k), np.empty(k), table)


@compiled
def krige(
    places: NDArray[np.int64],
    support: NDArray[np.int64],
    squared: NDArray[np.int64],
    covariance: Covariance,
    room: KrigingRoom,
) -> None:
    """Fill `room.weights` with those of the places `support`, whose squared distances from the pixel are given."""
    scale = max(1.0, math.sqrt(squared[-1]) / WIDE)
    _fill_system(places, support, squared, covariance, scale, room)
    room.ones[:] = 1.0
    _solve(room.matrix, room.weights, room.ones)


@compiled
def _at(squared: float, covariance: Covariance, scale: float) -> float:
    """Return the covariance at a squared distance, pixels^2, with lengths `scale` times as long."""
    squared /= scale * scale
    smooth = math.exp(-0.5 * squared / covariance.smooth_length**2)
    return covariance.smooth * smooth + (1 - covariance.smooth) * math.exp(
        -math.sqrt(squared) / covariance.rough_length
    )


@compiled
def _fill_system(
    places: NDArray[np.int64],
    support: NDArray[np.int64],
    squared: NDArray[np.int64],
    covariance: Covariance,
    scale: float,
    room: KrigingRoom,
) -> None:
    """Fill in the covariances of the places with each other, lower triangle, and with the pixel."""
    tabulated = scale == 1.0
    for one in range(len(support)):
        row, column = places[support[one], 0], places[support[one], 1]
        for two in range(one):
            apart = (row - places[support[two], 0]) ** 2 + (column - places[support[two], 1]) ** 2
            room.matrix[one, two] = room.table[apart] if tabulated else _at(apart, covariance, scale)
        room.matrix[one, one] = 1.0 + covariance.nugget
        room.weights[one] = room.table[squared[one]] if tabulated else _at(squared[one], covariance, scale)


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
