"""How often measured labels differ from what was there before, against how often they were expected to."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import QUIET
from daisy_bluesky.sampling._regression import Regression, surprise

# Measurements that count, as a fraction of the pixels, and at least so many; those of quiet places all count.
MEMORY, SHORTEST = 0.03, 100
# Surprises added to both counts, so that a few measurements say little.
PRIOR = 5.0, 1.0


@compiled
def take_note(
    pixels: NDArray[Any], row: int, column: int, label: int, regression: Regression, tally: NDArray[np.float64]
) -> None:
    """Count a first valid label that is about to be set; older ones fade.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field before the measurement, up to date.
    row, column : int
        The pixel.
    label : int
        What was measured; 0, a failed spectrum, is not counted.
    regression : Regression
        What was learned.
    tally : (2, 2) float64
        Surprises met and expected, elsewhere and in quiet places.
    """
    pixel = pixels[row, column]
    if label == 0 or pixel.sample != 0 or pixel.neighbours[0] < 0:
        return
    expected = surprise(pixels, row, column, regression)
    quiet = int(expected < QUIET)
    if not quiet:
        tally[0] *= 1.0 - 1.0 / max(MEMORY * pixels.size, SHORTEST)
    tally[quiet, 0] += label != pixel.label
    tally[quiet, 1] += expected


def surprise_ratios(tally: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many times more surprises were met than expected, (2,) float64: elsewhere and in quiet places."""
    return (tally[:, 0] + PRIOR) / (tally[:, 1] + PRIOR)
