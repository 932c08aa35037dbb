"""What a measurement changes, and nothing else: lists, labels, scores and tile summaries."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import vote
from daisy_bluesky.sampling._field import BLOCK, MASK, SHIFT, TILE, Summary
from daisy_bluesky.sampling._neighbours import insert, reaches, search, search_all, squared_distance
from daisy_bluesky.sampling._pairwise import rate_places
from daisy_bluesky.sampling._regression import Regression, rate, scratch
from daisy_bluesky.sampling._summary import mark, summarise, summarise_all


@compiled
def measure(
    pixels: NDArray[Any],
    summary: Summary,
    queue: NDArray[np.int32],
    regression: Regression,
    row: int,
    column: int,
    label: int,
    closed: bool,
) -> None:
    """Set the sample of a pixel (0: none) and whether it is closed, and update what depends on them."""
    count = set_sample(pixels, summary, queue, row, column, label, closed, 0)
    finish(pixels, summary, queue[:count], regression)


@compiled
def set_sample(
    pixels: NDArray[Any],
    summary: Summary,
    queue: NDArray[np.int32],
    row: int,
    column: int,
    label: int,
    closed: bool,
    count: int,
) -> int:
    """Set a sample, lists and labels, but no scores; return the length of the queue of touched places."""
    before = int(pixels[row, column].sample)
    if before == label and pixels[row, column].closed == closed:
        return count
    pixels[row, column].sample = label
    pixels[row, column].closed = closed
    count = enqueue(pixels, row, column, queue, count)
    if before != label:
        count = update_lists(pixels, summary, row, column, before, queue, count)
    return count


@compiled
def close(
    pixels: NDArray[Any],
    summary: Summary,
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
                count = enqueue(pixels, row, column, queue, count)
    finish(pixels, summary, queue[:count], regression)


@compiled
def update_lists(
    pixels: NDArray[Any],
    summary: Summary,
    row: int,
    column: int,
    before: int,
    queue: NDArray[np.int32],
    count: int,
) -> int:
    """Bring lists and labels up to date where a sample changed; return the length of the queue of touched places.

    Only pixels in whose list the sample is, or which it enters, change; then the scores beside changed labels.
    """
    for block_row in range(summary.blocks.shape[0]):
        rows_outside = _outside(row, block_row, TILE * BLOCK)
        for block_column in range(summary.blocks.shape[1]):
            columns_outside = _outside(column, block_column, TILE * BLOCK)
            if rows_outside**2 + columns_outside**2 <= summary.blocks[block_row, block_column].reach:
                count = _update_block(pixels, summary.tiles, block_row, block_column, row, column, before, queue, count)
    return count


@compiled
def _outside(position: int, square: int, side: int) -> int:
    """Return how far a row or column lies outside a square of the field."""
    return max(square * side - position, position - (square + 1) * side + 1, 0)


@compiled
def _update_block(
    pixels: NDArray[Any],
    tiles: NDArray[Any],
    block_row: int,
    block_column: int,
    row: int,
    column: int,
    before: int,
    queue: NDArray[np.int32],
    count: int,
) -> int:
    """Bring the lists and labels of a block up to date; return the length of the queue of touched places."""
    for tile_row in range(block_row * BLOCK, min((block_row + 1) * BLOCK, tiles.shape[0])):
        rows_outside = _outside(row, tile_row, TILE)
        for tile_column in range(block_column * BLOCK, min((block_column + 1) * BLOCK, tiles.shape[1])):
            columns_outside = _outside(column, tile_column, TILE)
            if rows_outside**2 + columns_outside**2 <= tiles[tile_row, tile_column].reach:
                count = _update_tile(pixels, tile_row, tile_column, row, column, before, queue, count)
    return count


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
            count = enqueue(pixels, r, c, queue, count)
            label = vote(pixels, r, c)
            if label != pixel.label:
                pixel.label = label
                count = _queue_around(pixels, r, c, queue, count)
    return count


@compiled
def enqueue(pixels: NDArray[Any], row: int, column: int, queue: NDArray[np.int32], count: int) -> int:
    """Put a pixel into the queue, once, where it exists; return the queue's length."""
    if row < 0 or column < 0 or row >= pixels.shape[0] or column >= pixels.shape[1] or pixels[row, column].queued:
        return count
    pixels[row, column].queued = True
    queue[count] = (row << SHIFT) + column
    return count + 1


@compiled
def _queue_around(pixels: NDArray[Any], row: int, column: int, queue: NDArray[np.int32], count: int) -> int:
    """Put the four neighbours of a pixel into the queue; return its length."""
    count = enqueue(pixels, row - 1, column, queue, count)
    count = enqueue(pixels, row + 1, column, queue, count)
    count = enqueue(pixels, row, column - 1, queue, count)
    return enqueue(pixels, row, column + 1, queue, count)


@compiled
def finish(pixels: NDArray[Any], summary: Summary, queue: NDArray[np.int32], regression: Regression) -> None:
    """Rate the queued pixels again, empty the queue and summarise their tiles."""
    rate_places(pixels, queue, regression)
    for place in queue:
        row, column = place >> SHIFT, place & MASK
        pixels[row, column].queued = False
        mark(summary, row, column)
    summarise(pixels, summary, queue)


@compiled
def rebuild(pixels: NDArray[Any], summary: Summary, regression: Regression) -> None:
    """Compute everything anew from the samples."""
    search_all(pixels)
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            pixels[row, column].label = vote(pixels, row, column)
    rate_all(pixels, summary, regression)


@compiled
def rate_all(pixels: NDArray[Any], summary: Summary, regression: Regression) -> None:
    """Compute every score and every tile summary anew."""
    places = np.empty(pixels.shape[1], np.int32)
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            places[column] = (row << SHIFT) + column
        rate_places(pixels, places, regression)
    summarise_all(pixels, summary)


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
