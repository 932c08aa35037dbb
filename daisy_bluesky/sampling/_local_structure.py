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
CONVINCING = 12.0
LEAST_BELIEF = 0.02
LOWER, UPPER = 1, 2
TINY = 1e-30


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
def structure(
    field: ObjectiveField, objective: int, row: int, column: int, values: NDArray[np.float64], codes: NDArray[np.int64]
) -> Structure:
    """Return what a pixel's neighbours say; fill `codes`, (NEIGHBOURS,), with the levels they are on."""
    place, noise, count = (row << SHIFT) + column, 0.0, 0
    for slot in range(NEIGHBOURS):
        neighbour = field.pixels[row, column].neighbours[slot]
        if neighbour < 0:
            break
        values[slot] = field.values[objective, neighbour >> SHIFT, neighbour & MASK]
        noise += field.noise[objective, neighbour >> SHIFT, neighbour & MASK]
        count += 1
    if count == 0:
        return Structure(0, 0.0, 0.0, 0.0, 0, 0.0, 0.0)
    if field.categorical[objective]:
        return _labels(field, objective, row, column, count, values, codes)
    noise /= count
    belief, gap, middle = _split(values[:count], noise)
    weights, upper, total, mean = np.empty(count), 0.0, 0.0, 0.0
    for slot in range(count):
        codes[slot] = UPPER if values[slot] > middle else LOWER
        weights[slot] = 1.0 / max(squared_distance(place, field.pixels[row, column].neighbours[slot]), 1)
        upper += weights[slot] if codes[slot] == UPPER else 0.0
        total += weights[slot]
        mean += weights[slot] * values[slot]
    own = UPPER if upper > 0.5 * total else LOWER
    same, mine = 0.0, 0.0
    for slot in range(count):
        if codes[slot] == own:
            same += weights[slot]
            mine += weights[slot] * values[slot]
    level = belief * mine / same + (1.0 - belief) * mean / total
    return Structure(count, belief, gap, middle, own, level, noise)


@compiled
def _split(values: NDArray[np.float64], noise: float) -> tuple[float, float, float]:
    """Split values in two, the sum of squares between the parts as large as can be: belief, gap and middle."""
    count = len(values)
    ordered = np.sort(values)
    below, total = 0.0, ordered.sum()
    between, gap, middle = 0.0, 0.0, ordered[count - 1]
    for lower in range(1, count):
        below += ordered[lower - 1]
        apart = (total - below) / (count - lower) - below / lower
        squares = apart * apart * lower * (count - lower) / count
        if squares > between:
            between, gap, middle = squares, apart, 0.5 * (ordered[lower - 1] + ordered[lower])
    evidence = between / (noise + TINY)
    return 1.0 / (1.0 + math.exp(-min(0.5 * (evidence - CONVINCING), 50.0))), gap, middle


@compiled
def _labels(
    field: ObjectiveField,
    objective: int,
    row: int,
    column: int,
    count: int,
    values: NDArray[np.float64],
    codes: NDArray[np.int64],
) -> Structure:
    """Return what labels say: the label of the largest inverse-square weight, of equals that of the nearest."""
    place, best, heaviest, gap, differ = (row << SHIFT) + column, 0, 0.0, 0.0, False
    for slot in range(count):
        codes[slot] = int(values[slot])
        gap = max(gap, field.importance[objective, codes[slot]])
        differ |= codes[slot] != codes[0]
    for slot in range(count):
        weight = 0.0
        for other in range(count):
            if codes[other] == codes[slot]:
                weight += 1.0 / max(squared_distance(place, field.pixels[row, column].neighbours[other]), 1)
        if weight > heaviest + 1e-12:
            best, heaviest = codes[slot], weight
    return Structure(count, 1.0 if differ else 0.0, gap, 0.0, best, float(best), 0.0)
