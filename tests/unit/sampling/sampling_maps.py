"""Synthetic truth for the tests of sampling."""

import numpy as np
from scipy.ndimage import gaussian_filter


def random_field(side, seed, minority=0.4):
    """A two-phase map: a smooth random field cut at a level; labels 1 and 2."""
    smooth = gaussian_filter(np.random.default_rng(seed).standard_normal((side, side)), side / 16, mode="wrap")
    return (smooth < np.quantile(smooth, minority)).astype(np.int64) + 1
