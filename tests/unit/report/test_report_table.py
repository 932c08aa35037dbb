import io

import numpy as np
import pytest
from rich.console import Console

from daisy_bluesky.report import MapOutcome, figures_table, outcome_table, read_run
from daisy_bluesky.report import _format as text


def printed(table, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


def outcomes(number):
    names = [
        "adaptive map",
        "full raster, full dwell",
        "raster, equal electrons",
        "raster, equal time",
        "flying raster, equal time",
    ]
    phase_map = np.ones((2, 2), dtype=int)
    return [
        MapOutcome(name, phase_map, 0.2, 7500.0, 3.21e9, 612.0, 0.0043, 0.0051, 0.0002, 0.0, (27, 29))
        for name in names[:number]
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_no_figure_is_cut_off_in_a_terminal(width):
    table = printed(outcome_table(outcomes(5)), width)
    for figure in ("20 %", "7500", "0.0043", "0.0051", "0.0002", "27 of 29", "3.2×10⁹", "10.2 min"):
        assert table.count(figure) == 5
    assert "…" not in table


def test_quantities_that_nobody_has_take_no_row():
    table = printed(outcome_table(outcomes(2)), 80)
    assert "deviance" not in table
    assert "prior" in table


def test_a_single_wrong_pixel_is_seen():
    phase_map = np.ones((256, 256), dtype=int)
    maps = [MapOutcome("map", phase_map, 0.2, 7500.0, 3e9, 60.0, wrong / phase_map.size, 0.0) for wrong in (1, 0)]
    table = printed(outcome_table(maps), 80)
    (row,) = [line.split() for line in table.splitlines() if "total distortion" in line]
    assert row[-2:] == ["0.00002", "0.00000"]


def test_the_figures_of_a_run(made_up_run):
    run = read_run(made_up_run.documents())
    table = printed(figures_table(run, stored_bytes=run.dense_bytes // 8), 80)
    assert f"{run.visits}" in table
    assert "1/8.0 of" in table
    assert text.duration(run.latency(0.99)) in table


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(2.5e-4, "250 µs"), (0.0123, "12.3 ms"), (95.0, "95 s"), (1800, "30 min"), (9000, "2.5 h"), (np.nan, "–")],
)
def test_durations_have_the_unit_that_suits_them(seconds, said):
    assert text.duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"), [(3.14e9, "3.1×10⁹"), (9.99e9, "1.0×10¹⁰"), (7500, "7500"), (15.23, "15.2"), (1e4, "1.0×10⁴")]
)
def test_large_numbers_are_powers_of_ten(value, said):
    assert text.in_powers(value) == said


def test_bytes():
    assert [text.size(n) for n in (12, 3.4e3, 5.61e6, 2e9)] == ["12 B", "3.4 kB", "5.61 MB", "2 GB"]
