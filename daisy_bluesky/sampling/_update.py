"""What a measurement changes, and nothing else: lists, labels, scores and tile summaries."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import vote
from daisy_bluesky.sampling._field import MASK, NEVER, QUIET, SHIFT, TILE
from daisy_bluesky.sampling._neighbours import insert, reaches, search, search_all, squared_distance
from daisy_bluesky.sampling._regression import Regression, rate, scratch


@compiled
def measure(
    pixels: NDArray[Any],
    tiles: NDArray[Any],
    queue: NDArray[np.int32],
    regression: Regression,
    row: int,
    column: int,
    label: int,
    closed: bool,
) -> None:
    """Set the sample of a pixel (0: none) and whether it is closed, and update what depends on them."""
    before = int(pixels[row, column].sample)
    if before == label and pixels[row, column].closed == closed:
        return
    pixels[row, column].sample = label
    pixels[row, column].closed = closed
    count = _queue(pixels, row, column, queue, 0)
    if before != label:
        count = _update_lists(pixels, tiles, row, column, before, queue, count)
    _finish(pixels, tiles, queue[:count], regression)


@compiled
def close(
    pixels: NDArray[Any],
    tiles: NDArray[Any],
    queue: NDArray[np.int32],
    regression: Regression,
    closed: NDArray[np.bool_],
) -> None:
    """Set which pixels are closed, (rows, columns), and update what depends on it."""
    count = 0
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            if pixels[row, column].closed != closed[row, column]:
                pixels[row, column].closed = closed[row, column]
                count = _queue(pixels, row, column, queue, count)
    _finish(pixels, tiles, queue[:count], regression)


@compiled
def _update_lists(
    pixels: NDArray[Any],
    tiles: NDArray[Any],
    row: int,
    column: int,
    before: int,
    queue: NDArray[np.int32],
    count: int,
) -> int:
    """Bring lists and labels up to date where a sample changed; return the length of the queue of touched places.

    Only pixels in whose list the sample is, or which it enters, change; then the scores beside changed labels.
    """
    for tile_row in range(tiles.shape[0]):
        rows_outside = _outside(row, tile_row)
        for tile_column in range(tiles.shape[1]):
            columns_outside = _outside(column, tile_column)
            if rows_outside**2 + columns_outside**2 <= tiles[tile_row, tile_column].reach:
                count = _update_tile(pixels, tile_row, tile_column, row, column, before, queue, count)
    return count


@compiled
def _outside(position: int, tile: int) -> int:
    """Return how far a row or column lies outside a tile."""
    return max(tile * TILE - position, position - (tile + 1) * TILE + 1, 0)


@compiled
def _update_tile(
    pixels: NDArray[Any],
    tile_row: int,
    tile_column: int,
    row: int,
    column: int,
    before: int,
    queue: NDArray[np.int32],
    count: int,
) -> int:
    """Bring the lists and labels of a tile up to date; return the length of the queue of touched places."""
    sample = (row << SHIFT) + column
    after = pixels[row, column].sample
    for r in range(tile_row * TILE, min((tile_row + 1) * TILE, pixels.shape[0])):
        for c in range(tile_column * TILE, min((tile_column + 1) * TILE, pixels.shape[1])):
            pixel, place = pixels[r, c], (r << SHIFT) + c
            distance = squared_distance(place, sample)
            if not reaches(pixel, sample, distance):
                continue
            if after == 0:
                search(pixels, r, c)
            elif before == 0:
                insert(pixel, place, sample, distance)
            count = _queue(pixels, r, c, queue, count)
            label = vote(pixels, r, c)
            if label != pixel.label:
                pixel.label = label
                count = _queue_around(pixels, r, c, queue, count)
    return count


@compiled
def _queue(pixels: NDArray[Any], row: int, column: int, queue: NDArray[np.int32], count: int) -> int:
    """Put a pixel into the queue, once, where it exists; return the queue's length."""
    if row < 0 or column < 0 or row >= pixels.shape[0] or column >= pixels.shape[1] or pixels[row, column].queued:
        return count
    pixels[row, column].queued = True
    queue[count] = (row << SHIFT) + column
    return count + 1


