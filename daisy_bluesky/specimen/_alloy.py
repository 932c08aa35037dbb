"""A hot-worked titanium aluminide: grains and lamellae of two phases, and a few precipitates poor in titanium."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._phantom_discs import scatter_discs
from daisy_bluesky.specimen._phantom_grains import grains
from daisy_bluesky.specimen._phase import Phase

_FOIL = 100.0  # nm

ALLOY_PHASES = (
    Phase("TiAl", {"Ti": 0.52, "Al": 0.48}, 3.9, _FOIL),
    Phase("Ti3Al", {"Ti": 0.68, "Al": 0.32}, 4.2, _FOIL),
    Phase("TiAl3", {"Ti": 0.26, "Al": 0.74}, 3.4, _FOIL),
)
"""Matrix, second phase richer in titanium, and precipitates that are poor in it."""

_COUNT = 16
_DIAMETERS = 0.035, 0.09  # of the field


def alloy_labels(shape: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """Return which of `ALLOY_PHASES` lies where, (rows, columns) uint8 from 1."""
    rng = np.random.default_rng(seed)
    labels = np.where(grains(shape, 2, rng) == 2, 2, 1).astype(np.uint8)
    side = float(np.sqrt(shape[0] * shape[1]))
    diameters = (_DIAMETERS[0] * side, _DIAMETERS[1] * side)
    scatter_discs(labels, 3, count=_COUNT, diameters=diameters, rng=rng)
    return labels
