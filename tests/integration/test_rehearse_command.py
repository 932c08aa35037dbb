"""``daisy-bluesky rehearse`` as a user meets it, and the same in IPython."""

import json
import sys

import numpy as np
import pytest
from command_line import run

from daisy_bluesky.cli import main
from daisy_bluesky.session import rehearse


@pytest.fixture
def field(tmp_path):
    """A folder with a phase map and a grey image of it."""
    row, column = np.indices((24, 24))
    labels = 1 + (np.hypot(row - 11, column - 9) < 6) + 2 * (column > 18)
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "grey.npy", labels * 3.0 + np.random.default_rng(0).normal(size=labels.shape))
    np.save(tmp_path / "nan.npy", np.full((24, 24), np.nan))
    np.save(tmp_path / "flat.npy", np.ones((24, 24)))
    (tmp_path / "text.npy").write_text("no image")
    return tmp_path


def test_it_prints_the_forecast_and_the_plan_and_writes_picture_and_figures(field):
    told = ("--settling", "1 ms", "--read-out", "200us", "--rate", "2000", "--current", "50", "--wanted", "0.03")
    done = run("rehearse", "labels.npy", *told, "--json", "out.json", cwd=field)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Break-even dwell" in done.stdout
    assert "    RE(" in done.stdout
    assert (field / "rehearsal.png").stat().st_size > 10_000
    stored = json.loads((field / "out.json").read_text())
    assert stored["cost"]["settling"] == pytest.approx(1e-3)
    assert stored["cost"]["read_out"] == pytest.approx(2e-4)
    assert stored["plan"] in done.stdout
    assert {one["policy"] for one in stored["forecasts"]} == {"raster", "sparse", "dose"}
    assert sorted(path.name for path in field.iterdir()) == sorted(
        ["flat.npy", "grey.npy", "labels.npy", "nan.npy", "text.npy", "out.json", "rehearsal.png"]
    )


def test_a_grey_image_is_taken_for_as_many_phases_as_asked_for(field, capsys, monkeypatch):
    monkeypatch.chdir(field)
    rehearsal = rehearse("grey.npy", phases=3, rate=2000.0, wanted=0.05, cost={"settling": 0.0})
    said = capsys.readouterr().out
    assert rehearsal.shape == (24, 24)
    assert rehearsal.cost.settling == 0
    assert "RE(" in said
    assert {path.name for path in field.iterdir()} == {"flat.npy", "grey.npy", "labels.npy", "nan.npy", "text.npy"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nowhere.npy",), "survey: nowhere.npy cannot be read"),
        (("text.npy",), "survey: text.npy"),
        (("nan.npy",), "survey: "),
        (("picture.gif",), "survey: picture.gif"),
        (("labels.npy", "--settling", "soon"), "settling: 'soon' is no time"),
        (("labels.npy", "--settling", "-1ms"), "settling: '-1ms' is negative; give a time from 0 up"),
        (
            (
                "labels.npy",
                "--settling=-soon",
            ),
            "settling: '-soon' is no time",
        ),
        (("labels.npy", "--spectra", "labels.npy"), "spectra: labels.npy is neither"),
        (("labels.npy", "--read-out", "1 hour"), "read-out: '1 hour' is no time"),
        (("labels.npy", "--minimum-dwell", "0"), "minimum_dwell"),
        (("labels.npy", "--phases", "9"), "phases: 9 phases, but spectra of 4"),
        (("labels.npy", "--phases", "1"), "--phases: 1 is too small"),
        (("labels.npy", "--spectra", "nowhere.npz"), "spectra: nowhere.npz cannot be read"),
        (("labels.npy", "--spectra", "text.npy"), "spectra: text.npy is neither"),
        (("labels.npy", "--rate", "0"), "rate: 0.0 counts per second"),
        (("labels.npy", "--rate", "nan"), "rate: nan counts per second"),
        (("labels.npy", "--current", "0"), "current: 0.0 pA"),
        (("labels.npy", "--wanted", "1"), "wanted: "),
        (("labels.npy", "--report", "picture.jpg"), "report: picture.jpg is no .png"),
        (("labels.npy", "--json", "nowhere/out.json"), "json: there is no folder"),
        (("labels.npy", "--json", "."), "json: . is a folder"),
        (("labels.npy", "--json", "/proc/out.json"), "json: /proc/out.json cannot be written"),
        (("flat.npy",), "survey: the image has the same value everywhere"),
        (("labels.npy", "--scarce", "patience"), "--scarce"),
    ],
)
def test_bad_input_is_named_in_one_line_and_nothing_is_written(field, capsys, monkeypatch, arguments, named):
    monkeypatch.chdir(field)
    monkeypatch.setattr(sys, "argv", ["daisy-bluesky", "rehearse", *arguments])
    before = sorted(field.iterdir())
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    assert end.value.code == 2
    assert named in said.err
    assert said.err.count("\n") == 1
    assert sorted(field.iterdir()) == before
