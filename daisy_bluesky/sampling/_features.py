"""The weighted vote of a pixel's neighbours, and the summaries of them that predict what measuring it would bring."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import NEIGHBOURS, SHIFT
from daisy_bluesky.sampling._neighbours import sample_at, squared_distance

FEATURE_VERSION = 3
(
    WEIGHTED_DISAGREEMENT,
    RMS_DISAGREEMENT,
    NEAREST_DISTANCE,
    SPACING,
    VERTICAL_EDGE,
    HORIZONTAL_EDGE,
    NEARNESS,
    OPPOSITION,
    DISPUTED,
) = range(9)
FEATURES = 9


@compiled
def vote(pixels: NDArray[Any], row: int, column: int) -> int:
    """Return the label with the largest inverse-square-distance weight; of equals, that of the nearest."""
    pixel, place = pixels[row, column], (row << SHIFT) + column
    if pixel.sample != 0 or pixel.neighbours[0] < 0:
        return int(pixel.sample)
    if _agree(pixels, pixel):
        return sample_at(pixels, pixel.neighbours[0])
    best, largest = 0, 0.0
    for slot in range(NEIGHBOURS):
        if pixel.neighbours[slot] < 0:
            break
        label = sample_at(pixels, pixel.neighbours[slot])
        weight = _weight(pixels, pixel, place, slot, label)
        if weight > largest:
            best, largest = label, weight
    return int(best)


@compiled
def _agree(pixels: NDArray[Any], pixel: Any) -> bool:
    """Tell whether all neighbours carry the same label, as most do."""
    label = sample_at(pixels, pixel.neighbours[0])
    for slot in range(1, NEIGHBOURS):
        if pixel.neighbours[slot] >= 0 and sample_at(pixels, pixel.neighbours[slot]) != label:
            return False
    return True


@compiled
def _weight(pixels: NDArray[Any], pixel: Any, place: int, first: int, label: int) -> float:
    """Return the weight of a label whose nearest voter is in slot `first`; 0 where a nearer one has cast its vote."""
    for slot in range(first):
        if sample_at(pixels, pixel.neighbours[slot]) == label:
            return 0.0
    weight = 0.0
    for slot in range(first, NEIGHBOURS):
        neighbour = pixel.neighbours[slot]
        if neighbour >= 0 and sample_at(pixels, neighbour) == label:
            weight += 1.0 / squared_distance(place, neighbour)
    return weight


@compiled
def features(pixels: NDArray[Any], row: int, column: int, out: NDArray[np.float64]) -> None:
    """Fill the first FEATURES of `out` for a pixel without a sample and with at least one neighbour.

    Six features of SLADS in their form for labels: weighted and root-mean-square disagreement of the neighbours with
    the reconstruction, distance of the nearest (log), spacing of the neighbours (log, a density), and label edges along
    columns and rows. Three more describe the nearest neighbour that disagrees: how near it is relative to the nearest,
    whether it lies opposite to it, and whether there is one.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), equation 6; Godaliyadda et al., "A supervised learning approach for dynamic
    sampling" (SLADS), from which the six features come.
    """
    pixel, place = pixels[row, column], (row << SHIFT) + column
    total, against = 0.0, 0.0
    count, dissenters = 0, 0
    other, last = -1, 1
    for slot in range(NEIGHBOURS):
        neighbour = pixel.neighbours[slot]
        if neighbour < 0:
            break
        last = squared_distance(place, neighbour)
        total += 1.0 / last
        count += 1
        if sample_at(pixels, neighbour) != pixel.label:
            against += 1.0 / last
            dissenters += 1
            other = neighbour if other < 0 else other
    out[WEIGHTED_DISAGREEMENT] = against / total
    out[RMS_DISAGREEMENT] = math.sqrt(dissenters / count)
    out[NEAREST_DISTANCE] = 0.5 * math.log(squared_distance(place, pixel.neighbours[0]))
    out[SPACING] = 0.5 * math.log(last)
    _edges(pixels, row, column, out)
    _dispute(place, pixel.neighbours[0], other, out)


@compiled
def _edges(pixels: NDArray[Any], row: int, column: int, out: NDArray[np.float64]) -> None:
    """Fill in how many of the neighbouring pixels in the column and in the row carry another label."""
    rows, columns = pixels.shape
    label = pixels[row, column].label
    above = row > 0 and pixels[row - 1, column].label != label
    below = row < rows - 1 and pixels[row + 1, column].label != label
    left = column > 0 and pixels[row, column - 1].label != label
    right = column < columns - 1 and pixels[row, column + 1].label != label
    out[VERTICAL_EDGE] = 0.5 * (above + below)
    out[HORIZONTAL_EDGE] = 0.5 * (left + right)


@compiled
def _dispute(place: int, nearest: int, other: int, out: NDArray[np.float64]) -> None:
    """Fill in what is known of the nearest neighbour that disagrees."""
    out[NEARNESS] = 1.0
    out[OPPOSITION] = 1.0
    out[DISPUTED] = 0.0
    if other >= 0:
        near, far = math.sqrt(squared_distance(place, nearest)), math.sqrt(squared_distance(place, other))
        out[NEARNESS] = near / far
        out[OPPOSITION] = math.sqrt(squared_distance(nearest, other)) / (near + far)
        out[DISPUTED] = 1.0
