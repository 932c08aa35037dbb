"""The best map from scattered labels: the same for adaptive and static sampling."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._kriging import Covariance, krige, kriging_room
from daisy_bluesky.sampling._nearest import Cells, cells_of, find_nearest

VOTERS = 10
SUPPORT = 16
# Chosen on generated maps and two dendrites sampled adaptively to 5 ... 20%.
OF_INDICATORS = Covariance(smooth=0.7, smooth_length=3.5, rough_length=10.0, nugget=0.15)


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
    _krige(cells_of(shape, places), coded.astype(np.int64), OF_INDICATORS, min(SUPPORT, len(places)), result)
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
def _krige(cells: Cells, coded: NDArray[np.int64], covariance: Covariance, k: int, result: NDArray[np.int64]) -> None:
    """Fill `result`, (rows, columns), with the code whose indicator, kriged from the k nearest places, is largest."""
    squared, support = np.empty(k, np.int64), np.empty(k, np.int64)
    room, indicator = kriging_room(k, covariance), np.empty(coded.max() + 1)
    for row in range(result.shape[0]):
        for column in range(result.shape[1]):
            find_nearest(cells, row, column, squared, support)
            first = coded[support[0]]
            if squared[0] == 0 or np.all(coded[support] == first):
                result[row, column] = first
                continue
            krige(cells.places, support, squared, covariance, room)
            indicator[:] = 0.0
            for place in range(k):
                indicator[coded[support[place]]] += room.weights[place]
            result[row, column] = np.argmax(indicator)
