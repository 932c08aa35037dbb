"""A scale bar of a round length."""

from math import floor, log10

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

LARGEST_SHARE = 0.4
"""Of the width of the field."""


def round_length(width: float) -> float:
    """Return the largest 1, 2 or 5 times a power of ten, nm, within `LARGEST_SHARE` of a field's width, nm."""
    largest = LARGEST_SHARE * width
    decade = 10.0 ** floor(log10(largest))
    return max(step * decade for step in (1, 2, 5) if step * decade <= largest)


def length_name(length: float) -> str:
    """Return a length in nm as text, in µm from 1,000 nm on."""
    return f"{length:g} nm" if length < 1000 else f"{length / 1000:g} µm"


def draw_scale_bar(axes: Axes, shape: tuple[int, int], pixel_size: float) -> None:
    """Draw a scale bar into a map of `shape` pixels of `pixel_size` nm, at its lower left."""
    rows, columns = shape
    length = round_length(columns * pixel_size)
    left, bottom, height = -0.5 + 0.05 * columns, -0.5 + 0.95 * rows, 0.016 * rows
    bar = Rectangle((left, bottom - height), length / pixel_size, height, facecolor="white", edgecolor="black")
    bar.set_linewidth(0.4)
    axes.add_patch(bar)
    axes.text(
        left + length / pixel_size / 2,
        bottom - 1.8 * height,
        length_name(length),
        color="white",
        fontsize=7.5,
        fontweight="bold",
        ha="center",
        va="bottom",
        path_effects=[withStroke(linewidth=1.6, foreground="black")],
    )
