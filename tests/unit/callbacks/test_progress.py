import io
import re

import pytest
from rich.console import Console
from scipy.constants import elementary_charge

from daisy_bluesky.callbacks import ProgressReporter, _progress


@pytest.fixture
def seconds(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(_progress, "monotonic", lambda: now[0])
    return now


def reporter(*, terminal=True, width=80):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=None)
    return ProgressReporter(console), console.file


def start(report, **more):
    report("start", {"uid": "run", "time": 0.0, **more})
    for name in ("primary", "decisions"):
        report("descriptor", {"uid": name, "name": name, "data_keys": {}})


def event(report, number, *, charge=160.2176634, distortion=float("nan")):
    report("event", {"descriptor": "primary", "seq_num": number, "data": {"beam_charge": charge}})
    report("event", {"descriptor": "decisions", "seq_num": number, "data": {"remaining_distortion": distortion}})


FIELD = {"num_points": 13107, "shape": (256, 256), "pixel_size": 2.0}


def test_it_tells_points_rate_dose_time_left_and_quality(seconds):
    report, file = reporter()
    start(report, **FIELD)
    for number in range(1, 2001):
        event(report, number, distortion=0.0312)
    seconds[0] += 4.0
    event(report, 2001)
    line = file.getvalue()
    dose = 2001 * 160.2176634e-12 / elementary_charge / (256 * 256 * 20.0**2)
    assert "2001/13107 points" in line
    assert "500/s" in line
    assert f"{dose:.3g} e-/Å²" in line
    assert "0:00:22 left" in line  # (13107 - 2001) / 500
    assert "~3.1% wrong" in line


def test_it_fits_into_a_terminal_and_starts_every_line_anew(seconds):
    report, file = reporter(width=80)
    start(report, **FIELD)
    for number in range(1, 13108):
        seconds[0] += 0.07
        event(report, number, distortion=0.12345)
    report("stop", {})
    *lines, last = re.split(r"\r", file.getvalue())
    assert len(lines) > 1000
    assert {len(line) for line in lines} == {79}
    assert last.endswith("\n")
    assert "━" in last


def test_it_draws_five_times_a_second_at_most(seconds):
    report, file = reporter()
    start(report, **FIELD)
    for number in range(1, 1001):
        seconds[0] += 0.01
        event(report, number)
    assert 40 <= file.getvalue().count("\r") <= 50


def test_an_event_that_is_emitted_again_costs_no_dose(seconds):
    report, file = reporter(terminal=False)
    start(report)
    for number in (1, 2, 2, 3):
        event(report, number, charge=1e12 * elementary_charge)
    report("stop", {})
    assert "3 points" in file.getvalue()
    assert " 3 e-" in file.getvalue()


def test_where_there_is_no_terminal_only_the_end_is_written(seconds):
    report, file = reporter(terminal=False)
    start(report, **FIELD)
    for number in range(1, 101):
        seconds[0] += 1.0
        event(report, number)
    assert file.getvalue() == ""
    report("stop", {})
    assert file.getvalue().count("\n") == 1
    assert "100/13107 points" in file.getvalue()


def test_one_line_says_what_decides_and_why_unless_it_was_asked_for(seconds):
    report, file = reporter()
    start(report, **FIELD, recommender={"policy": "dose", "policy_reason": "visits are cheap"})
    assert file.getvalue() == "where and how long (dose): visits are cheap\n"
    report, file = reporter()
    start(report, **FIELD, recommender={"policy": "slads", "policy_reason": "asked for"})
    assert file.getvalue() == ""


def test_where_dwell_time_is_shared_out_its_part_is_what_is_done(seconds):
    report, file = reporter()
    start(report, **FIELD, dwell_budget=100.0, recommender={"policy": "dose", "policy_reason": "asked for"})
    report("descriptor", {"uid": "frame", "name": "frame", "data_keys": {}})
    frame = {"frame_charge": 50.0, "frame_dwell_time": 20.0 / 65536, "frame_seconds": 20.0}
    report("event", {"descriptor": "frame", "seq_num": 1, "data": frame})
    seconds[0] += 5.0
    report("event", {"descriptor": "primary", "seq_num": 1, "data": {"beam_charge": 1.0, "beam_dwell_time": 5.0}})
    line = file.getvalue()
    assert "1 points" in line
    assert "0:00:15 left" in line  # a quarter took 5 s
