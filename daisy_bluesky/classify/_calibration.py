"""Quantities that depend on how many counts a spectrum has."""

import numpy as np
from numpy.typing import ArrayLike

from daisy_bluesky.classify._counts import Floats


class CountCurve:
    """Values tabulated against total counts, interpolated linearly in the logarithm of the counts.

    Parameters
    ----------
    counts : (levels,) array_like
        Total counts, rising.
    values : (levels,) array_like
        The value at each.
    """

    def __init__(self, counts: ArrayLike, values: ArrayLike) -> None:
        self.counts, self.values = np.asarray(counts, np.float64), np.asarray(values, np.float64)
        self._logarithms = np.log(self.counts)

    def __call__(self, totals: Floats) -> Floats:
        """Return the values at total counts (n,); beyond the ends the end values hold."""
        return np.asarray(np.interp(np.log(np.maximum(totals, 1.0)), self._logarithms, self.values), np.float64)


def check_false_alarm_rate(rate: float) -> float:
    """Return `rate` when it lies between 0 and 0.5.

    Raises
    ------
    ValueError
        When it does not.
    """
    if not 0 < rate < 0.5:
        raise ValueError(f"false_alarm_rate must lie between 0 and 0.5, not {rate}")
    return float(rate)
