"""Recorded spectrum images through the format: exact, and as small as lists of photons can be."""

from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky import lbj

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.exists(), reason="the public measurements are not in ../shared/data"),
]


def recorded(name):
    with np.load(DATA / f"eds_si_{name}.npz") as file:
        events = np.empty(file["y"].size, [("row", int), ("column", int), ("channel", int), ("count", int)])
        for field, key in (("row", "y"), ("column", "x"), ("channel", "ch"), ("count", "n")):
            events[field] = file[key]
        return events, tuple(int(length) for length in file["shape"])


@pytest.mark.parametrize(
    ("name", "bytes_per_nonzero"),
    [("espm_brg_fp", 1.2), ("SiO2_particles", 1.5), ("P45_mineral", 1.4), ("velox_16", 2.2)],
)
def test_frame_of_events_is_exact_and_small(tmp_path, name, bytes_per_nonzero):
    events, shape = recorded(name)
    cube = np.zeros(shape, np.uint32)
    np.add.at(cube, (events["row"], events["column"], events["channel"]), events["count"])
    with lbj.Writer(tmp_path / "frame.lbj", shape=shape[:2], channels=shape[2]) as writer:
        writer.append(1, events)
        size = writer.nbytes
    with lbj.Reader(writer.path) as reader:
        np.testing.assert_array_equal(reader[0], cube)
        assert reader.events(0)["count"].sum() == events["count"].sum()
    assert size < bytes_per_nonzero * np.count_nonzero(cube)


def test_spectra_one_by_one_are_exact(tmp_path):
    events, shape = recorded("P45_mineral")
    cube = np.zeros(shape, np.uint32)
    np.add.at(cube, (events["row"], events["column"], events["channel"]), events["count"])
    spectra = cube.reshape(-1, shape[2])
    with lbj.Writer(tmp_path / "spectra.lbj", channels=shape[2]) as writer:
        for n, spectrum in enumerate(spectra):
            writer.append(n, spectrum)
    with lbj.Reader(writer.path) as reader:
        np.testing.assert_array_equal(reader[:], spectra)
    assert writer.path.stat().st_size < cube.nbytes / 150
