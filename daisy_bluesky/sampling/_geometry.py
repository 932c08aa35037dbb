"""Where a pixel's neighbours lie and what they say, in a frame of their own: the same however the map is turned."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import FEATURES, features
from daisy_bluesky.sampling._field import MASK, NEIGHBOURS, SHIFT

PER_NEIGHBOUR = 4
AROUND = 4
INPUTS = FEATURES + PER_NEIGHBOUR * NEIGHBOURS + 3 + AROUND
# How much a neighbour that agrees counts against one that does not when the frame is oriented.
AGREEING = 0.2


@compiled
def describe(
    pixels: NDArray[Any], row: int, column: int, scratch: NDArray[np.float64], out: NDArray[np.float32]
) -> None:
    """Fill `out`, (INPUTS,), for a pixel without a sample and with at least one neighbour.

    First the summarising features. Then for each neighbour whether it agrees with the label (1 or -1), the cosine and
    sine of its direction times that, and the logarithm of its distance over that of the nearest; directions are counted
    from the nearest, towards the side on which more neighbours disagree. Last the distance of the nearest (log), those
    of the two nearest borders, and which of the four pixels around carry another label.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field; lists and labels up to date.
    row, column : int
        The pixel.
    scratch : (FEATURES,) float64
        For the features.
    out : (INPUTS,) float32
        The result.
    """
    features(pixels, row, column, scratch)
    for slot in range(FEATURES):
        out[slot] = scratch[slot]
    pixel = pixels[row, column]
    first = pixel.neighbours[0]
    rows_on, columns_on = (first >> SHIFT) - row, (first & MASK) - column
    nearest = math.sqrt(rows_on * rows_on + columns_on * columns_on)
    along_rows, along_columns = rows_on / nearest, columns_on / nearest
    side = _side(pixels, row, column, along_rows, along_columns)
    for slot in range(NEIGHBOURS):
        start = FEATURES + PER_NEIGHBOUR * slot
        neighbour = pixel.neighbours[slot]
        if neighbour < 0:
            out[start : start + PER_NEIGHBOUR] = 0.0
            continue
        rows_on, columns_on = (neighbour >> SHIFT) - row, (neighbour & MASK) - column
        distance = math.sqrt(rows_on * rows_on + columns_on * columns_on)
        agrees = 1.0 if pixels[neighbour >> SHIFT, neighbour & MASK].sample == pixel.label else -1.0
        out[start] = agrees
        out[start + 1] = agrees * (along_rows * rows_on + along_columns * columns_on) / distance
        out[start + 2] = agrees * side * (along_columns * rows_on - along_rows * columns_on) / distance
        out[start + 3] = math.log(distance / nearest)
    _surroundings(pixels, row, column, nearest, out[FEATURES + PER_NEIGHBOUR * NEIGHBOURS :])


@compiled
def _side(pixels: NDArray[Any], row: int, column: int, along_rows: float, along_columns: float) -> float:
    """Return 1 or -1: on which side of the line to the nearest neighbour the others tend to disagree."""
    pixel = pixels[row, column]
    lean = 0.0
    for slot in range(1, NEIGHBOURS):
        neighbour = pixel.neighbours[slot]
        if neighbour < 0:
            break
        rows_on, columns_on = (neighbour >> SHIFT) - row, (neighbour & MASK) - column
        disagrees = pixels[neighbour >> SHIFT, neighbour & MASK].sample != pixel.label
        weight = 1.0 if disagrees else AGREEING
        lean += weight * (along_columns * rows_on - along_rows * columns_on) / (rows_on**2 + columns_on**2)
    return 1.0 if lean >= 0.0 else -1.0


@compiled
def _surroundings(pixels: NDArray[Any], row: int, column: int, nearest: float, out: NDArray[np.float32]) -> None:
    """Fill in distances to what lies around, and which of the four pixels beside carry another label."""
    rows, columns = pixels.shape
    to_rows, to_columns = min(row + 1, rows - row), min(column + 1, columns - column)
    out[0] = math.log(nearest)
    out[1] = min(min(to_rows, to_columns) / (4.0 * nearest), 1.0)
    out[2] = min(max(to_rows, to_columns) / (4.0 * nearest), 1.0)
    label = pixels[row, column].label
    out[3] = row > 0 and pixels[row - 1, column].label != label
    out[4] = row < rows - 1 and pixels[row + 1, column].label != label
    out[5] = column > 0 and pixels[row, column - 1].label != label
    out[6] = column < columns - 1 and pixels[row, column + 1].label != label
