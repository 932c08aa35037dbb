"""Images and maps of a series, side by side for growing doses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from daisy_bluesky.mfsi import ProcessedSeries, SeriesFrames
from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._format import in_powers
from daisy_bluesky.report._scale_bar import draw_scale_bar

HUES = ("#E69F00", "#56B4E9", "#CC79A7", "#009E73", "#D55E00", "#F0E442", "#0072B2")
CLIPPED = (2.0, 99.7)
MOST_MAPS = 6
Image = NDArray[np.float64]


@dataclass(frozen=True)
class SeriesRow:
    """Images of one dose.

    Attributes
    ----------
    title, note : str
        What was summed, and its dose.
    image : (rows, columns) float64 or None
        The annular dark-field image.
    maps : dict of str to (rows, columns) float64
        Element maps, by name.
    pixels : float
        Pixels of these images per pixel of a frame.
    """

    title: str
    note: str
    image: Image | None
    maps: dict[str, Image]
    pixels: float


def series_rows(done: ProcessedSeries, frames: SeriesFrames, upsample: int) -> list[SeriesRow]:
    """Return what is shown: one frame, some, all, and the folded motif."""
    used = len(done.placement.used)
    single = {name: each.rate for name, each in done.single.items()}
    rows = [SeriesRow("1 frame", _dose(frames, 1), done.first_image, single, 1)]
    if done.early:
        rows.append(
            SeriesRow(
                f"{done.early} frames", _dose(frames, done.early), done.early_image, done.early_pictures, upsample
            )
        )
    rows.append(SeriesRow(f"{used} frames", _dose(frames, used), done.image, done.pictures, upsample))
    if done.motif is not None:
        folded = done.motif.folded
        scale = done.motif.image.shape[0] / done.motif.repeats.shape[0]
        note = _dose(frames, used * folded)
        rows.append(SeriesRow(f"{used} frames\n× {folded} repeats", note, done.motif.image, done.motif.pictures, scale))
    return rows


def names_shown(done: ProcessedSeries) -> list[str]:
    """Return the names of the maps that are shown."""
    return list(done.maps)[:MOST_MAPS]


def draw_image(axes: Axes, image: Image, hue: int | None) -> None:
    """Draw an image, grey, or a map in the hue of its number."""
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, CLIPPED) if finite.size else (0.0, 1.0)
    colour = "gray" if hue is None else element_colours(hue)
    axes.imshow(image, cmap=colour, vmin=low, vmax=max(high, low + 1e-12), interpolation="nearest")
    axes.set(xticks=[], yticks=[], facecolor="black")
    for spine in axes.spines.values():
        spine.set(linewidth=0.5, color=colours.INK)


def element_colours(hue: int) -> Colormap:
    """Return colours from black through a hue to nearly white."""
    colour = HUES[hue % len(HUES)]
    pale = tuple(0.15 * value + 0.85 for value in colours.rgb(colour))
    return LinearSegmentedColormap.from_list(f"hue {hue}", [(0.0, "black"), (0.72, colour), (1.0, pale)])


def mark_motif(axes: Axes, done: ProcessedSeries, upsample: int) -> None:
    """Draw the motif and the middles of its repeats into the aligned image."""
    if done.motif is None:
        return
    top, left, rows, columns = (upsample * side for side in done.motif.rectangle)
    first = (left - done.corner[1] - 0.5, top - done.corner[0] - 0.5)
    frame = Rectangle(first, columns, rows, fill=False, edgecolor=colours.WRONG, linewidth=1.4)
    axes.add_patch(frame)
    half = (upsample - 1) / 2
    places = done.motif.repeats.positions * upsample + half - np.array(done.corner)
    odd = done.motif.repeats.outliers
    marks: Sequence[tuple[NDArray[np.bool_], str, str]] = ((~odd, colours.HUE_TYPICAL, "."), (odd, colours.WRONG, "x"))
    for chosen, colour, marker in marks:
        axes.plot(places[chosen, 1], places[chosen, 0], marker, color=colour, markersize=2.2, linewidth=0)


def draw_bar(axes: Axes, image: Image, frames: SeriesFrames, pixels: float) -> None:
    """Draw a scale bar where the size of a pixel is known."""
    if frames.pixel_size:
        draw_scale_bar(axes, (image.shape[0], image.shape[1]), frames.pixel_size / pixels)


def _dose(frames: SeriesFrames, times: int) -> str:
    return "" if frames.dose_per_frame is None else f"{in_powers(frames.dose_per_frame * times)} e⁻/Å²"
