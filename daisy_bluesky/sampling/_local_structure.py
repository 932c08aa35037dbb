"""What the nearest measurements say of an objective: one level, or two beside each other, within their noise."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import MASK, NEIGHBOURS, SHIFT
from daisy_bluesky.sampling._neighbours import squared_distance
from daisy_bluesky.sampling._objective_field import ObjectiveField

# Between the best split of ten equal values in noise (7 on average, 14 in one of twenty) and that of true levels.
CONVINCING = 13.0
LEAST_BELIEF = 0.05
LOWER, UPPER = 1, 2
TINY = 1e-30
SMALLEST_LEAD = 1e-12  # of weights that are added in another order


class Room(NamedTuple):
    """What looking at a pixel needs to write to, (NEIGHBOURS,) each: values, the same in order, weights and levels."""

    values: NDArray[np.float64]
    ordered: NDArray[np.float64]
    weights: NDArray[np.float64]
    codes: NDArray[np.int64]


@compiled
def room_for_structure() -> Room:
    """Return the arrays that `structure` writes to."""
    return Room(np.empty(NEIGHBOURS), np.empty(NEIGHBOURS), np.empty(NEIGHBOURS), np.empty(NEIGHBOURS, np.int64))


class Structure(NamedTuple):
    """Two levels, or one.

    Attributes
    ----------
    count : int
        Number of neighbours.
    belief : float
        Probability that there are two levels, not one with noise.
    gap : float
        What it costs to mistake one for the other; the unit of the objective.
    middle : float
        Value between the two levels.
    own : int
        Which level the pixel is on as far as is known: `LOWER` or `UPPER`, or its label.
    level : float
        Its value, or its label.
    noise : float
        Mean variance of the neighbours.
    """

    count: int
    belief: float
    gap: float
    middle: float
    own: int
    level: float
    noise: float


@compiled
def structure(field: ObjectiveField, objective: int, row: int, column: int, room: Room) -> Structure:
    """Return what a pixel's neighbours say; fill `room.codes` with the levels they are on."""
    place, noise, count = (row << SHIFT) + column, 0.0, 0
    for slot in range(NEIGHBOURS):
        neighbour = field.pixels[row, column].neighbours[slot]
        if neighbour < 0:
            break
        room.values[slot] = field.values[objective, neighbour >> SHIFT, neighbour & MASK]
        room.weights[slot] = 1.0 / max(squared_distance(place, neighbour), 1)
        noise += field.noise[objective, neighbour >> SHIFT, neighbour & MASK]
        count += 1
    if count == 0:
        return Structure(0, 0.0, 0.0, 0.0, 0, 0.0, 0.0)
    if field.categorical[objective]:
        return _labels(field, objective, count, room)
    return _levels(count, noise / count, room)


@compiled
def _levels(count: int, noise: float, room: Room) -> Structure:
    """Return what values say: two levels, as far as their difference is beyond the noise."""
    belief, gap, middle = _split(count, noise, room)
    totals, means = (0.0, 0.0), (0.0, 0.0)
    for slot in range(count):
        weight, value = room.weights[slot], room.values[slot]
        if value > middle:
            room.codes[slot] = UPPER
            totals, means = (totals[0], totals[1] + weight), (means[0], means[1] + weight * value)
        else:
            room.codes[slot] = LOWER
            totals, means = (totals[0] + weight, totals[1]), (means[0] + weight * value, means[1])
    overall = (means[0] + means[1]) / (totals[0] + totals[1])
    own = UPPER if totals[1] > totals[0] else LOWER
    mine = means[1] / totals[1] if own == UPPER else means[0] / totals[0]
    return Structure(count, belief, gap, middle, own, belief * mine + (1.0 - belief) * overall, noise)


@compiled
def _split(count: int, noise: float, room: Room) -> tuple[float, float, float]:
    """Split values in two, the sum of squares between the parts as large as can be: belief, gap and middle."""
    ordered, total = room.ordered, 0.0
    for slot in range(count):
        value = room.values[slot]
        total += value
        before = slot
        while before > 0 and ordered[before - 1] > value:
            ordered[before] = ordered[before - 1]
            before -= 1
        ordered[before] = value
    below, between, gap, middle = 0.0, 0.0, 0.0, ordered[count - 1]
    for lower in range(1, count):
        below += ordered[lower - 1]
        apart = (total - below) / (count - lower) - below / lower
        squares = apart * apart * lower * (count - lower) / count
        if squares > between and ordered[lower] > ordered[lower - 1]:
            between, gap, middle = squares, apart, 0.5 * (ordered[lower - 1] + ordered[lower])
    evidence = between / (noise + TINY)
    return 1.0 / (1.0 + math.exp(-min(evidence - CONVINCING, 50.0))), gap, middle


@compiled
def _labels(field: ObjectiveField, objective: int, count: int, room: Room) -> Structure:
    """Return what labels say: the label of the largest inverse-square weight, of equals that of the nearest."""
    codes, gap, differ = room.codes, 0.0, False
    for slot in range(count):
        codes[slot] = int(room.values[slot])
        gap = max(gap, field.importance[objective, codes[slot]])
        differ |= codes[slot] != codes[0]
    if not differ:
        return Structure(count, 0.0, gap, 0.0, codes[0], float(codes[0]), 0.0)
    best, heaviest = codes[0], 0.0
    for slot in range(count):
        weight = 0.0
        for other in range(count):
            if codes[other] == codes[slot]:
                weight += room.weights[other]
        if weight > heaviest + SMALLEST_LEAD:
            best, heaviest = codes[slot], weight
    return Structure(count, 1.0, gap, 0.0, best, float(best), 0.0)
