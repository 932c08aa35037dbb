"""Maps to look at: counts over exposure, smoothed where little was exposed."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter


def widened(
    counts: NDArray[np.float64], exposure: NDArray[np.float64], least: float, *, largest_radius: int
) -> NDArray[np.float64]:
    """Divide counts by exposure, each summed over as large a square as it takes to have been exposed enough.

    Parameters
    ----------
    counts : (n, rows, columns) float64
        Counts.
    exposure : (rows, columns) float64
        Exposure.
    least : float
        Exposure of a square that is enough, in that of a pixel of one frame.
    largest_radius : int
        Squares grow from 1 to ``2 largest_radius + 1`` output pixels.

    Returns
    -------
    (n, rows, columns) float64
        Counts per exposure, NaN where the largest square was not exposed at all.
    """
    totals, exposed = counts.copy(), exposure.copy()
    for radius in range(1, largest_radius + 1):
        low = exposed < least
        if not low.any():
            break
        side = 2 * radius + 1
        exposed[low] = side**2 * uniform_filter(exposure, side, mode="constant")[low]
        for total, count in zip(totals, counts, strict=True):
            total[low] = side**2 * uniform_filter(count, side, mode="constant")[low]
    exposed[exposed < 1e-9] = np.nan
    return np.asarray(totals / exposed)
