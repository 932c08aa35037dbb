"""Quantities that depend on how many counts a spectrum has."""

import numpy as np
from numpy.typing import ArrayLike

from daisy_bluesky.classify._counts import Floats
from daisy_bluesky.compilation import compiled


class CountCurves:
    """Values tabulated against total counts, interpolated linearly in the logarithm of the counts.

    Parameters
    ----------
    counts : (levels,) array_like
        Total counts, rising.
    values : (levels, curves) array_like
        The values of each curve.
    """

    def __init__(self, counts: ArrayLike, values: ArrayLike) -> None:
        self.counts = np.asarray(counts, np.float64)
        self.values = np.ascontiguousarray(values, np.float64)
        self._logarithms = np.log(self.counts)

    def __call__(self, totals: Floats) -> Floats:
        """Return the curves' values at total counts (n,), (n, curves); beyond the ends the end values hold."""
        return _interpolated(totals, self._logarithms, self.values)


@compiled
def _interpolated(totals: Floats, logarithms: Floats, values: Floats) -> Floats:
    results = np.empty((len(totals), values.shape[1]))
    last = len(logarithms) - 1
    for row in range(len(totals)):
        place = min(max(np.log(max(totals[row], 1.0)), logarithms[0]), logarithms[last])
        above = min(max(np.searchsorted(logarithms, place), 1), last)
        share = (place - logarithms[above - 1]) / (logarithms[above] - logarithms[above - 1])
        for curve in range(values.shape[1]):
            results[row, curve] = values[above - 1, curve] + share * (values[above, curve] - values[above - 1, curve])
    return results


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
