"""Orders of positions that make short ways for the probe."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

# A way is shortened in so many sweeps at most, by turning round parts of so many places at most.
SWEEPS, PART, LEAST_SAVED = 20, 100, 1e-9
# Positions to a cell of the grid in which the nearest is looked for, made anew when half of them are gone.
FILLED = 2.0


class _Cells(NamedTuple):
    """Positions by the cell of a square grid they lie in.

    Attributes
    ----------
    corner : (2,) int64
        (row, column) where the grid begins, pixels.
    side : int
        Side of a cell, pixels.
    first : (rows, columns) int64
        Where the positions of each cell begin among `members`.
    filled : (rows, columns) int64
        How many of them are left.
    members : (n,) int64
        Indices of positions.
    """

    corner: NDArray[np.int64]
    side: int
    first: NDArray[np.int64]
    filled: NDArray[np.int64]
    members: NDArray[np.int64]


@compiled
def short_tour(positions: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an order of positions, (n,) int64, that is a short way from `start`, (2,).

    Each time to the nearest one left, of equals the first; then parts of the way are turned round as long as that
    shortens it.
    """
    n = len(positions)
    order = np.empty(n, np.int64)
    if n == 0:
        return order
    left = np.ones(n, np.bool_)
    place = start
    cells = _sorted(positions, np.arange(n))
    for step in range(n):
        if 2 * (n - step) < len(cells.members):
            cells = _sorted(positions, np.flatnonzero(left))
        order[step] = _taken(positions, cells, place)
        left[order[step]] = False
        place = positions[order[step]]
    for _ in range(SWEEPS):
        if not _untangle(positions, start, order):
            break
    return order


@compiled
def _sorted(positions: NDArray[np.int64], members: NDArray[np.int64]) -> _Cells:
    """Return some of the positions by cells."""
    corner, last = positions[members[0]].copy(), positions[members[0]].copy()
    for member in members:
        corner, last = np.minimum(corner, positions[member]), np.maximum(last, positions[member])
    sides = last - corner + 1
    side = max(int(math.sqrt(FILLED * float(sides[0]) * float(sides[1]) / len(members))), 1)
    count = np.zeros(((sides[0] - 1) // side + 1, (sides[1] - 1) // side + 1), np.int64)
    for member in members:
        cell = (positions[member] - corner) // side
        count[cell[0], cell[1]] += 1
    first = (np.cumsum(count) - count.ravel()).reshape(count.shape)
    count[:] = 0
    found = np.empty_like(members)
    for member in members:
        cell = (positions[member] - corner) // side
        found[first[cell[0], cell[1]] + count[cell[0], cell[1]]] = member
        count[cell[0], cell[1]] += 1
    return _Cells(corner, side, first, count, found)


@compiled
def _taken(positions: NDArray[np.int64], cells: _Cells, place: NDArray[np.int64]) -> int:
    """Return the position nearest to a place, of equals that of the lowest index, and take it out of the cells."""
    row, column = (place[0] - cells.corner[0]) // cells.side, (place[1] - cells.corner[1]) // cells.side
    rows, columns = cells.filled.shape
    best, where, shortest = -1, -1, np.inf
    for ring in range(max(row, rows - 1 - row, column, columns - 1 - column) + 1):
        if ring > 1 and shortest < float((ring - 1) * cells.side) ** 2:
            break
        for r in range(max(row - ring, 0), min(row + ring, rows - 1) + 1):
            step = 1 if abs(r - row) == ring else max(2 * ring, 1)
            for c in range(column - ring, column + ring + 1, step):
                if c < 0 or c >= columns:
                    continue
                for slot in range(cells.first[r, c], cells.first[r, c] + cells.filled[r, c]):
                    member = cells.members[slot]
                    away = float((positions[member, 0] - place[0]) ** 2 + (positions[member, 1] - place[1]) ** 2)
                    if away < shortest or (away == shortest and member < best):
                        best, where, shortest = member, slot, away
    cell = (positions[best] - cells.corner) // cells.side
    cells.filled[cell[0], cell[1]] -= 1
    cells.members[where] = cells.members[cells.first[cell[0], cell[1]] + cells.filled[cell[0], cell[1]]]
    return int(best)


@compiled
def _untangle(positions: NDArray[np.int64], start: NDArray[np.int64], order: NDArray[np.int64]) -> bool:
    """Turn round every part of the way that is shorter backwards, parts of up to PART places; tell whether any was."""
    turned, count = False, len(order)
    way = np.empty((count + 1, 2), np.float64)
    way[0] = start
    for place in range(count):
        way[place + 1] = positions[order[place]]
    for first in range(1, count):
        step = _apart(way, first - 1, first)
        for last in range(first + 1, min(first - 1 + PART, count) + 1):
            saved = step - _apart(way, first - 1, last)
            if last < count:
                saved += _apart(way, last, last + 1) - _apart(way, first, last + 1)
            if saved > LEAST_SAVED:
                way[first : last + 1] = way[first : last + 1][::-1].copy()
                order[first - 1 : last] = order[first - 1 : last][::-1].copy()
                step = _apart(way, first - 1, first)
                turned = True
    return turned


@compiled
def _apart(way: NDArray[np.float64], one: int, other: int) -> float:
    """Return the distance between two places on a way, (n, 2), pixels."""
    rows, columns = way[one, 0] - way[other, 0], way[one, 1] - way[other, 1]
    return math.sqrt(rows * rows + columns * columns)
