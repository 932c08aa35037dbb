"""The arrangement of a rehearsal's picture."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._figure import DPI, LEFT, RIGHT, SIZE
from daisy_bluesky.report._format import duration
from daisy_bluesky.report._map_panels import MapPanel
from daisy_bluesky.report._rehearsal_table import POLICIES, electrons
from daisy_bluesky.sampling import Forecast, Rehearsal

COLOURS = {"raster": "#6B7280", "sparse": "#E69F00", "dose": "#0B3C5D"}
PERFECT = 1e-5
"""Where a perfect map is drawn, on a logarithmic scale."""
CURVES = ((0.37, 0.14, 0.28, 0.68), (0.69, 0.14, 0.28, 0.68))
MAPS = ((LEFT, 0.51, 0.29, 0.33), (LEFT, 0.10, 0.29, 0.33))


def compose_rehearsal(
    rehearsal: Rehearsal,
    phase_map: NDArray[np.integer],
    *,
    current: float,
    survey: NDArray[np.floating] | None,
    conclusion: str,
) -> Figure:
    """Return the figure that `draw_rehearsal` saves; parameters as there."""
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    rows, columns = rehearsal.shape
    title = f"Rehearsal, {rows} × {columns} pixels, {int(phase_map.max())} phases"
    figure.text(LEFT, 0.968, title, fontsize=15, fontweight="bold", color=colours.OWN, va="top")
    cost = rehearsal.cost
    facts = (
        f"{rehearsal.rate:.3g} counts a second   ·   {duration(cost.overhead)} a visit beside its dwell   ·   "
        f"shortest dwell {duration(cost.minimum_dwell)}"
    )
    figure.text(LEFT, 0.918, facts, fontsize=9, color=colours.FAINT_INK, va="top")
    assumed = MapPanel("taken for the truth", "", colours.paint(phase_map))
    panels = [assumed] if survey is None else [MapPanel("survey", "", survey), assumed]
    for panel, place in zip(panels, MAPS, strict=False):
        panel.draw(figure.add_axes(place, label=panel.title, anchor="W"))
    time, dose = (figure.add_axes(place, label=f"curves {at}") for at, place in enumerate(CURVES))
    _draw_curves(time, rehearsal, lambda one: one.seconds, "time on the instrument, s")
    _draw_curves(dose, rehearsal, lambda one: electrons(one, current), "electrons")
    time.set_ylabel("total distortion", fontsize=8, color=colours.INK)
    time.legend(frameon=False, fontsize=8, labelcolor=colours.INK, loc="lower left")
    figure.text(LEFT, 0.022, conclusion, fontsize=8, color=colours.INK, va="bottom")
    figure.text(RIGHT, 0.022, "no electron was spent", fontsize=7, color=colours.FAINT_INK, ha="right", va="bottom")
    return figure


def _draw_curves(axes: Axes, rehearsal: Rehearsal, price: Callable[[Forecast], float], label: str) -> None:
    for policy, name in POLICIES.items():
        points = [one for one in rehearsal.forecasts if one.policy == policy]
        if not points:
            continue
        prices = [price(one) for one in points]
        low, middle, high = (
            np.maximum([getattr(one, key) for one in points], PERFECT) for key in ("low", "distortion", "high")
        )
        axes.plot(prices, middle, color=COLOURS[policy], linewidth=1.6, marker="o", markersize=3, label=name)
        axes.fill_between(prices, low, high, color=COLOURS[policy], alpha=0.15, linewidth=0)
    axes.axhline(rehearsal.wanted, color=colours.WRONG, linewidth=0.8, linestyle="--")
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel(label, fontsize=8, color=colours.INK)
    axes.tick_params(labelsize=7, colors=colours.INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
