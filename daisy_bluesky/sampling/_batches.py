"""Several measurements at once: spaced, so that they do not tell the same, and ordered for short beam travel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._evidence import Place
from daisy_bluesky.sampling._field import MASK, SHIFT, Summary
from daisy_bluesky.sampling._summary import best_place, ranked
from daisy_bluesky.sampling._tours import short_tour

SPACING = 1.5
# Candidates looked at for each place in a batch: so many first, and so many before the spacing is given up.
FIRST_POOL, POOL = 4, 64
# Scores are told apart by the upper bits of their float32 pattern, to find the largest without sorting all.
BUCKET_BITS = 18
BUCKETS = 1 << (31 - BUCKET_BITS)
PLACE = np.uint64((1 << 32) - 1)


def best_places(pixels: NDArray[Any], summary: Summary, n: int, last: Place | None, seed: list[int]) -> list[Place]:
    """Return up to n open pixels of large score; of no score, as when every visit so far has failed, at random.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field, up to date.
    summary : Summary
        What holds of its tiles and blocks.
    n : int
        How many pixels at most.
    last : tuple of int or None
        Where the probe is, (row, column).
    seed : list of int
        Seed of the choice at random.
    """
    best = best_place(summary)
    if best < 0:
        places = np.argwhere(~pixels["closed"])
        chosen = np.random.default_rng(seed).permutation(len(places))[:n]
        return [(int(row), int(column)) for row, column in places[chosen]]
    return [(best >> SHIFT, best & MASK)] if n == 1 else _spread(pixels, n, last)


def _spread(pixels: NDArray[Any], n: int, last: Place | None) -> list[Place]:
    """Return up to n open pixels of large score, apart from each other, in an order of short travel.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field, up to date.
    n : int
        How many pixels at most.
    last : tuple of int or None
        Where the probe is, (row, column).

    Returns
    -------
    list of (row, column)
        Each further from the better ones than 1.5 times its distance to the nearest measurement, as long as such
        pixels are found; then the best of the rest.
    """
    keys = np.sort(leading(pixels, POOL * n))
    for pool in (FIRST_POOL * n, POOL * n):
        best = (keys[:pool] & PLACE).astype(np.int64)
        candidates = np.stack(np.divmod(best, pixels.shape[1]), axis=1)
        nearest = pixels["neighbours"][candidates[:, 0], candidates[:, 1], 0]
        distance = np.hypot((nearest >> SHIFT) - candidates[:, 0], (nearest & MASK) - candidates[:, 1])
        chosen = np.zeros(len(candidates), bool)
        count = choose_apart(candidates, distance * SPACING, n, chosen)
        if count == n:
            break
    else:
        choose_apart(candidates, np.zeros(len(candidates)), n - count, chosen)
    return ordered(candidates[chosen], last)


def ordered(positions: NDArray[np.int64], last: Place | None) -> list[Place]:
    """Return positions, (n, 2), as (row, column) in an order of short travel from where the probe is."""
    start = positions[0] if last is None else np.array(last)
    return [(int(row), int(column)) for row, column in positions[short_tour(positions, start)]]


@compiled
def leading(pixels: NDArray[Any], n: int) -> NDArray[np.uint64]:
    """Return keys of the n largest ranks and a few more; sorted they are in falling order of rank, then by place.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field, up to date; what has a negative rank is left out.
    n : int
        How many are wanted.

    Returns
    -------
    (m,) uint64
        The lower half of a key is the place, row * columns + column; m is less than n where there are no more.
    """
    rows, columns = pixels.shape
    scores = np.empty(pixels.size, np.float32)
    patterns = scores.view(np.uint32)  # in the order of the scores, as these are not negative
    held = np.zeros(BUCKETS, np.int64)
    for row in range(rows):
        for column in range(columns):
            place = row * columns + column
            scores[place] = np.float32(ranked(pixels[row, column])) + np.float32(0.0)  # no negative zero
            if scores[place] >= 0:
                held[patterns[place] >> BUCKET_BITS] += 1
    lowest, count = BUCKETS - 1, held[BUCKETS - 1]
    while count < n and lowest > 0:
        lowest -= 1
        count += held[lowest]
    keys = np.empty(count, np.uint64)
    for place in range(len(scores) - 1, -1, -1):
        if scores[place] >= 0 and patterns[place] >> BUCKET_BITS >= lowest:
            count -= 1
            keys[count] = (np.uint64(PLACE - patterns[place]) << np.uint64(32)) + np.uint64(place)
    return keys


@compiled
def choose_apart(candidates: NDArray[np.int64], apart: NDArray[np.float64], n: int, chosen: NDArray[np.bool_]) -> int:
    """Choose up to n candidates, best first, none nearer to one chosen before than it asks for.

    Parameters
    ----------
    candidates : (m, 2) int64
        Positions (row, column), pixels, in falling order of score.
    apart : (m,) float64
        How far each must be from those chosen before it, pixels.
    n : int
        How many to choose.
    chosen : (m,) bool
        Set where chosen; those set before count as chosen.

    Returns
    -------
    int
        How many were added.
    """
    taken = np.flatnonzero(chosen)
    places = np.empty(len(taken) + n, np.int64)
    places[: len(taken)] = taken
    count = len(taken)
    for candidate in range(len(candidates)):
        if count == len(places):
            break
        free = not chosen[candidate]
        for other in places[:count]:
            rows = candidates[candidate, 0] - candidates[other, 0]
            columns = candidates[candidate, 1] - candidates[other, 1]
            if rows * rows + columns * columns < apart[candidate] ** 2:
                free = False
                break
        if free:
            chosen[candidate] = True
            places[count] = candidate
            count += 1
    return count - len(taken)
