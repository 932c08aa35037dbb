"""The arrangement of a series' picture."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from daisy_bluesky.mfsi import ProcessedSeries, SeriesFrames, SeriesOptions
from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._format import in_powers
from daisy_bluesky.report._series_curves import draw_distortion, draw_drift, draw_scree, draw_steadiness
from daisy_bluesky.report._series_figures import FramePath
from daisy_bluesky.report._series_panels import (
    SeriesRow,
    draw_bar,
    draw_image,
    mark_motif,
    names_shown,
    series_rows,
)

WIDTH = 12.8  # inches
DPI = 200
MARGIN, GAP, HEAD, LABELS = 0.3, 0.09, 0.95, 0.95
CURVES = 2.15  # height of the curves
TALLEST = 2.3  # image


def compose_series(
    done: ProcessedSeries, frames: SeriesFrames, options: SeriesOptions, path: FramePath, title: str
) -> Figure:
    """Return the figure that `draw_series` saves; parameters as there."""
    rows, names = series_rows(done, frames, options.upsample), names_shown(done)
    across = 1 + len(names)
    aspect = done.image.shape[0] / done.image.shape[1]
    width = min((WIDTH - 2 * MARGIN - LABELS - GAP * (across - 1)) / across, TALLEST / aspect)
    height = width * aspect
    tall = HEAD + len(rows) * (height + GAP) + 0.3 + CURVES + 0.55
    figure = Figure(figsize=(WIDTH, tall), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _head(figure, done, frames, title, tall)
    for place, row in enumerate(rows):
        top = HEAD + place * (height + GAP)
        _row(figure, row, names, (top, width, height), tall)
        if row.image is done.image:
            mark_motif(figure.axes[-1 - len(row.maps)], done, options.upsample)
        if row.image is not None:
            draw_bar(figure.axes[-1 - len(row.maps)], row.image, frames, row.pixels)
    _columns(figure, names, width, tall)
    _curves(figure, done, frames, path, tall)
    return figure


def _head(figure: Figure, done: ProcessedSeries, frames: SeriesFrames, title: str, tall: float) -> None:
    used = len(done.placement.used)
    rows, columns = done.placement.main.shape
    facts = [f"{used} of {frames.count} frames of {rows} × {columns} pixels"]
    if done.image.shape[0] > rows * 1.5:
        facts.append(f"maps of all frames on {done.image.shape[0]} × {done.image.shape[1]} pixels")
    if frames.dose_per_frame is not None:
        facts.append(f"{in_powers(frames.dose_per_frame)} e⁻/Å² a frame")
    hidden = len(done.maps) - len(names_shown(done))
    if hidden > 0:
        facts.append(f"{hidden} more maps are in the files")
    left = MARGIN / WIDTH
    figure.text(left, 1 - 0.22 / tall, title, fontsize=14, fontweight="bold", color=colours.OWN, va="top")
    figure.text(left, 1 - 0.5 / tall, "   ·   ".join(facts), fontsize=8.5, color=colours.FAINT_INK, va="top")


def _row(figure: Figure, row: SeriesRow, names: list[str], size: tuple[float, float, float], tall: float) -> None:
    top, width, height = size
    images = [row.image, *(row.maps.get(name) for name in names)]
    for column, image in enumerate(images):
        if image is None:
            continue
        left = MARGIN + LABELS + column * (width + GAP)
        axes = figure.add_axes((left / WIDTH, 1 - (top + height) / tall, width / WIDTH, height / tall))
        draw_image(axes, image, None if column == 0 else column - 1)
    middle = 1 - (top + height / 2) / tall
    figure.text(MARGIN / WIDTH, middle, row.title, fontsize=8.5, fontweight="bold", color=colours.INK, va="bottom")
    figure.text(MARGIN / WIDTH, middle - 0.03 / tall, row.note, fontsize=7.5, color=colours.FAINT_INK, va="top")


def _columns(figure: Figure, names: list[str], width: float, tall: float) -> None:
    for column, name in enumerate(["ADF", *names]):
        left = MARGIN + LABELS + column * (width + GAP)
        height = 1 - (HEAD - 0.05) / tall
        figure.text(left / WIDTH, height, name, fontsize=9, fontweight="bold", color=colours.INK, va="bottom")


def _curves(figure: Figure, done: ProcessedSeries, frames: SeriesFrames, path: FramePath, tall: float) -> None:
    gap, left, bottom = 0.7, MARGIN + 0.45, 0.5
    width = (WIDTH - left - MARGIN - 3 * gap) / 4
    axes = [
        figure.add_axes(((left + place * (width + gap)) / WIDTH, bottom / tall, width / WIDTH, CURVES / tall))
        for place in range(4)
    ]
    draw_scree(axes[0], done, frames)
    draw_drift(axes[1], path, frames)
    draw_distortion(axes[2], path)
    draw_steadiness(axes[3], done)
