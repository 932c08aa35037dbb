"""Figures, tables and picture of a processed series."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console

from daisy_bluesky.mfsi import DoseScree, SeriesFrames, SeriesOptions, process_series
from daisy_bluesky.report import draw_series, frame_path, maps_table, series_figures, series_table
from daisy_bluesky.report._series_curves import draw_drift, draw_scree
from daisy_bluesky.report._series_figures import FramePath
from daisy_bluesky.specimen import ScanDistortion, VirtualSeries, crystal
from daisy_bluesky.spectra import EnergyAxis

SHAPE, FRAMES, DOSE, PIXEL = (48, 52), 12, 3.4e5, 0.056
OPTIONS = SeriesOptions(lines={"Ag La": 2.984, "Zn Ka": 8.631}, upsample=2, motif=(8, 8, 24, 24))


@pytest.fixture(scope="module")
def series():
    return VirtualSeries(
        crystal(SHAPE), SHAPE, events=20_000, scan=ScanDistortion(drift=(1.0, -0.5), walk=0.02, seed=3), seed=3
    )


@pytest.fixture(scope="module")
def frames(series):
    def image(number):
        return np.zeros(SHAPE) if number == 4 else series.image(number)

    axis = EnergyAxis(0.0, 0.01, 2048, "keV")
    return SeriesFrames(FRAMES, image, events=series.events, eds_axis=axis, pixel_size=PIXEL, dose_per_frame=DOSE)


@pytest.fixture(scope="module")
def done(frames):
    return process_series(frames, OPTIONS)


@pytest.fixture(scope="module")
def figures(done, frames):
    return series_figures(done, frames, OPTIONS)


def text(table, width=100):
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_figures_are_plain_and_true(figures, series, done):
    json.dumps(figures, allow_nan=False)
    assert (figures["frames"], figures["used"], list(figures["excluded"])) == (12, 11, ["4"])
    np.testing.assert_allclose(figures["drift_px_per_frame"], [1.0, -0.5], atol=0.06)
    truth = [series.displacement(k) - series.displacement(k).mean(axis=(0, 1)) for k in done.placement.used]
    rms = np.sqrt(np.mean(np.square(truth), axis=(0, 1, 2)))
    np.testing.assert_allclose(figures["distortion_px"], rms, atol=0.15)
    assert figures["common_distortion"]["known"]
    # a drift of 1 px a frame over 48 rows lengthens the field by 1 / (48 - 1)
    assert figures["common_distortion"]["stretch"] == pytest.approx(1 / 47, rel=0.1)


def test_doses_are_those_of_the_reference(figures):
    assert figures["dose"]["per_frame"] == DOSE
    assert figures["dose"]["per_area"] == pytest.approx(12 * DOSE)
    assert figures["dose"]["effective"] == pytest.approx(11 * figures["motif"]["folded"] * DOSE)


def test_noise_falls_with_frames_and_repeats(figures):
    for one in figures["maps"].values():
        signal = one["signal_to_noise"]
        assert signal["series"] == pytest.approx(np.sqrt(11) * signal["one_frame"], rel=0.12)
        assert signal["motif"] == pytest.approx(np.sqrt(figures["motif"]["folded"]) * signal["series"], rel=0.12)
        counts = one["net_counts"] / (SHAPE[0] * SHAPE[1] * PIXEL**2)
        assert one["counts_per_nm2"] == pytest.approx(counts)


@pytest.mark.parametrize("width", [80, 140])
def test_tables_say_what_was_left_out_and_what_is_not_known(figures, width):
    said = text(series_table(figures), width)
    assert "11 of 12" in said
    assert "frame 4: blank" in said
    assert "none noticed" in said
    assert "unknown" not in said
    steady = {**figures, "common_distortion": {"known": False, "shear_degrees": None, "stretch": None}}
    assert "unknown" in text(series_table(steady), width)
    maps = text(maps_table(figures), width)
    assert "…" not in maps
    assert "1 frame → 11 frames → motif" in maps


def test_the_picture_shows_a_row_for_each_dose(done, frames, tmp_path):
    path = draw_series(tmp_path / "series.png", done, frames, OPTIONS, places=frame_path(done))
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=np.int64)
        assert picture.info["Software"] == "daisy-bluesky"
    assert pixels.shape[1] == 2560
    coloured = np.ptp(pixels, axis=2) > 60
    blue_of_zinc = coloured & (pixels[..., 2] > pixels[..., 0])
    assert coloured.mean() > 0.01
    assert blue_of_zinc.any()


def test_images_alone_make_a_picture_too(series, tmp_path):
    frames = SeriesFrames(4, series.image)
    alone = process_series(frames, SeriesOptions())
    assert draw_series(tmp_path / "images.png", alone, frames, SeriesOptions()).stat().st_size > 50_000
    figures = series_figures(alone, frames, SeriesOptions())
    assert figures["maps"] == {}
    assert "damage" not in text(series_table(figures))


def test_numbers_of_curves_that_end_alike_stand_apart(done, frames):
    alike = DoseScree(1, 1, np.array([0.5, 0.0102, 0.0101, 0.01]), None)
    screes = [alike, replace(alike, frames=2)]
    axes = Figure((3, 3)).subplots()
    draw_scree(axes, replace(done, screes=screes, motif=None), frames)
    axes.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in axes.texts]
    assert [label.get_text() for label in axes.texts] == ["1", "2", "3", "4"]
    assert all(above.ymin > below.y0 + 0.6 * below.height for above, below in pairwise(boxes))
    written = [label.get_text() for label in axes.get_yticklabels(minor=True)]
    assert not any(written)


def test_frames_are_counted_in_whole_numbers(frames):
    axes = Figure((3, 3)).subplots()
    two = np.zeros((2, 2))
    draw_drift(axes, FramePath(np.arange(2), np.array([[0.0, 0.0], [1.0, 2.0]]), two, two), frames)
    axes.figure.canvas.draw()
    assert all(float(place).is_integer() for place in axes.get_xticks())
    rows, columns = (line.get_ydata()[-1] for line in axes.get_lines()[:2])
    assert (rows, columns) == (PIXEL, 2 * PIXEL)  # of the sign of the drift in the table
