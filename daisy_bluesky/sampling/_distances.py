"""Distances between pixels: their squares are integers, so logarithms and inverses of most are looked up."""

import math

import numpy as np

from daisy_bluesky.compilation import compiled

# Squares of distances below 32 pixels: few neighbours are further away, and the tables stay in the fastest cache.
TABULATED = 1024
_SQUARES = np.maximum(np.arange(TABULATED), 1).astype(np.float64)
_LOGARITHMS = 0.5 * np.log(_SQUARES)
_INVERSES = 1.0 / np.sqrt(_SQUARES)


@compiled
def log_distance(squared: int) -> float:
    """Return the natural logarithm of a distance in pixels from its square, which is 1 or more."""
    return float(_LOGARITHMS[squared]) if squared < TABULATED else 0.5 * math.log(squared)


@compiled
def inverse_distance(squared: int) -> float:
    """Return 1 over a distance in pixels from its square, which is 1 or more."""
    return float(_INVERSES[squared]) if squared < TABULATED else 1.0 / math.sqrt(squared)
