"""Phantom of dendrites that grew into a melt."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from daisy_bluesky.specimen._phantom_discs import scatter_discs


def dendrites(shape: tuple[int, int], phases: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the labels of dendrites (2) in a matrix (1), with pockets between them (3) and precipitates (4 and up)."""
    labels = np.ones(shape, dtype=np.uint8)
    if phases == 1:
        return labels
    side = float(np.sqrt(shape[0] * shape[1]))
    solid = np.zeros(shape, dtype=bool)
    spacing = 0.5 * side
    for row in np.arange(0.2 * side, shape[0] + 0.2 * side, spacing):
        for column in np.arange(0.2 * side, shape[1] + 0.2 * side, spacing):
            _grow(solid, np.array([row, column]) + rng.uniform(-0.08, 0.08, 2) * side, side, rng)
    labels[solid] = 2
    if phases > 2:
        labels[_pockets(solid, side)] = 3
    for label in range(4, phases + 1):
        scatter_discs(labels, label, count=round(0.1 * side), diameters=(3.0, 6.0), rng=rng)
    return labels


def _pockets(solid: NDArray[np.bool_], side: float) -> NDArray[np.bool_]:
    """Find the melt that froze last: the fifth of it that lies farthest from the dendrites."""
    remoteness = -gaussian_filter(solid.astype(np.float64), 0.022 * side)
    last = remoteness > np.quantile(remoteness[~solid], 0.8)
    return np.asarray(last & ~solid)


def _grow(solid: NDArray[np.bool_], centre: NDArray[np.float64], side: float, rng: np.random.Generator) -> None:
    """Draw one dendrite: four trunks, each with side arms that shorten towards the tip."""
    angle = rng.uniform(0, np.pi / 2)
    for trunk in range(4):
        forward = _direction(angle + trunk * np.pi / 2)
        length = side * rng.uniform(0.22, 0.36)
        _arm(solid, centre, centre + length * forward, 0.026 * side, 0.012 * side)
        for distance in np.arange(0.08 * side, 0.9 * length, 0.075 * side):
            for sideways in (-1, 1):
                reach = 0.6 * (length - distance) * rng.uniform(0.7, 1.1)
                root = centre + distance * forward
                tip = root + reach * _direction(angle + trunk * np.pi / 2 + sideways * np.pi / 2.2)
                _arm(solid, root, tip, 0.021 * side, 0.014 * side)


def _direction(angle: float) -> NDArray[np.float64]:
    return np.array([np.sin(angle), np.cos(angle)])


def _arm(
    solid: NDArray[np.bool_], root: NDArray[np.float64], tip: NDArray[np.float64], thick: float, thin: float
) -> None:
    """Draw a rounded bar that tapers from a half-width `thick` to `thin`."""
    first = np.maximum(np.floor(np.minimum(root, tip) - thick), 0).astype(np.int64)
    last = np.minimum(np.ceil(np.maximum(root, tip) + thick) + 1, solid.shape).astype(np.int64)
    if np.any(first >= last):
        return
    rows, columns = np.mgrid[first[0] : last[0], first[1] : last[1]]
    axis = tip - root
    along = ((rows - root[0]) * axis[0] + (columns - root[1]) * axis[1]) / max(float(axis @ axis), 1e-12)
    along = np.clip(along, 0, 1)
    distance = np.hypot(rows - root[0] - along * axis[0], columns - root[1] - along * axis[1])
    solid[first[0] : last[0], first[1] : last[1]] |= distance <= thick + along * (thin - thick)
