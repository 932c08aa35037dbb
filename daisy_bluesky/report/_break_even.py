"""When a sparse map becomes better than a raster of equal time."""

from dataclasses import dataclass

import numpy as np

from daisy_bluesky.report._acquisition import Acquisition
from daisy_bluesky.report._outcome import GroundTruth, MapOutcome
from daisy_bluesky.report._raster_plans import RasterPlan
from daisy_bluesky.report._rasters import Classifier, SpectrumSource, best_outcome, gather_evidence
from daisy_bluesky.sampling import break_even_dwell, break_even_overhead

WINDOW = 128
"""Largest edge of the part of the field that rasters are tried on, pixels."""
FIRST_COUNTS = 1.0
STEP = 2.0


@dataclass(frozen=True)
class BreakEven:
    """What a raster needs for a map as good, and what follows for time.

    Attributes
    ----------
    counts : float
        Least mean counts a pixel with which a raster shows as little distortion; infinite where even the dwell of a
        visit at every pixel is not enough.
    dwell : float
        The dwell time of those counts, s.
    overhead : float
        Time between two exposures above which the sparse map is the better one at equal time, s; 0 where it is better
        without any; infinite where it never is.
    visit_dwell : float
        Dwell time of a visit below which the sparse map is the better one at equal time and the given overhead, s.
    electrons : float
        Electrons of that raster.
    """

    counts: float
    dwell: float
    overhead: float
    visit_dwell: float
    electrons: float


def break_even(
    sparse: MapOutcome,
    spent: Acquisition,
    measure: SpectrumSource,
    classifier: Classifier,
    truth: GroundTruth,
) -> BreakEven:
    """Find the dwell with which a raster shows as little distortion as a sparse map.

    Rasters of rising dwell are simulated on the middle of the field, at most 128 x 128 pixels, and compared with the
    sparse map there; between two of them the logarithm of the distortion is interpolated.

    Parameters
    ----------
    sparse : MapOutcome
        The sparse map.
    spent : Acquisition
        What it has spent.
    measure, classifier, truth
        As for `raster_rivals`.

    Returns
    -------
    BreakEven

    Notes
    -----
    The dwell time of a visit is right as long as the labels of the sparse map do not suffer from a shorter one.
    """
    window = _middle(spent.shape)
    inside = GroundTruth(truth.labels[window], truth.ill[window])
    wanted = inside.total_distortion(sparse.phase_map[window])
    rate = sparse.counts_per_spectrum / spent.dwell
    dwell = _needed_dwell(wanted, spent, rate, _shifted(measure, window), classifier, inside)
    return BreakEven(
        counts=dwell * rate,
        dwell=dwell,
        overhead=break_even_overhead(spent.fraction, spent.dwell, dwell),
        visit_dwell=break_even_dwell(spent.fraction, spent.overhead, dwell),
        electrons=dwell * spent.pixels * spent.electron_rate,
    )


def _needed_dwell(
    wanted: float,
    spent: Acquisition,
    rate: float,
    measure: SpectrumSource,
    classifier: Classifier,
    truth: GroundTruth,
) -> float:
    least = 1.0 / (2 * truth.labels.size)  # half a pixel, where a map has no wrong one
    dwell, before = FIRST_COUNTS / rate, (0.0, 1.0)
    while dwell < spent.dwell * STEP:
        dwell = min(dwell, spent.dwell)
        plan = RasterPlan("raster", truth.labels.shape, 1, dwell, 0.0, 0.0)
        found = best_outcome(gather_evidence(plan, measure, classifier), truth).total_distortion or 0.0
        if found <= wanted:
            return _interpolate(before, (dwell, max(found, least)), max(wanted, least))
        before = dwell, found
        dwell *= STEP
    return float("inf")


def _interpolate(low: tuple[float, float], high: tuple[float, float], wanted: float) -> float:
    if low[0] == 0 or low[1] <= high[1]:
        return high[0]
    position = np.log(low[1] / wanted) / np.log(low[1] / high[1])
    return float(low[0] * (high[0] / low[0]) ** np.clip(position, 0, 1))


def _middle(shape: tuple[int, int]) -> tuple[slice, slice]:
    first = [max(0, (size - WINDOW) // 2) for size in shape]
    return slice(first[0], first[0] + WINDOW), slice(first[1], first[1] + WINDOW)


def _shifted(measure: SpectrumSource, window: tuple[slice, slice]) -> SpectrumSource:
    return lambda rows, columns, dwell: measure(rows + window[0].start, columns + window[1].start, dwell)
