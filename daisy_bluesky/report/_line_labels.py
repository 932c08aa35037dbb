"""Line names above the peaks of a spectrum, none over another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.textpath import TextPath
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._named_lines import NamedLines

GREEK = {"a": "α", "b": "β", "g": "γ", "n": "η", "z": "ζ"}
GAP = 5.0  # points
SIZE = 7.0  # points
MOST = 12
KNEE = 0.12
"""How far below its name a leader bends, as a share of the panel."""


def line_name(label: str) -> str:
    """Return a line such as ``"Fe Ka"`` as it is printed, ``"Fe Kα"``."""
    element, _, line = label.partition(" ")
    return f"{element} {line[:1]}{GREEK.get(line[1:], line[1:])}" if line else label


def spread(centres: ArrayLike, widths: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Move labels as little as possible (least squares) so that none overlaps another.

    Parameters
    ----------
    centres : (n,) array_like
        Where the labels would like to be, rising.
    widths : (n,) array_like
        Their widths, gap included.
    low, high : float
        Where the first may begin and the last end.

    Returns
    -------
    (n,) ndarray of float64
        Their centres; they overlap only where they do not fit between the limits.
    """
    wanted, width = np.asarray(centres, dtype=np.float64), np.asarray(widths, dtype=np.float64)
    before = np.cumsum(width) - width / 2
    moved = isotonic_regression(wanted - before).x
    return np.asarray(np.clip(moved, low, max(low, high - width.sum())) + before)


def draw_line_labels(axes: Axes, lines: NamedLines, tops: Sequence[float], height: float) -> None:
    """Write the names of lines at a height of the axes (data units), each with a thin leader from its peak.

    Parameters
    ----------
    axes : Axes
        Axes with their final limits.
    lines : NamedLines
        The lines; those that are not certain are written fainter.
    tops : sequence of float
        Height of each peak, data units.
    height : float
        Where the names stand, data units.
    """
    low, high = axes.get_xlim()
    per_point = (high - low) / (axes.get_window_extent().width * 72 / axes.figure.dpi)
    shown = [(energy, name, top) for (name, energy), top in zip(lines.energies.items(), tops, strict=True)]
    shown = sorted(_that_fit([line for line in shown if low < line[0] < high], high - low, per_point))
    if not shown:
        return
    centres = spread([line[0] for line in shown], [_width(line[1]) * per_point for line in shown], low, high)
    for (energy, name, top), centre in zip(shown, centres.tolist(), strict=True):
        knee = max(top, height - KNEE * axes.get_ylim()[1])
        axes.plot([energy, energy, centre], [top, knee, height], color=colours.FAINT_INK, linewidth=0.4)
        colour = colours.INK if name in lines.certain else colours.FAINT_INK
        axes.text(centre, height, line_name(name), fontsize=SIZE, ha="center", va="bottom", color=colour)


def _that_fit(lines: list[tuple[float, str, float]], room: float, per_point: float) -> list[tuple[float, str, float]]:
    kept: list[tuple[float, str, float]] = []
    for line in lines[:MOST]:
        room -= _width(line[1]) * per_point
        if room > 0:
            kept.append(line)
    return kept


def _width(name: str) -> float:
    """Return the width of a line's name as it is printed, points, with the gap to the next."""
    return float(TextPath((0, 0), line_name(name), size=SIZE).get_extents().width) + GAP
