"""When a sparse map becomes better than a raster of equal time."""

import math


def break_even_overhead(fraction: float, visit_dwell: float, raster_dwell: float) -> float:
    """Return the time between two exposures above which a sparse map takes less time than a raster as good, s.

    Parameters
    ----------
    fraction : float
        Part of the pixels that the sparse map visits.
    visit_dwell : float
        Its dwell time, s.
    raster_dwell : float
        Dwell time at every pixel that a raster needs for a map as good, s; infinite where it never is.

    Returns
    -------
    float
        0 where the sparse map is the faster one without any overhead, infinite where it visits all pixels.

    Notes
    -----
    With a fraction f of the pixels, a dwell t and an overhead o a visit, a raster of equal time has the dwell
    ``f t - (1 - f) o`` at every pixel. It is the worse one where that is less than what it needs; solved for o.
    """
    if fraction >= 1:
        return math.inf
    return max(0.0, (fraction * visit_dwell - raster_dwell) / (1 - fraction))


def break_even_dwell(fraction: float, overhead: float, raster_dwell: float) -> float:
    """Return the dwell time of a visit below which a sparse map takes less time than a raster as good, s.

    Parameters
    ----------
    fraction : float
        Part of the pixels that the sparse map visits.
    overhead : float
        Time between two exposures, s.
    raster_dwell : float
        As for `break_even_overhead`, solved for t.

    Returns
    -------
    float
        0 where the sparse map visits all pixels.
    """
    return 0.0 if fraction >= 1 else (raster_dwell + (1 - fraction) * overhead) / fraction
