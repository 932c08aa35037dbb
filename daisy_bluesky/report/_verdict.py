"""Says in plain words which map was the better one."""

from collections.abc import Sequence
from math import inf, isinf

from daisy_bluesky.report._break_even import BreakEven
from daisy_bluesky.report._format import duration, in_powers
from daisy_bluesky.report._outcome import MapOutcome
from daisy_bluesky.report._wrong_pixels import as_good, distortion

ALIKE = 0.03
"""Relative difference of electrons or seconds up to which they count as equal."""


def verdict(own: MapOutcome, rivals: Sequence[MapOutcome], even: BreakEven | None = None) -> list[str]:
    """Compare a map with its rivals, one line each.

    Parameters
    ----------
    own : MapOutcome
        The map of the run.
    rivals : sequence of MapOutcome
        What it stands beside.
    even : BreakEven, optional
        When the sparse map becomes the better one.

    Returns
    -------
    list of str
        First the conclusion, then what was reached, then one line for each rival, which says so where the raster would
        have been better, or is as good as far as anybody can tell; last what a raster needs for a map as good.

    Raises
    ------
    ValueError
        A map has neither total distortion nor deviance.
    """
    reached = f"{own.name}: {_quality(own)} from {100 * own.sampled_fraction:.3g} % of the pixels, {_price(own)}."
    lines = [_conclusion(own, rivals, even), reached, *(_compare(own, rival) for rival in rivals)]
    return lines if even is None else [*lines, *_break_even_lines(own, even)]


def _conclusion(own: MapOutcome, rivals: Sequence[MapOutcome], even: BreakEven | None) -> str:
    if not rivals:
        return "There is no raster to compare with."
    fair = [rival for rival in rivals if _same(own, rival)]
    alike = "; ".join(rival.name for rival in fair if _rank(own, rival) == 0)
    better = "; ".join(rival.name for rival in fair if _rank(own, rival) < 0)
    if not better:
        return f"No raster of equal price shows a better map{f'; as good: {alike}' if alike else ''}."
    sentence = f"The raster would have been better here ({better})."
    if even is None or not 0 < even.overhead < inf:
        return sentence
    return f"{sentence} At equal time the two break even at an overhead of {duration(even.overhead)} a visit."


def _compare(own: MapOutcome, rival: MapOutcome) -> str:
    prices = f"{_times(rival.electrons, own.electrons)} the electrons and {_times(rival.seconds, own.seconds)} the time"
    beginning = f"{rival.name}: {_quality(rival)} for {prices}"
    rank = _rank(own, rival)
    if rank == 0:
        noise = "" if _quality(own) == _quality(rival) else ", within a few pixels or their counting noise"
        return f"{beginning}: as good{noise}."
    if rank > 0:
        return f"{beginning}: worse."
    same = _same(own, rival)
    return (
        f"{beginning}: the raster would have been better here, {same}." if same else f"{beginning}: better, but dearer."
    )


def _rank(own: MapOutcome, rival: MapOutcome) -> int:
    """Return -1 for a better rival, 0 for one as good, 1 for a worse one."""
    mine, theirs = _figure(own), _figure(rival)
    return 0 if as_good(own, rival) else -1 if theirs < mine else 1


def _same(own: MapOutcome, rival: MapOutcome) -> str:
    """Return in what a rival costs no more than the map: electrons, time, both, or neither (an empty text)."""
    electrons = rival.electrons <= own.electrons * (1 + ALIKE)
    time = rival.seconds <= own.seconds * (1 + ALIKE)
    if electrons and time:
        return "for the same electrons and time"
    return "for the same electrons" if electrons else "in the same time" if time else ""


def _break_even_lines(own: MapOutcome, even: BreakEven) -> list[str]:
    if isinf(even.counts):
        return ["No raster with up to the dwell of a visit at every pixel shows as little distortion."]
    needed = f"{even.counts:.3g} counts a pixel ({duration(even.dwell)})"
    price = f"{_times(even.electrons, own.electrons)} the electrons of this map"
    lines = [f"For a map as good, a raster needs {needed}: {price}."]
    if even.overhead == 0:
        lines.append("Break-even: at equal time this map is the better one whatever the overhead of a visit.")
    elif not isinf(even.overhead):
        above, below = duration(even.overhead), duration(even.visit_dwell)
        lines.append(
            f"Break-even: at equal time this map is the better one where a visit costs more than {above} beside its "
            f"dwell, or, with the overhead it had, takes less than {below} of dwell."
        )
    return lines


def _figure(outcome: MapOutcome) -> float:
    judged = outcome.deviance if outcome.total_distortion is None else outcome.total_distortion
    if judged is None:
        raise ValueError(f"{outcome.name}: it has neither total distortion nor deviance; judge it before comparing")
    return judged


def _quality(outcome: MapOutcome) -> str:
    if outcome.total_distortion is None:
        return f"deviance {_figure(outcome):.4g} a pixel"
    return f"total distortion {distortion(outcome, outcome.total_distortion)}"


def _price(outcome: MapOutcome) -> str:
    return f"{in_powers(outcome.electrons)} electrons, {duration(outcome.seconds)}"


def _times(value: float, reference: float) -> str:
    """Return a ratio as ``"5 ×"`` or ``"1/31 of"``, to stand before what it is a ratio of."""
    ratio = value / reference
    if abs(ratio - 1) <= ALIKE:
        return "1 ×"
    return f"{ratio:.3g} ×" if ratio > 1 else f"1/{1 / ratio:.3g} of"