@compiled
def _queue_around(pixels: NDArray[Any], row: int, column: int, queue: NDArray[np.int32], count: int) -> int:
    """Put the four neighbours of a pixel into the queue; return its length."""
    count = _queue(pixels, row - 1, column, queue, count)
    count = _queue(pixels, row + 1, column, queue, count)
    count = _queue(pixels, row, column - 1, queue, count)
    return _queue(pixels, row, column + 1, queue, count)


@compiled
def _finish(pixels: NDArray[Any], tiles: NDArray[Any], queue: NDArray[np.int32], regression: Regression) -> None:
    """Rate the queued pixels again, empty the queue and summarise their tiles."""
    room = scratch()
    for place in queue:
        row, column = place >> SHIFT, place & MASK
        rate(pixels, row, column, regression, room)
        pixels[row, column].queued = False
        tiles[row // TILE, column // TILE].dirty = True
    for place in queue:
        tile_row, tile_column = (place >> SHIFT) // TILE, (place & MASK) // TILE
        if tiles[tile_row, tile_column].dirty:
            summarise(pixels, tiles, tile_row, tile_column)


@compiled
def summarise(pixels: NDArray[Any], tiles: NDArray[Any], tile_row: int, tile_column: int) -> None:
    """Bring a tile's largest reach and score and its sums of doubt up to date."""
    top, left = tile_row * TILE, tile_column * TILE
    reach, score, best = 0, NEVER, (top << SHIFT) + left
    doubt, quiet = 0.0, 0.0
    for row in range(top, min(top + TILE, pixels.shape[0])):
        for column in range(left, min(left + TILE, pixels.shape[1])):
            pixel = pixels[row, column]
            reach = max(reach, pixel.reach)
            if pixel.inside:
                doubt += pixel.doubt
                quiet += pixel.doubt if pixel.doubt < QUIET else 0.0
            if pixel.score > score:
                best, score = (row << SHIFT) + column, pixel.score
    tile = tiles[tile_row, tile_column]
    tile.reach, tile.score, tile.best, tile.dirty = reach, score, best, False
    tile.doubt, tile.quiet = doubt, quiet


@compiled
def rebuild(pixels: NDArray[Any], tiles: NDArray[Any], regression: Regression) -> None:
    """Compute everything anew from the samples."""
    search_all(pixels)
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            pixels[row, column].label = vote(pixels, row, column)
    rate_all(pixels, tiles, regression)


@compiled
def rate_all(pixels: NDArray[Any], tiles: NDArray[Any], regression: Regression) -> None:
    """Compute every score and every tile summary anew."""
    room = scratch()
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            rate(pixels, row, column, regression, room)
    for tile_row in range(tiles.shape[0]):
        for tile_column in range(tiles.shape[1]):
            summarise(pixels, tiles, tile_row, tile_column)


@compiled
def rate_one(pixels: NDArray[Any], row: int, column: int, regression: Regression) -> None:
    """Compute a pixel's list, label and score anew, whatever state the rest is in."""
    room = scratch()
    for rows_on, columns_on in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)):
        r, c = row + rows_on, column + columns_on
        if 0 <= r < pixels.shape[0] and 0 <= c < pixels.shape[1]:
            search(pixels, r, c)
            pixels[r, c].label = vote(pixels, r, c)
    rate(pixels, row, column, regression, room)


@compiled
def best_place(tiles: NDArray[Any]) -> int:
    """Return the place of the largest score, of equals the first in order of tiles; -1 when nothing is left."""
    best, score = -1, NEVER
    for tile_row in range(tiles.shape[0]):
        for tile_column in range(tiles.shape[1]):
            tile = tiles[tile_row, tile_column]
            if tile.score > score:
                best, score = tile.best, tile.score
    return int(best)
