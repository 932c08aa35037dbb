"""How exactly a total distortion is known: one pixel is the least it can change by."""

from math import ceil, log10, sqrt

from daisy_bluesky.report._format import DASH
from daisy_bluesky.report._outcome import MapOutcome

FEWEST_DIGITS = 4
FEW_PIXELS = 2
"""Wrong pixels more or fewer that mean nothing."""


def distortion(outcome: MapOutcome, value: float | None) -> str:
    """Return a total distortion with as many digits as a single wrong pixel of the map needs; a dash without one."""
    if value is None:
        return DASH
    digits = max(FEWEST_DIGITS, ceil(log10(outcome.phase_map.size)))
    return f"{value:.{digits}f}"


def as_good(own: MapOutcome, rival: MapOutcome) -> bool:
    """Tell whether two maps are as good as far as anybody can tell.

    Parameters
    ----------
    own, rival : MapOutcome
        Both with total distortion, or both with deviance.

    Returns
    -------
    bool
        True where their wrong pixels differ by no more than `FEW_PIXELS`, or by no more than the standard deviation
        of the difference of two such counts; without truth, where their deviances are the same as they are shown.
    """
    if own.total_distortion is None or rival.total_distortion is None:
        return f"{own.deviance:.4g}" == f"{rival.deviance:.4g}"
    mine, theirs = (round(outcome.phase_map.size * (outcome.total_distortion or 0.0)) for outcome in (own, rival))
    return abs(mine - theirs) <= max(FEW_PIXELS, sqrt(mine + theirs))
