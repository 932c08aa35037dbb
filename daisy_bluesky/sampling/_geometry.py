"""Where a pixel's neighbours lie and what they say, in a frame of their own: the same however the map is turned."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._distances import inverse_distance, log_distance
from daisy_bluesky.sampling._features import FEATURES, features
from daisy_bluesky.sampling._field import MASK, NEIGHBOURS, SHIFT
from daisy_bluesky.sampling._neighbours import squared_distance

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
    nearest = squared_distance((row << SHIFT) + column, pixels[row, column].neighbours[0])
    _neighbours(pixels, row, column, nearest, out[FEATURES:])
    _surroundings(pixels, row, column, nearest, out[FEATURES + PER_NEIGHBOUR * NEIGHBOURS :])


@compiled
def _neighbours(pixels: NDArray[Any], row: int, column: int, nearest: int, out: NDArray[np.float32]) -> None:
    """Fill in what each neighbour says and where it lies, the nearest at a known squared distance."""
    pixel = pixels[row, column]
    first = pixel.neighbours[0]
    along_rows = ((first >> SHIFT) - row) * inverse_distance(nearest)
    along_columns = ((first & MASK) - column) * inverse_distance(nearest)
    lean = 0.0
    for slot in range(NEIGHBOURS):
        start, neighbour = PER_NEIGHBOUR * slot, pixel.neighbours[slot]
        if neighbour < 0:
            out[start : start + PER_NEIGHBOUR] = 0.0
            continue
        rows_on, columns_on = (neighbour >> SHIFT) - row, (neighbour & MASK) - column
        squared = rows_on * rows_on + columns_on * columns_on
        inverse = inverse_distance(squared)
        agrees = 1.0 if pixels[neighbour >> SHIFT, neighbour & MASK].sample == pixel.label else -1.0
        cosine = (along_rows * rows_on + along_columns * columns_on) * inverse
        sine = (along_columns * rows_on - along_rows * columns_on) * inverse
        if slot > 0:
            lean += (AGREEING if agrees > 0.0 else 1.0) * sine * inverse
        out[start] = agrees
        out[start + 1] = agrees * cosine
        out[start + 2] = agrees * sine
        out[start + 3] = log_distance(squared) - log_distance(nearest)
    if lean < 0.0:
        for slot in range(NEIGHBOURS):
            out[PER_NEIGHBOUR * slot + 2] *= np.float32(-1.0)


@compiled
def _surroundings(pixels: NDArray[Any], row: int, column: int, nearest: int, out: NDArray[np.float32]) -> None:
    """Fill in distances to what lies around, and which of the four pixels beside carry another label.

    The squared distance of the nearest neighbour is given.
    """
    rows, columns = pixels.shape
    to_rows, to_columns = min(row + 1, rows - row), min(column + 1, columns - column)
    quarter = 0.25 * inverse_distance(nearest)
    out[0] = log_distance(nearest)
    out[1] = min(min(to_rows, to_columns) * quarter, 1.0)
    out[2] = min(max(to_rows, to_columns) * quarter, 1.0)
    label = pixels[row, column].label
    out[3] = row > 0 and pixels[row - 1, column].label != label
    out[4] = row < rows - 1 and pixels[row + 1, column].label != label
    out[5] = column > 0 and pixels[row, column - 1].label != label
    out[6] = column < columns - 1 and pixels[row, column + 1].label != label
