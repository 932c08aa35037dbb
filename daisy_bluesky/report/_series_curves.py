"""Curves of a series: information against dose, drift, distortion, counts frame by frame."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from daisy_bluesky.mfsi import ProcessedSeries, SeriesFrames
from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._series_figures import FramePath, all_screes
from daisy_bluesky.report._series_panels import HUES

COMPONENTS = 5  # shown each, as the sixth and beyond are noise
NARROW = 30.0  # highest over lowest dose, below which decades are too few labels
LABEL_HEIGHT = 7.0  # points
ROOM = 0.3  # above the curves, over their height
ALONG = (("along rows", colours.PHASES[0]), ("along columns", colours.PHASES[5]))


def draw_scree(axes: Axes, done: ProcessedSeries, frames: SeriesFrames) -> None:
    """Draw the share of the first components in the variance against the dose, those above noise filled."""
    screes = [each for each in all_screes(done) if len(each.fractions)]
    _dress(axes, "Information content")
    if not screes:
        _say_none(axes, "not looked at")
        return
    unit = frames.dose_per_frame or 1.0
    doses = np.array([unit * each.frames * each.repeats for each in screes])
    for component in range(min(COMPONENTS, min(len(each.fractions) for each in screes))):
        shares = 100 * np.array([each.fractions[component] for each in screes])
        colour = colours.PHASES[component]
        axes.plot(doses, shares, color=colour, linewidth=1.0)
        above = np.array([each.rank is None or component < each.rank for each in screes])
        axes.plot(doses[above], shares[above], "o", color=colour, markersize=3.2)
        axes.plot(doses[~above], shares[~above], "o", markerfacecolor="white", color=colour, markersize=3.2)
    axes.set(xscale="log", yscale="log")
    axes.margins(y=0.1)  # room for the number of the lowest
    _number_curves(axes)
    _few_ticks(axes.xaxis, doses)
    _few_ticks(axes.yaxis, np.concatenate([np.asarray(line.get_ydata(), np.float64) for line in axes.get_lines()]))
    axes.set_xlabel("dose, e⁻/Å²" if frames.dose_per_frame else "frames × repeats", fontsize=7.5, color=colours.INK)
    axes.set_ylabel("share of component in variance, %", fontsize=7.5, color=colours.INK)
    if any(each.rank is not None for each in screes):
        axes.set_title("filled: above noise", loc="right", fontsize=6.5, color=colours.FAINT_INK)


def draw_drift(axes: Axes, path: FramePath, frames: SeriesFrames) -> None:
    """Draw the shift of each frame."""
    _dress(axes, "Drift")
    scale, unit = (frames.pixel_size, "nm") if frames.pixel_size else (1.0, "px")
    for axis, (name, colour) in enumerate(ALONG):
        for members in frames.numbers_by_area().values():
            there = np.isin(path.numbers, members)
            shifts = scale * path.shifts[there, axis]
            axes.plot(path.numbers[there], shifts, color=colour, linewidth=1.1, label=name if 0 in members else None)
    _count_frames(axes)
    axes.set_ylabel(f"scan against specimen, {unit}", fontsize=7.5, color=colours.INK)
    axes.legend(fontsize=6.5, frameon=False, labelcolor=colours.INK, handlelength=1.2)


def draw_distortion(axes: Axes, path: FramePath) -> None:
    """Draw the distortion inside each frame, and how well it is known."""
    _dress(axes, "Distortion in a frame")
    for axis, (name, colour) in enumerate(ALONG):
        axes.plot(path.numbers, path.distortions[:, axis], color=colour, linewidth=1.1, label=f"{name}, rms")
        if np.isfinite(path.errors[:, axis]).any():
            axes.plot(path.numbers, path.errors[:, axis], ":", color=colour, linewidth=1.1, label="its error")
    _count_frames(axes)
    axes.set_ylabel("px", fontsize=7.5, color=colours.INK)
    _leave_room(axes, bottom=0.0)
    axes.legend(fontsize=6.5, frameon=False, labelcolor=colours.INK, handlelength=1.4, ncols=2, columnspacing=0.8)


def draw_steadiness(axes: Axes, done: ProcessedSeries) -> None:
    """Draw the counts of each line or edge frame by frame, and what was taken for damage."""
    _dress(axes, "Counts frame by frame")
    if not done.watched:
        _say_none(axes, "no spectra")
        return
    damage = done.damage
    for hue, (name, signal) in enumerate(done.watched.items()):
        colour = HUES[hue % len(HUES)] if name in done.maps else colours.FAINT_INK
        relative = signal.relative
        axes.plot(list(relative), list(relative.values()), color=colour, linewidth=1.0, label=name)
        if name in damage:
            axes.axvline(damage[name].frame, color=colour, linewidth=0.8, linestyle="--")
    axes.axhline(1.0, color=colours.HAIRLINE, linewidth=0.8, zorder=0)
    _count_frames(axes)
    axes.set_ylabel("relative to the mean", fontsize=7.5, color=colours.INK)
    _leave_room(axes)
    axes.legend(fontsize=6.5, frameon=False, labelcolor=colours.INK, handlelength=1.2, ncols=2, columnspacing=0.8)
    if damage:
        axes.set_title("dashed: change noticed", loc="right", fontsize=6.5, color=colours.FAINT_INK)


def _number_curves(axes: Axes) -> None:
    """Write a number at the end of each curve, none upon another."""
    lines = [line for line in axes.get_lines() if line.get_linestyle() != "None"]
    ends = [tuple(np.asarray(line.get_xydata())[-1].tolist()) for line in lines]
    places = axes.transData.transform(ends)[:, 1] * 72 / axes.figure.dpi
    lowest = np.inf
    for number, (line, end, place) in enumerate(zip(lines, ends, places, strict=True), 1):
        lowest = min(place, lowest - LABEL_HEIGHT)
        axes.annotate(
            f"{number}", end, (5, lowest - place), textcoords="offset points", va="center", fontsize=7,
            color=line.get_color(),
        )  # fmt: skip


def _say_none(axes: Axes, what: str) -> None:
    """Leave a panel empty but for a word."""
    axes.text(0.5, 0.5, what, ha="center", va="center", color=colours.FAINT_INK, fontsize=7.5)
    axes.set(xticks=[], yticks=[])


def _count_frames(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("frame", fontsize=7.5, color=colours.INK)


def _few_ticks(axis: Axis, values: NDArray[np.float64]) -> None:
    """Label decades, and within two of them steps of 2 and 5, and nothing else."""
    narrow = values.max() < NARROW * values.min()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,)))
    axis.set_minor_formatter(NullFormatter())


def _leave_room(axes: Axes, bottom: float | None = None) -> None:
    """Make room for a legend above the curves."""
    low, high = axes.get_ylim()
    low = low if bottom is None else bottom
    axes.set_ylim(low, high + ROOM * (high - low))


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=8.5, fontweight="bold", color=colours.INK)
    axes.tick_params(labelsize=6.5, colors=colours.INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
