"""Several measurements at once: spaced, so that they do not tell the same, and ordered for short beam travel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._evidence import Place
from daisy_bluesky.sampling._field import MASK, SHIFT, TILE, Summary
from daisy_bluesky.sampling._summary import best_place, ranked
from daisy_bluesky.sampling._tours import short_tour

SPACING = 1.5
# Candidates looked at for each place in a batch: so many first, and so many before the spacing is given up.
FIRST_POOL, POOL = 4, 64
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
    return [(best >> SHIFT, best & MASK)] if n == 1 else _spread(pixels, summary, n, last)


def _spread(pixels: NDArray[Any], summary: Summary, n: int, last: Place | None) -> list[Place]:
    """Return up to n open pixels of large score, apart from each other, in an order of short travel.

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

    Returns
    -------
    list of (row, column)
        Each further from the better ones than 1.5 times its distance to the nearest measurement, as long as such
        pixels are found; then the best of the rest.
    """
    for pool in (FIRST_POOL * n, POOL * n):
        candidates = leading(pixels, summary, pool)
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


def leading(pixels: NDArray[Any], summary: Summary, n: int) -> NDArray[np.int64]:
    """Return the n pixels of largest rank, of equals the first by row and column.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field, up to date; what has a negative rank is left out.
    summary : Summary
        What holds of its tiles and blocks.
    n : int
        How many are wanted.

    Returns
    -------
    (m, 2) int64
        Positions (row, column), best first; m is less than n where there are no more.
    """
    keys = _promising(pixels, summary, n)
    if len(keys) > n:
        keys = np.partition(keys, n - 1)[:n]
    best = (np.sort(keys) & PLACE).astype(np.int64)
    return np.stack([best >> SHIFT, best & MASK], axis=1)


@compiled
def _promising(pixels: NDArray[Any], summary: Summary, n: int) -> NDArray[np.uint64]:
    """Return keys, rising with falling rank and then place, of all pixels that may be among the n of largest rank.

    As many tiles hold a pixel of the n-th largest of the tiles' own best ranks or more: what has less is left out.
    """
    tiles = summary.tiles
    bests = np.empty(tiles.size, np.float32)
    for row in range(tiles.shape[0]):
        for column in range(tiles.shape[1]):
            bests[row * tiles.shape[1] + column] = tiles[row, column].score
    least = max(np.partition(bests, len(bests) - n)[len(bests) - n], 0.0) if n <= len(bests) else 0.0
    count = 0
    keys = np.empty(np.count_nonzero(bests >= least) * TILE * TILE, np.uint64)
    rank = np.empty(1, np.float32)
    pattern = rank.view(np.uint32)  # in the order of the ranks, as these are not negative
    for tile in np.flatnonzero(bests >= least):
        top, left = tile // tiles.shape[1] * TILE, tile % tiles.shape[1] * TILE
        for row in range(top, min(top + TILE, pixels.shape[0])):
            for column in range(left, min(left + TILE, pixels.shape[1])):
                rank[0] = np.float32(ranked(pixels[row, column])) + np.float32(0.0)  # no negative zero
                if rank[0] >= least:
                    place = np.uint64((row << SHIFT) + column)
                    keys[count] = (np.uint64(PLACE - pattern[0]) << np.uint64(32)) + place
                    count += 1
    return keys[:count]


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
