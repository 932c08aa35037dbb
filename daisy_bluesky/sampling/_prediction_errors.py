"""How far predictions were from what was measured then."""

from collections import deque

import numpy as np

PART, FEWEST = 0.02, 50
QUANTILE = 1.645  # of the normal distribution, for an interval of 90%


class PredictionErrors:
    """The errors of the latest predictions.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels: as many visits as 2% of them count, and at least 50.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._squares: deque[float] = deque(maxlen=max(FEWEST, round(PART * shape[0] * shape[1])))

    def note(self, square: float) -> None:
        """Take in the squared error of a prediction, beyond noise; noise can make it negative."""
        self._squares.append(square)

    def estimate(self) -> tuple[float, float, float]:
        """Return the root of the mean square with its 90% interval, (estimate, low, high); nan before there are 50."""
        if len(self._squares) < FEWEST:
            return (float("nan"),) * 3
        squares = np.array(self._squares)
        mean, error = squares.mean(), squares.std() / np.sqrt(len(squares))
        roots = np.sqrt(np.maximum([mean, mean - QUANTILE * error, mean + QUANTILE * error], 0.0))
        return float(roots[0]), float(roots[1]), float(roots[2])
