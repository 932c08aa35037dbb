"""The nearest of scattered places, found in square cells around a pixel."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import FAR

# Places in a cell, on average.
CROWD = 3.0


class Cells(NamedTuple):
    """Places sorted into square cells.

    Attributes
    ----------
    places : (n, 2) int64
        Positions (row, column), pixels.
    members : (n,) int64
        Numbers of the places, cell by cell, in rising order within a cell.
    starts : (cell rows, cell columns + 1) int64
        Where the members of a cell begin, and where those of its row of cells end.
    side : int
        Of a cell, pixels.
    """

    places: NDArray[np.int64]
    members: NDArray[np.int64]
    starts: NDArray[np.int64]
    side: int


def cells_of(shape: tuple[int, int], places: NDArray[np.int64]) -> Cells:
    """Return places, (n, 2), at least one, of a field of `shape` sorted into cells."""
    side = max(1, round(math.sqrt(CROWD * shape[0] * shape[1] / len(places))))
    rows, columns = -(-shape[0] // side), -(-shape[1] // side)
    cell = places[:, 0] // side * columns + places[:, 1] // side
    ends = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=rows * columns))])
    starts = np.empty((rows, columns + 1), np.int64)
    starts[:, :-1] = ends[:-1].reshape(rows, columns)
    starts[:, -1] = ends[columns::columns]
    return Cells(places, np.argsort(cell, kind="stable"), starts, side)


def nearest_places(shape: tuple[int, int], places: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the numbers of the k nearest of places, (n, 2), of every pixel, (pixels, k), the nearest first."""
    nearest = np.empty((*shape, k), np.int64)
    _find_all(cells_of(shape, places), nearest)
    return nearest.reshape(-1, k)


@compiled
def _find_all(cells: Cells, nearest: NDArray[np.int64]) -> None:
    """Fill `nearest`, (rows, columns, k)."""
    squared = np.empty(nearest.shape[2], np.int64)
    for row in range(nearest.shape[0]):
        for column in range(nearest.shape[1]):
            find_nearest(cells, row, column, squared, nearest[row, column])


@compiled
def find_nearest(cells: Cells, row: int, column: int, squared: NDArray[np.int64], nearest: NDArray[np.int64]) -> None:
    """Find the nearest places of a pixel.

    Parameters
    ----------
    cells : Cells
        The places, at least as many as are asked for.
    row, column : int
        The pixel.
    squared, nearest : (k,) int64
        Filled with squared distances, pixels^2, and numbers of the places, by (squared distance, number).
    """
    squared[:] = FAR
    nearest[:] = -1
    side, (rows, columns) = cells.side, cells.starts.shape
    columns -= 1
    cell_row, cell_column = row // side, column // side
    for ring in range(rows + columns):
        top, left = cell_row - ring, cell_column - ring
        bottom, right = cell_row + ring, cell_column + ring
        for r in range(max(top, 0), min(bottom, rows - 1) + 1):
            if r in (top, bottom):
                _take(cells, r, max(left, 0), min(right, columns - 1), row, column, squared, nearest)
                continue
            if left >= 0:
                _take(cells, r, left, left, row, column, squared, nearest)
            if right < columns:
                _take(cells, r, right, right, row, column, squared, nearest)
        beyond = min(row - top * side, (bottom + 1) * side - 1 - row, column - left * side)
        beyond = min(beyond, (right + 1) * side - 1 - column) + 1
        if squared[-1] < beyond * beyond:
            break


@compiled
def _take(
    cells: Cells,
    cell_row: int,
    first: int,
    last: int,
    row: int,
    column: int,
    squared: NDArray[np.int64],
    nearest: NDArray[np.int64],
) -> None:
    """Insert the places of some cells of a row of cells where they are nearer than those found before."""
    for member in range(cells.starts[cell_row, first], cells.starts[cell_row, last + 1]):
        number = cells.members[member]
        away = (cells.places[number, 0] - row) ** 2 + (cells.places[number, 1] - column) ** 2
        slot = len(squared)
        while slot > 0 and (away < squared[slot - 1] or (away == squared[slot - 1] and number < nearest[slot - 1])):
            if slot < len(squared):
                squared[slot], nearest[slot] = squared[slot - 1], nearest[slot - 1]
            slot -= 1
        if slot < len(squared):
            squared[slot], nearest[slot] = away, number
