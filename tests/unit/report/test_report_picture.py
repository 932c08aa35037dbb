import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from matplotlib.text import Text

from daisy_bluesky.report import GroundTruth, MapOutcome, draw_report, read_run
from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._figure import compose
from daisy_bluesky.report._line_labels import line_name, spread
from daisy_bluesky.report._map_panels import fill_in, map_panels
from daisy_bluesky.report._named_lines import lines_to_name
from daisy_bluesky.report._scale_bar import length_name, round_length

LINES = [{"Ti Ka": 0.65, "Fe Ka": 0.72}, {"O Ka": 1.9}]


@pytest.fixture
def run(made_up_run):
    return read_run(made_up_run.documents())


@pytest.fixture
def truth(made_up_run):
    return GroundTruth(made_up_run.truth, np.zeros(made_up_run.shape, dtype=bool))


def rivals(run):
    return [
        MapOutcome(name, run.phase_map, 1.0, 100.0, 1e9, 60.0, 0.001)
        for name in ("full raster, full dwell", "raster, equal time (every 2nd pixel)")
    ]


def compose_report(run, truth):
    own = run.outcome("adaptive map", truth)
    return compose(
        run, [own, *rivals(run)], pixel_size=5.0, phases=["matrix", "second"], lines=lines_to_name(run, LINES),
        truth=truth, survey=None, survey_name="HAADF", conclusion="A raster would have been better here.",
    )  # fmt: skip


def test_a_picture_of_16_to_9_is_written(run, truth, tmp_path):
    outcomes = [run.outcome("adaptive map", truth), *rivals(run)]
    path = draw_report(
        tmp_path / "report.png", run, outcomes, pixel_size=5.0, phases=["matrix", "second"], lines=LINES, truth=truth
    )
    image = imread(path)
    assert image.shape[:2] == (2160, 3840)
    assert path.stat().st_size < 1.5e6
    assert np.ptp(image[..., :3]) == 1


def test_every_panel_is_there(run, truth):
    labels = [axes.get_label() for axes in compose_report(run, truth).axes]
    maps = ["HAADF", "measured", "phase map", "truth", "distortion"]
    assert labels == [*maps, "spectrum 1", "spectrum 2", "comparison"]


def test_no_text_is_clipped_or_over_another(run, truth):
    figure = compose_report(run, truth)
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    texts = {id(text): text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()}
    boxes = [text.get_window_extent(renderer) for text in texts.values()]
    assert len(boxes) > 30
    for box in boxes:
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1
    overlapping = [(one, other) for i, one in enumerate(boxes) for other in boxes[:i] if _area(one, other) > 1]
    assert overlapping == []


def _area(one, other):
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(width, 0) * max(height, 0)


def test_without_truth_the_rival_and_the_counts_are_shown(run):
    outcomes = [run.outcome("adaptive map"), rivals(run)[1]]
    panels = map_panels(run, outcomes, None, np.zeros(run.shape), "BSE")
    assert [panel.title for panel in panels] == ["BSE", "X-ray counts", "measured", "phase map", outcomes[1].name]


def test_wrong_pixels_are_marked_and_ill_ones_are_grey(run, made_up_run):
    truth = GroundTruth(made_up_run.truth, np.zeros(run.shape, dtype=bool))
    own = run.outcome("adaptive map", truth)
    own.phase_map[3, 3] = 2
    _, _, found, _, distortion = map_panels(run, [own], truth, None, "HAADF")
    wrong = np.all(distortion.image == colours.rgb(colours.WRONG), axis=2)
    assert np.argwhere(wrong).tolist() == [[3, 3]]
    grey = np.all(found.image == colours.rgb(colours.ILL), axis=2)
    np.testing.assert_array_equal(np.argwhere(grey), made_up_run.positions[made_up_run.labels == 0])


def test_what_makes_no_picture_is_refused(run, tmp_path):
    with pytest.raises(ValueError, match="outcomes"):
        draw_report(tmp_path / "report.png", run, [], pixel_size=1.0)
    with pytest.raises(ValueError, match="pixel_size"):
        draw_report(tmp_path / "report.png", run, [run.outcome("map")], pixel_size=0.0)


def test_matplotlib_is_loaded_only_to_draw():
    code = "import sys, daisy_bluesky.report; print('matplotlib' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_interpolation_keeps_what_was_measured():
    positions = np.array([(0, 0), (0, 9), (9, 0), (9, 9), (4, 5)])
    plane = 2.0 * positions[:, 0] - positions[:, 1]
    rows, columns = np.indices((10, 10))
    np.testing.assert_allclose(fill_in((10, 10), positions, plane), 2.0 * rows - columns, atol=1e-9)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 2)), min_size=1, max_size=8))
def test_labels_keep_their_order_and_never_overlap(labels):
    centres, widths = (np.array(values) for values in zip(*sorted(labels), strict=True))
    placed = spread(centres, widths, 0.0, 20.0)
    gaps = np.diff(placed) - (widths[1:] + widths[:-1]) / 2
    assert np.all(gaps > -1e-9)
    assert placed[0] - widths[0] / 2 > -1e-9
    assert placed[-1] + widths[-1] / 2 < 20 + 1e-9


def test_labels_that_have_room_stay_where_they_are():
    np.testing.assert_allclose(spread([1.0, 3.0, 7.0], [1.0, 1.0, 1.0], 0.0, 10.0), [1.0, 3.0, 7.0])


@pytest.mark.parametrize(
    ("label", "printed"), [("Fe Ka", "Fe Kα"), ("Cu Lb", "Cu Lβ"), ("Fe Ll", "Fe Ll"), ("ZLP", "ZLP")]
)
def test_lines_are_printed_in_greek(label, printed):
    assert line_name(label) == printed


@pytest.mark.parametrize(
    ("width", "name"), [(2560, "1 µm"), (100, "20 nm"), (1200, "200 nm"), (13, "5 nm"), (2, "0.5 nm")]
)
def test_scale_bars_are_round_and_fit(width, name):
    assert length_name(round_length(width)) == name
    assert round_length(width) <= 0.4 * width
