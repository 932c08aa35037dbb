"""Where to measure before anything is known."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling import patterns
from daisy_bluesky.sampling._evidence import Place
from daisy_bluesky.sampling._field import NEIGHBOURS


def start_pattern(open_pixels: NDArray[np.bool_], fraction: float, seed: int) -> list[Place]:
    """Return the first measurements: a low-discrepancy pattern, at least as many as a pixel has neighbours.

    Parameters
    ----------
    open_pixels : (rows, columns) bool
        Where may be measured.
    fraction : float
        Part of these pixels.
    seed : int
        Seed of the pattern.
    """
    shape = (open_pixels.shape[0], open_pixels.shape[1])
    available = int(open_pixels.sum())
    wanted = min(max(round(fraction * available), NEIGHBOURS), available)
    drawn = 0
    found = np.empty((0, 2), np.int64)
    while len(found) < wanted:
        drawn = min(max(2 * drawn, 2 * wanted, 2), open_pixels.size)
        pattern = patterns.sobol(shape, drawn if drawn > 1 else 1.0, seed)
        found = pattern[open_pixels[pattern[:, 0], pattern[:, 1]]]
    return [(int(row), int(column)) for row, column in found[:wanted]]
