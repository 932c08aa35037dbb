"""How far predictions were from what was measured then, and what error of the maps follows from that."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

PART, FEWEST = 0.02, 50
# Error over the span below which it does not matter how many times off an estimate is.
LEAST_ERROR = 0.02
# `python -m daisy_bluesky.sampling.calibrate_stopping` made the next three lines.
SLOPES = (-1.741, -0.694, -0.131)
INTERVAL = (-0.540, 0.481)
LEAST_SIGNS, LARGEST_SIGNS = (1.0, -3.912, -3.811), (1.0, -0.279, -0.528)
UNKNOWN = (float("nan"),) * 3


class PredictionErrors:
    """The errors of the latest predictions.

    Parameters
    ----------
    pixels : int
        Size of the field: as many visits as 2% of it count, and at least 50.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._squares: deque[float] = deque(maxlen=max(FEWEST, round(PART * pixels)))
        self._count = 0

    def note(self, square: float) -> None:
        """Take in the squared error of a prediction, beyond noise; noise can make it negative."""
        self._squares.append(square)
        self._count += 1

    def signs(self) -> NDArray[np.float64] | None:
        """Return what tells of the error of the maps, (3,) float64; None before there are 50 predictions.

        1; the logarithm of the root of the mean square of the latest predictions' errors, raised by `LEAST_ERROR`; and
        that of how many predictions there were, over the pixels.
        """
        if len(self._squares) < FEWEST:
            return None
        root = np.sqrt(max(float(np.mean(self._squares)), 0.0))
        return np.array([1.0, np.log(root + LEAST_ERROR), np.log(self._count / self._pixels)])

    def estimate(self) -> tuple[float, float, float]:
        """Return the root mean square error of the maps over their span, and its 90% interval; nan where there is none.

        Visits go where most is expected, so predictions there err more than the maps do: how much more was fitted to
        generated maps, of several levels and noises, and so was the interval.
        """
        told = self.signs()
        if told is None:
            return UNKNOWN
        off = float(np.dot(SLOPES, np.clip(told, LEAST_SIGNS, LARGEST_SIGNS)))
        ends = np.exp(told[1] + off + np.array([0.0, *INTERVAL])) - LEAST_ERROR
        middle, low, high = np.clip(ends, 0.0, 1.0).tolist()
        return middle, low, high
