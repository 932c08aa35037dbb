"""What one more visit to a measured pixel is worth to an objective: where noise, not distance, is what limits."""

import math

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import FAR, NEIGHBOURS, SHIFT
from daisy_bluesky.sampling._local_structure import LEAST_BELIEF, TINY, UPPER, Room, structure
from daisy_bluesky.sampling._neighbours import squared_distance
from daisy_bluesky.sampling._objective_field import ObjectiveField

# Log odds that a pixel is on the level of its neighbours where these are all on one.
NEIGHBOURS_TELL = 4.0
MOST_ODDS = 30.0
# A first visit nearby tells of the pixel too, which the learned reduction knows and this does not.
CAUTION = 0.5


@compiled
def gain_again(field: ObjectiveField, objective: int, row: int, column: int, looked: Room) -> float:
    """Return the expected reduction in distortion of visiting a measured pixel again, pixels times the unit.

    The pixel lies on one of the two levels of its neighbourhood, a `gap` apart, and its mean of so many visits tells
    on which, as do its neighbours: log odds L. One more visit of variance v moves them by J = gap^2 / v on average,
    with a variance of J, so that the probability of the wrong level falls from 1 - p to
    p Phi(-(L + J/2) / sqrt J) + (1 - p) Phi((L - J/2) / sqrt J). What that saves is the gap, on as many pixels as the
    measured one speaks for. A pixel that many visits have left undecided lies between the levels, where it matters
    less which is taken for its own; so the number of visits divides.
    """
    if field.categorical[objective]:
        return 0.0
    found = structure(field, objective, row, column, looked)
    if found.belief < LEAST_BELIEF or found.gap <= 0.0:
        return 0.0
    visits = max(float(field.visits[row, column]), 1.0)
    value, noise = field.values[objective, row, column], max(field.noise[objective, row, column], TINY)
    odds = (value - found.middle) * found.gap / noise
    odds += NEIGHBOURS_TELL * _agreement(field, row, column, found.size, looked)
    saved = _saved(min(abs(odds), MOST_ODDS), found.gap**2 / (noise * visits))
    return CAUTION * found.belief * found.gap * saved * _share(field, row, column) / visits


@compiled
def _agreement(field: ObjectiveField, row: int, column: int, size: int, looked: Room) -> float:
    """Return which level the other neighbours are on: 1 for all on the upper one, -1 for all on the lower."""
    place, upper, lower = (row << SHIFT) + column, 0.0, 0.0
    for slot in range(size):
        neighbour = field.pixels[row, column].neighbours[slot]
        if neighbour != place:
            weight = 1.0 / max(squared_distance(place, neighbour), 1)
            if looked.codes[slot] == UPPER:
                upper += weight
            else:
                lower += weight
    return (upper - lower) / (upper + lower) if upper + lower > 0.0 else 0.0


@compiled
def _saved(odds: float, information: float) -> float:
    """Return by how much a visit is expected to lower the probability of the wrong level."""
    sure, spread = 1.0 / (1.0 + math.exp(-odds)), math.sqrt(information)
    wrong = sure * _below(-(odds + information / 2) / spread)
    wrong += (1.0 - sure) * _below((odds - information / 2) / spread)
    return max(1.0 - sure - wrong, 0.0)


@compiled
def _below(deviations: float) -> float:
    """Return the probability of the standard normal distribution below so many standard deviations."""
    return 0.5 * math.erfc(-deviations / math.sqrt(2.0))


@compiled
def _share(field: ObjectiveField, row: int, column: int) -> float:
    """Return how many pixels a measured pixel speaks for, by how dense measurements are there."""
    reach = field.pixels[row, column].reach
    return max(math.pi * reach / NEIGHBOURS, 1.0) if reach < FAR else 1.0
