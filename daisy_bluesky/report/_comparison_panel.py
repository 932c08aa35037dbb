"""The comparison of a map with its rivals, set as a small table."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._format import DASH, duration, in_powers, objects
from daisy_bluesky.report._outcome import MapOutcome
from daisy_bluesky.report._wrong_pixels import distortion

COLUMNS = (0.0, 0.52, 0.71, 0.87, 1.0)
"""Left edge of the names, right edges of the figures, as shares of the panel."""
LEAST_ROWS = 5


def draw_comparison(axes: Axes, outcomes: Sequence[MapOutcome]) -> None:
    """Write the outcomes, the map of the run first and in bold."""
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(-0.6 - max(len(outcomes), LEAST_ROWS), 0.6))
    known = outcomes[0].total_distortion is not None
    headings = ("", *(("distortion", "small objects") if known else ("deviance", "pixels")), "electrons", "time")
    _row(axes, 0.0, headings, colour=colours.FAINT_INK, weight="normal")
    axes.plot([0, 1], [-0.5, -0.5], color=colours.INK, linewidth=0.8)
    for number, outcome in enumerate(outcomes, 1):
        own = number == 1
        cells = (outcome.name, *_judged(outcome), in_powers(outcome.electrons), duration(outcome.seconds))
        _row(axes, -number, cells, colour=colours.OWN if own else colours.INK, weight="bold" if own else "normal")
        axes.plot([0, 1], [-number - 0.5] * 2, color=colours.HAIRLINE, linewidth=0.5)


def _row(axes: Axes, y: float, cells: Sequence[str], *, colour: str, weight: str) -> None:
    for x, cell in zip(COLUMNS, cells, strict=True):
        align = "left" if x == 0 else "right"
        axes.text(x, y, cell, ha=align, va="center", fontsize=7.5, color=colour, fontweight=weight)


def _judged(outcome: MapOutcome) -> tuple[str, str]:
    if outcome.total_distortion is not None:
        return distortion(outcome, outcome.total_distortion), objects(outcome.small_objects)
    deviance = DASH if outcome.deviance is None else f"{outcome.deviance:.4g}"
    return deviance, f"{100 * outcome.sampled_fraction:.3g} %"
