"""What a distorted scan sees of a projected specimen: Gaussian columns, exact at every probe position."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

REACH = 5.0  # standard deviations of a column that are drawn
SLACK = 3.0  # px by which neighbouring probe positions may be displaced differently

Array = NDArray[np.float64]


@compiled
def add_columns(image: Array, displacement: Array, positions: Array, widths: Array, weights: Array) -> None:
    """Add Gaussian columns to an image, each pixel taken where its probe truly was.

    Parameters
    ----------
    image : (rows, columns) float64
        Added to in place.
    displacement : (rows, columns, 2) float64
        Where the probe was, from its pixel, px.
    positions : (n, 2) float64
        Where the columns are in the common frame, px.
    widths : (n,) float64
        Their standard deviations, px.
    weights : (n,) float64
        Their heights.
    """
    rows, columns = image.shape
    for k in range(len(positions)):
        y, x = positions[k]
        reach = REACH * widths[k]
        row, column = y, x
        for _ in range(3):
            near_row = min(max(round(row), 0), rows - 1)
            near_column = min(max(round(column), 0), columns - 1)
            row = y - displacement[near_row, near_column, 0]
            column = x - displacement[near_row, near_column, 1]
        first_row, last_row = max(0, int(row - reach - SLACK)), min(rows, int(row + reach + SLACK) + 2)
        first_column, last_column = max(0, int(column - reach - SLACK)), min(columns, int(column + reach + SLACK) + 2)
        for r in range(first_row, last_row):
            for c in range(first_column, last_column):
                dy = r + displacement[r, c, 0] - y
                dx = c + displacement[r, c, 1] - x
                square = dy * dy + dx * dx
                if square < reach * reach:
                    image[r, c] += weights[k] * np.exp(-0.5 * square / (widths[k] * widths[k]))
