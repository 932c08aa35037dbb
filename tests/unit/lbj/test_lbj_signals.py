"""What kind of spectra they are, and how large their pixels, goes through a journal and back."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky import lbj
from daisy_bluesky.lbj._signals import signal_of, spectra_of_signals

ORIGINALS = Path(__file__).resolve().parents[4] / "shared" / "data" / "originals"


def axis(name, size, scale=1.0, offset=0.0, units="", *, navigate=True):
    return {"name": name, "size": size, "scale": scale, "offset": offset, "units": units, "navigate": navigate}


def signal(kind, *axes):
    shape = tuple(each["size"] for each in axes)
    data = np.random.default_rng(0).poisson(3, shape).astype(np.uint16)
    return {"data": data, "axes": list(axes), "metadata": {"Signal": {"signal_type": kind}}}


HEIGHT, WIDTH = axis("height", 3, 8.7, 1.0, "µm"), axis("width", 4, 8.7, 0.0, "µm")


@pytest.mark.parametrize(
    ("kind", "axes"),
    [
        ("EDS_SEM", [axis("Energy", 5, 10.0, 2.5, "eV", navigate=False)]),
        ("EDS_SEM", [HEIGHT, WIDTH, axis("Energy", 5, 0.01, -0.47, "keV", navigate=False)]),
        (
            "EELS",
            [axis("y", 3), axis("x", 4, 0.5, 0.0, "nm"), axis("Energy loss", 5, 0.1, 400.0, "eV", navigate=False)],
        ),
        ("CL", [HEIGHT, axis("Channel", 5, navigate=False)]),
        ("", [axis("time", 2, 0.5, 0.0, "s"), HEIGHT, WIDTH, axis("Channel", 5, navigate=False)]),
        ("", [*(axis("", 2) for _ in range(4)), axis("Channel", 5, navigate=False)]),
    ],
)
@pytest.mark.parametrize("way", [".lbj", ".npz"])
def test_signals_come_back_as_what_they_were(tmp_path, monkeypatch, kind, axes, way):
    files = {"in.hspy": [signal(kind, *axes)]}

    class Plugin:
        @staticmethod
        def file_reader(path):
            return files[Path(path).name]

        @staticmethod
        def file_writer(path, written):
            Path(path).touch()
            files[Path(path).name] = [written]

    monkeypatch.setattr("daisy_bluesky.lbj._exchange._plugin", lambda *_: Plugin)
    (tmp_path / "in.hspy").touch()
    steps = ["in.hspy", "a.lbj", "b.hspy"] if way == ".lbj" else ["in.hspy", "a.lbj", "b.npz", "c.lbj", "d.hspy"]
    for source, target in pairwise(steps):
        lbj.convert(tmp_path / source, tmp_path / target)
    (before,), (after,) = files["in.hspy"], files[steps[-1]]
    np.testing.assert_array_equal(after["data"], before["data"])
    assert after["metadata"]["Signal"]["signal_type"] == kind
    for one, other in zip(before["axes"], after["axes"], strict=True):
        assert [other[key] for key in ("size", "scale", "offset", "navigate")] == [
            one[key] for key in ("size", "scale", "offset", "navigate")
        ]
        assert other["units"] == one["units"] or (one["units"], other["units"]) == ("", "px")
        if one["units"]:
            assert other["name"] == one["name"]


def test_an_axis_that_only_counts_is_no_calibration():
    spectra = spectra_of_signals([signal("", axis("y", 3), axis("x", 4), axis("Channel", 5, navigate=False))])
    assert spectra.metadata == {}
    again = spectra_of_signals([signal_of(spectra)])
    assert again.metadata == {}


@pytest.mark.parametrize(
    "odd", [{"axes": "mine"}, {"axes": [1, {"scale": None}]}, {"offset": None, "dispersion": "wide"}]
)
def test_metadata_that_calibrate_nothing_are_passed_over(odd):
    spectra = spectra_of_signals([signal("EELS", axis("y", 3), axis("x", 4), axis("E", 5, navigate=False))])
    told = signal_of(spectra._replace(metadata={**odd, "unit": "eV"}))
    assert [each["scale"] for each in told["axes"]] == [1.0, 1.0, 1.0]


@pytest.mark.data
@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="the public measurements are not at ../shared/data")
def test_files_of_instruments_keep_their_kind_and_pixels(tmp_path):
    hspy = pytest.importorskip("rsciio.hspy")
    for name, scales in (("P45_the_default_job.bcf", [8.73678506197786] * 2), ("IIIE K412[0][4].msa", [])):
        stem = tmp_path / Path(name).suffix
        lbj.convert(ORIGINALS / name, f"{stem}.lbj")
        lbj.convert(f"{stem}.lbj", f"{stem}.hspy")
        (back,) = hspy.file_reader(f"{stem}.hspy")
        assert back["metadata"]["Signal"]["signal_type"] == "EDS_SEM"
        assert [each["scale"] for each in back["axes"][:-1]] == pytest.approx(scales)
        assert back["axes"][-1]["name"] == "Energy"
