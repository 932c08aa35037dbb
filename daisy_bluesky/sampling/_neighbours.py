"""Exact lists of the nearest valid measurements, kept up to date one measurement at a time.

Ties are resolved by place: a list is sorted by (squared distance, row, column), so it does not depend on the order in
which measurements arrived. A place is one number, row * 2**SHIFT + column, which sorts the same way.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import FAR, MASK, NEIGHBOURS, SHIFT

CELL = 8
# As long as their square is no more than so many times the pixels, measurements are found quicker in a list.
FEW = 16


@compiled
def squared_distance(first: int, second: int) -> int:
    """Return the squared distance between two places, pixels^2."""
    rows_apart = (first >> SHIFT) - (second >> SHIFT)
    columns_apart = (first & MASK) - (second & MASK)
    return rows_apart * rows_apart + columns_apart * columns_apart


@compiled
def sample_at(pixels: NDArray[Any], place: int) -> int:
    """Return the sample at a place."""
    return int(pixels[place >> SHIFT, place & MASK].sample)


@compiled
def reaches(pixel: Any, sample: int, distance: int) -> bool:
    """Tell whether the measurement at place `sample` belongs in a pixel's list, or would enter it."""
    if distance != pixel.reach:
        return bool(distance < pixel.reach)
    return bool(sample <= pixel.neighbours[NEIGHBOURS - 1])


@compiled
def insert(pixel: Any, place: int, sample: int, distance: int) -> None:
    """Put the measurement at `sample` into the list of the pixel at `place`; the last neighbour falls out."""
    nearest = pixel.neighbours
    slot = NEIGHBOURS - 1
    while slot > 0:
        other = nearest[slot - 1]
        if other >= 0:
            apart = squared_distance(place, other)
            if apart < distance or (apart == distance and other < sample):
                break
        nearest[slot] = other
        slot -= 1
    nearest[slot] = sample
    last = nearest[NEIGHBOURS - 1]
    pixel.reach = FAR if last < 0 else squared_distance(place, last)


@compiled
def search(pixels: NDArray[Any], row: int, column: int) -> None:
    """Find a pixel's list anew, in growing square rings around it."""
    rows, columns = pixels.shape
    pixel, place = pixels[row, column], (row << SHIFT) + column
    _clear(pixel)
    widest = max(row, rows - 1 - row, column, columns - 1 - column)
    for ring in range(widest + 1):
        if ring * ring > pixel.reach:
            break
        for r in range(max(row - ring, 0), min(row + ring, rows - 1) + 1):
            step = 1 if abs(r - row) == ring else 2 * ring
            for c in range(column - ring, column + ring + 1, step):
                if c < 0 or c >= columns or pixels[r, c].sample == 0:
                    continue
                sample = (r << SHIFT) + c
                distance = squared_distance(place, sample)
                if reaches(pixel, sample, distance):
                    insert(pixel, place, sample, distance)


@compiled
def search_all(pixels: NDArray[Any]) -> None:
    """Find every list anew, in cells whose pixels share one set of possible neighbours."""
    rows, columns = pixels.shape
    every, near = np.empty(pixels.size, np.int32), np.empty(pixels.size, np.int32)
    total = _gather(pixels, 0, 0, rows + columns, every)
    few = total * total <= FEW * pixels.size
    for top in range(0, rows, CELL):
        for left in range(0, columns, CELL):
            row, column = min(top + CELL // 2, rows - 1), min(left + CELL // 2, columns - 1)
            if few:
                _select(pixels[row, column], (row << SHIFT) + column, every[:total])
                count = _within(every[:total], (row << SHIFT) + column, _radius(pixels[row, column]), near)
            else:
                search(pixels, row, column)
                count = _gather(pixels, row, column, _radius(pixels[row, column]), near)
            for r in range(top, min(top + CELL, rows)):
                for c in range(left, min(left + CELL, columns)):
                    _select(pixels[r, c], (r << SHIFT) + c, near[:count])


@compiled
def _clear(pixel: Any) -> None:
    """Empty a pixel's list."""
    for slot in range(NEIGHBOURS):
        pixel.neighbours[slot] = -1
    pixel.reach = FAR


@compiled
def _radius(centre: Any) -> int:
    """Return how far from the centre of a cell the neighbours of its pixels lie at most, by the list of the centre."""
    # Every pixel lies within 0.71 cells of the centre, so its neighbours lie within reach + 1.42 cells of it.
    return int(np.sqrt(centre.reach) + 1.5 * CELL) + 1


@compiled
def _within(every: NDArray[np.int32], place: int, radius: int, near: NDArray[np.int32]) -> int:
    """List those of some measurements that lie within `radius` of a place; return how many there are."""
    count = 0
    for sample in every:
        if squared_distance(place, sample) <= radius * radius:
            near[count] = sample
            count += 1
    return count


@compiled
def _gather(pixels: NDArray[Any], row: int, column: int, radius: int, found: NDArray[np.int32]) -> int:
    """List the measurements within `radius` of a pixel; return how many there are."""
    rows, columns = pixels.shape
    count = 0
    for r in range(max(row - radius, 0), min(row + radius, rows - 1) + 1):
        for c in range(max(column - radius, 0), min(column + radius, columns - 1) + 1):
            if pixels[r, c].sample != 0 and (r - row) ** 2 + (c - column) ** 2 <= radius * radius:
                found[count] = (r << SHIFT) + c
                count += 1
    return count


@compiled
def _select(pixel: Any, place: int, found: NDArray[np.int32]) -> None:
    """Fill a pixel's list from the measurements that may belong in it."""
    _clear(pixel)
    for sample in found:
        distance = squared_distance(place, sample)
        if reaches(pixel, sample, distance):
            insert(pixel, place, sample, distance)
