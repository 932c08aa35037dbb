"""The arrangement of a report's picture."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._comparison_panel import draw_comparison
from daisy_bluesky.report._format import duration, in_powers
from daisy_bluesky.report._map_panels import MapPanel, map_panels
from daisy_bluesky.report._named_lines import NamedLines
from daisy_bluesky.report._outcome import GroundTruth, MapOutcome
from daisy_bluesky.report._run import RunSummary
from daisy_bluesky.report._scale_bar import draw_scale_bar
from daisy_bluesky.report._spectra_panel import draw_spectra

SIZE = (12.8, 7.2)  # inches
DPI = 300
LEFT, RIGHT = 0.022, 0.978
MAPS = (0.525, 0.855)
"""Lower and upper edge of the maps, as shares of the height."""
SPECTRA = (LEFT + 0.004, 0.098, 0.545, 0.345)
COMPARISON = (0.602, 0.098, RIGHT - 0.602, 0.345)
MOST_SPECTRA = 8
SQUARE_ANGSTROM_PER_SQUARE_NM = 100.0


def compose(
    run: RunSummary,
    outcomes: Sequence[MapOutcome],
    *,
    pixel_size: float,
    phases: Sequence[str],
    lines: Sequence[NamedLines],
    truth: GroundTruth | None,
    survey: NDArray[np.floating] | None,
    survey_name: str,
    conclusion: str,
) -> Figure:
    """Return the figure that `draw_report` saves; parameters as there."""
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _head(figure, run, len(run.mean_spectra), pixel_size)
    _maps(figure, map_panels(run, outcomes, truth, survey, survey_name), run.shape, pixel_size)
    _legend(figure, outcomes[0].phase_map, phases, truth)
    _spectra(figure, run, phases, lines)
    draw_comparison(figure.add_axes(COMPARISON, label="comparison"), outcomes)
    figure.text(LEFT, 0.022, conclusion, fontsize=8, color=colours.INK, va="bottom")
    figure.text(
        RIGHT, 0.022, f"run {run.start['uid'][:8]}", fontsize=7, color=colours.FAINT_INK, ha="right", va="bottom"
    )
    return figure


def _head(figure: Figure, run: RunSummary, phases: int, pixel_size: float) -> None:
    rows, columns = run.shape
    area = rows * columns * pixel_size**2 * SQUARE_ANGSTROM_PER_SQUARE_NM
    plan = str(run.start.get("plan_name", "map")).replace("_", " ")
    title = f"{plan.capitalize()}, {rows} × {columns} pixels, {phases} phases"
    facts = [
        f"{100 * run.sampled_fraction:.3g} % of the pixels",
        f"{run.counts_per_spectrum:,.0f} counts a spectrum",
        f"{in_powers(run.electrons / area)} e⁻/Å² mean dose ({in_powers(run.electrons)} electrons)",
        f"{duration(run.seconds)} on the instrument",
    ]
    figure.text(LEFT, 0.968, title, fontsize=15, fontweight="bold", color=colours.OWN, va="top")
    figure.text(LEFT, 0.918, "   ·   ".join(facts), fontsize=9, color=colours.FAINT_INK, va="top")


def _maps(figure: Figure, panels: Sequence[MapPanel], shape: tuple[int, int], pixel_size: float) -> None:
    gap = 0.011
    width = (RIGHT - LEFT - gap * (len(panels) - 1)) / len(panels)
    for number, panel in enumerate(panels):
        place = (LEFT + number * (width + gap), MAPS[0], width, MAPS[1] - MAPS[0])
        axes = figure.add_axes(place, label=panel.title, anchor="N")
        panel.draw(axes)
        if number == 0:
            draw_scale_bar(axes, shape, pixel_size)


def _legend(figure: Figure, phase_map: NDArray[np.integer], phases: Sequence[str], truth: GroundTruth | None) -> None:
    handles = []
    for label, name in enumerate(phases, 1):
        share = float(np.mean(phase_map == label))
        handles.append(Patch(color=colours.phase_colour(label), label=f"{name}  {100 * share:.1f} %"))
    handles.append(Patch(color=colours.ILL, label="ill spectrum"))
    if truth is not None:
        handles.append(Patch(color=colours.WRONG, label="wrong label"))
    figure.legend(
        handles=handles, loc="center left", bbox_to_anchor=(LEFT, 0.492), ncols=len(handles), frameon=False,
        fontsize=8, handlelength=1.1, handleheight=1.0, columnspacing=1.8, labelcolor=colours.INK, borderpad=0,
        borderaxespad=0,
    )  # fmt: skip


def _spectra(figure: Figure, run: RunSummary, phases: Sequence[str], lines: Sequence[NamedLines]) -> None:
    count = min(len(run.mean_spectra), MOST_SPECTRA)
    if run.energy_axis is None or count == 0:
        return
    left, bottom, width, height = SPECTRA
    places = [(left, bottom + height * (count - 1 - i) / count, width, height / count) for i in range(count)]
    panels = [figure.add_axes(place, label=f"spectrum {i}") for i, place in enumerate(places, 1)]
    draw_spectra(panels, run.mean_spectra[:count], run.energy_axis, phases, lines)
    figure.text(
        left + width, bottom + height + 0.012, "mean spectrum of each phase, √counts", fontsize=7.5, ha="right",
        color=colours.FAINT_INK,
    )  # fmt: skip
