"""What a measurement changes for several objectives, and nothing else: lists, levels, gains and scores."""

import math

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import MASK, NEVER, SHIFT, TILE
from daisy_bluesky.sampling._local_structure import LEAST_BELIEF, LOWER, UPPER, Room, room_for_structure, structure
from daisy_bluesky.sampling._neighbours import insert, reaches, search, search_all, squared_distance
from daisy_bluesky.sampling._objective_again import gain_again
from daisy_bluesky.sampling._objective_field import ObjectiveField
from daisy_bluesky.sampling._regression import (
    REDUCTION,
    STEEPEST,
    SURPRISE,
    Regression,
    Scratch,
    predict,
    probability,
    scratch,
)
from daisy_bluesky.sampling._summary import mark, summarise, summarise_all
from daisy_bluesky.sampling._update import enqueue


@compiled
def renew(field: ObjectiveField, regression: Regression, row: int, column: int, before: bool) -> None:
    """Bring everything up to date where a pixel was measured, measured again, or lost its measurement.

    Parameters
    ----------
    field : ObjectiveField
        Its values and `sample` at the pixel are those of now.
    regression : Regression
        What was learned.
    row, column : int
        The pixel.
    before : bool
        Whether it had a valid measurement before.
    """
    pixels, tiles, queue = field.pixels, field.summary.tiles, field.queue
    count = enqueue(pixels, row, column, queue, 0)
    for tile_row in range(tiles.shape[0]):
        rows_outside = max(tile_row * TILE - row, row - (tile_row + 1) * TILE + 1, 0)
        for tile_column in range(tiles.shape[1]):
            columns_outside = max(tile_column * TILE - column, column - (tile_column + 1) * TILE + 1, 0)
            if rows_outside**2 + columns_outside**2 <= tiles[tile_row, tile_column].reach:
                count = _renew_tile(field, tile_row, tile_column, row, column, before, count)
    looked = room_for_structure()
    for place in queue[:count]:
        _set_levels(field, place >> SHIFT, place & MASK, looked)
    for number in range(count):
        r, c = queue[number] >> SHIFT, queue[number] & MASK
        for r_beside, c_beside in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            count = enqueue(pixels, r_beside, c_beside, queue, count)
    room = scratch()
    for place in queue[:count]:
        r, c = place >> SHIFT, place & MASK
        _rate(field, r, c, regression, looked, room)
        pixels[r, c].queued = False
        mark(field.summary, r, c)
    summarise(pixels, field.summary, queue[:count])


@compiled
def _renew_tile(
    field: ObjectiveField, tile_row: int, tile_column: int, row: int, column: int, before: bool, count: int
) -> int:
    """Bring a tile's neighbour lists up to date and queue the pixels they have changed for."""
    pixels, sample = field.pixels, (row << SHIFT) + column
    after = pixels[row, column].sample != 0
    for r in range(tile_row * TILE, min((tile_row + 1) * TILE, pixels.shape[0])):
        for c in range(tile_column * TILE, min((tile_column + 1) * TILE, pixels.shape[1])):
            pixel, place = pixels[r, c], (r << SHIFT) + c
            distance = squared_distance(place, sample)
            if not reaches(pixel, sample, distance):
                continue
            if not after:
                search(pixels, r, c)
            elif not before:
                insert(pixel, place, sample, distance)
            count = enqueue(pixels, r, c, field.queue, count)
    return count


@compiled
def _set_levels(field: ObjectiveField, row: int, column: int, looked: Room) -> None:
    for objective in range(len(field.factors)):
        field.level[objective, row, column] = structure(field, objective, row, column, looked).level


@compiled
def _rate(
    field: ObjectiveField,
    row: int,
    column: int,
    regression: Regression,
    looked: Room,
    room: Scratch,
) -> None:
    """Bring the gains and the score of a pixel up to date."""
    pixel = field.pixels[row, column]
    for objective in range(len(field.factors)):
        gain = 0.0
        if pixel.sample != 0:
            gain = gain_again(field, objective, row, column, looked)
        elif pixel.neighbours[0] >= 0:
            gain = _gain(field, objective, row, column, regression, looked, room)
        field.gain[objective, row, column] = gain
    combine_one(field, row, column)


@compiled
def _gain(
    field: ObjectiveField,
    objective: int,
    row: int,
    column: int,
    regression: Regression,
    looked: Room,
    room: Scratch,
) -> float:
    """Return the expected reduction in distortion of an objective, pixels times its unit.

    The learned reduction of a map of two labels, times what it costs to mistake the two levels, the probability that
    there are two, and the part of the difference that a measurement with so much noise tells.
    """
    found = structure(field, objective, row, column, looked)
    if found.belief < LEAST_BELIEF:
        return 0.0
    pixels = field.pixels
    for slot in range(found.size):
        neighbour = pixels[row, column].neighbours[slot]
        pixels[neighbour >> SHIFT, neighbour & MASK].sample = looked.codes[slot]
    pixels[row, column].label = found.own
    for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
        if 0 <= r < pixels.shape[0] and 0 <= c < pixels.shape[1]:
            level = field.level[objective, r, c]
            if field.categorical[objective]:
                pixels[r, c].label = int(level)
            else:
                pixels[r, c].label = UPPER if level > found.middle else LOWER
    predict(pixels, row, column, regression.weights, room)
    area = squared_distance((row << SHIFT) + column, pixels[row, column].neighbours[0])
    told = found.belief * found.gap * found.gap**2 / (found.gap**2 + found.noise)
    if field.lines[objective]:
        return math.sqrt(area) * probability(room.outputs[SURPRISE]) * told
    return area * math.exp(min(room.outputs[REDUCTION], STEEPEST)) * told


@compiled
def combine_one(field: ObjectiveField, row: int, column: int) -> None:
    """Make the score of a pixel from its gains.

    A measured one counts where it may be visited again, and that is worth more than exploring the pixel beside it.
    """
    pixel = field.pixels[row, column]
    measured = pixel.sample != 0
    score = 0.0
    for objective in range(len(field.factors)):
        score += field.factors[objective] * field.gain[objective, row, column]
    never = pixel.closed or pixel.neighbours[0] < 0
    if measured:
        never = not field.again[row, column] or score <= field.exploration[0]
    elif not never:
        score += field.exploration[0] * squared_distance((row << SHIFT) + column, pixel.neighbours[0])
    pixel.score = NEVER if never else score


@compiled
def combine_all(field: ObjectiveField) -> None:
    """Make every score anew from the gains, and summarise the field."""
    for row in range(field.pixels.shape[0]):
        for column in range(field.pixels.shape[1]):
            combine_one(field, row, column)
    summarise_all(field.pixels, field.summary)


@compiled
def rebuild(field: ObjectiveField, regression: Regression, lists: bool) -> None:
    """Compute everything anew from the measurements; neighbour lists only where asked for."""
    looked, room = room_for_structure(), scratch()
    if lists:
        search_all(field.pixels)
    for row in range(field.pixels.shape[0]):
        for column in range(field.pixels.shape[1]):
            _set_levels(field, row, column, looked)
    for row in range(field.pixels.shape[0]):
        for column in range(field.pixels.shape[1]):
            _rate(field, row, column, regression, looked, room)
    combine_all(field)
