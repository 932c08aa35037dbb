"""Odds of the gaps between non-zeros, in whole numbers, so that they are the same on every platform.

A gap is coded as its low bits, of equal odds, and a quotient, which is geometric. For each of 8 scales of the mean
gap and 64 steps within a scale the table holds where each of 32 quotients begins among 2**16 slots; the last of them
stands for 31 or more.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

QUOTIENTS = 32
SCALES = 8
STEPS = 64

_ONE = 2**32
_SLOTS = 2**16


def _beginnings(scale: int, step: int) -> list[int]:
    """Return the first slot of each quotient and the end of the last."""
    doublings = max(scale - 1, 0)
    odds = (_ONE << (7 if scale == 0 else 6)) // (2 * (STEPS + step) + 1) >> doublings  # of a non-zero in one place
    none = _ONE - odds
    for _ in range(doublings):
        none = none * none >> 32
    beginnings, left = [0], _ONE
    for quotient in range(1, QUOTIENTS):
        left = left * none >> 32
        beginning = max(_SLOTS - (left >> 16), beginnings[-1] + 1)
        beginnings.append(min(beginning, _SLOTS - QUOTIENTS + quotient))
    return [*beginnings, _SLOTS]


BEGINNINGS: Final[NDArray[np.uint32]] = np.array(
    [_beginnings(scale, step) for scale in range(SCALES) for step in range(STEPS)], np.uint32
)
"""(512, 33) uint32: row ``64 * scale + step``."""
