"""Frames of a series out of files, against what was written."""

import pickle

import numpy as np
import pytest

from daisy_bluesky.lbj import Writer
from daisy_bluesky.spectra import EnergyAxis
from daisy_bluesky.storage import file_frames

SHAPE, CHANNELS, FRAMES = (17, 19), 30, 3
COUNTS = {"offset": 0.1, "dispersion": 0.02, "unit": "keV"}
LOSSES = {"offset": 200.0, "dispersion": 0.5, "unit": "eV"}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.normal(100, 10, (FRAMES, *SHAPE)).astype(np.float32)
    counts = rng.poisson(0.1, (FRAMES, *SHAPE, CHANNELS)).astype(np.uint32)
    np.save(tmp_path / "images.npy", images)
    return tmp_path, images, counts


def write(path, items, about, dtype=np.uint32, shape=SHAPE):
    with Writer(path, shape=shape, channels=CHANNELS, dtype=dtype, metadata=about) as writer:
        for number, item in enumerate(items, 1):
            writer.append(number, item.astype(dtype))
    return path


def dense(events):
    cube = np.zeros((*SHAPE, CHANNELS), np.int64)
    np.add.at(cube, (events["row"], events["column"], events["channel"]), events["count"])
    return cube


def test_counts_come_back_frame_by_frame_and_their_energies_with_them(folder):
    path, images, counts = folder
    found = file_frames([path / "images.npy", write(path / "eds.lbj", counts, COUNTS)], pixel_size=0.1)
    assert found.eds_axis == EnergyAxis(0.1, 0.02, CHANNELS, "keV")
    assert (found.count, found.pixel_size, found.spectra) == (FRAMES, 0.1, None)
    for number in range(FRAMES):
        np.testing.assert_array_equal(found.image(number), images[number])
        np.testing.assert_array_equal(dense(found.events(number)), counts[number])


def test_a_file_of_single_spectra_is_a_frame(folder):
    path, _, counts = folder
    files = [
        write(path / f"{number}.lbj", counts[number].reshape(-1, CHANNELS), COUNTS, shape=())
        for number in range(FRAMES)
    ]
    found = file_frames([path / "images.npy", *files])
    for number in range(FRAMES):
        np.testing.assert_array_equal(dense(found.events(number)), counts[number])


def test_energy_losses_keep_the_energies_of_each_frame(folder):
    path, _, counts = folder
    files = [
        write(path / f"{number}.lbj", [counts[number] * 1.5], LOSSES | {"offset": 200.0 + 3 * number}, np.float32)
        for number in range(FRAMES)
    ]
    found = file_frames([path / "images.npy", *files])
    assert found.eels_axis == EnergyAxis(200.0, 0.5, CHANNELS, "eV")
    assert [found.energy_step(number) for number in range(FRAMES)] == [0.0, 6.0, 12.0]
    np.testing.assert_array_equal(found.spectra(2), counts[2] * np.float32(1.5))


def test_energies_that_files_lack_can_be_told(folder):
    path, _, counts = folder
    nameless = write(path / "eds.lbj", counts, {})
    with pytest.raises(ValueError, match="does not say the energies"):
        file_frames([path / "images.npy", nameless])
    found = file_frames([path / "images.npy", nameless], axis=EnergyAxis(0.0, 0.01, 1, "keV"))
    assert found.eds_axis == EnergyAxis(0.0, 0.01, CHANNELS, "keV")


def test_a_series_can_be_sent_to_other_processes(folder):
    path, images, counts = folder
    found = file_frames([path / "images.npy", write(path / "eds.lbj", counts, COUNTS)])
    sent = pickle.dumps(found)
    assert len(sent) < 10_000
    again = pickle.loads(sent)
    np.testing.assert_array_equal(again.image(1), images[1])
    np.testing.assert_array_equal(dense(again.events(1)), counts[1])


def test_a_file_that_was_written_anew_is_read_anew(folder):
    path, images, counts = folder
    files = [path / "images.npy", write(path / "eds.lbj", counts, COUNTS)]
    before = file_frames(files)
    np.testing.assert_array_equal(dense(before.events(0)), counts[0])
    np.save(path / "images.npy", np.concatenate([images, images[:1]]) + 1)
    (path / "eds.lbj").unlink()
    write(path / "eds.lbj", np.concatenate([counts, counts[:1]])[::-1], COUNTS)
    after = file_frames(files)
    assert after.count == FRAMES + 1
    np.testing.assert_array_equal(after.image(0), images[0] + 1)
    np.testing.assert_array_equal(dense(after.events(1)), counts[2])
