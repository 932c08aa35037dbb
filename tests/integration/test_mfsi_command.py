"""``daisy-bluesky mfsi`` as a user meets it: on files, on stored runs, and on what cannot be processed."""

import json
import sys

import numpy as np
import pytest
from bluesky import RunEngine
from command_line import run
from PIL import Image

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.cli import main
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import ScanningInstrument
from daisy_bluesky.lbj import Reader, Writer
from daisy_bluesky.mfsi import process_series
from daisy_bluesky.plans import multiframe_map
from daisy_bluesky.specimen import ScannedSpecimen, VirtualSeries, crystal
from daisy_bluesky.storage import file_frames, run_frames, tell_journal_directory

SHAPE, FRAMES = (48, 52), 6
ABOUT = {"offset": 0.0, "dispersion": 0.01, "unit": "keV"}


@pytest.fixture(scope="module")
def series():
    virtual = VirtualSeries(crystal(SHAPE), SHAPE, events=3000, seed=3)
    return np.stack([virtual.image(k) for k in range(FRAMES)]), [virtual.events(k) for k in range(FRAMES)]


@pytest.fixture
def folder(series, tmp_path, monkeypatch):
    images, events = series
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "short.npy", images[:4])
    np.save(tmp_path / "one.npy", images[0])
    np.save(tmp_path / "small.npy", images[:, :40])
    np.save(tmp_path / "blank.npy", np.full_like(images, 3.0))
    np.save(tmp_path / "text.npy", np.array(["no image"]))
    for name, about in (("eds.lbj", ABOUT), ("nameless.lbj", {})):
        with Writer(tmp_path / name, shape=SHAPE, channels=2048, metadata=about) as writer:
            for number, each in enumerate(events, 1):
                writer.append(number, each)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["daisy-bluesky", "mfsi", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


def test_files_become_maps_pictures_sums_and_figures(folder, series):
    options = ("--line", "Ag La", "--line", "Se La", "--upsample", "2", "--motif", "8,8,24", "--dose", "3.4e5")
    done = run("mfsi", "images.npy", "eds.lbj", *options, "--pixel-size", "0.056", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "6 of 6, 48 x 52 pixels" in done.stdout
    figures = json.loads((folder / "mfsi" / "figures.json").read_text())
    assert figures["dose"]["per_area"] == pytest.approx(6 * 3.4e5)
    assert figures["dose"]["effective"] == pytest.approx(6 * 3.4e5 * figures["motif"]["folded"])
    with Image.open(folder / "mfsi" / "map-Ag-La.tif") as picture:
        assert picture.size == (2 * SHAPE[1], 2 * SHAPE[0])
    with Image.open(folder / "mfsi" / "report.png") as picture:
        assert picture.size[0] > 2000
    with np.load(folder / "mfsi" / "results.npz") as results:
        assert results["image"].shape == (2 * SHAPE[0], 2 * SHAPE[1])
        counted = results["map Ag La"].sum()
    with Reader(folder / "mfsi" / "eds-sum.lbj") as total:
        lost = sum(each["count"].sum() for each in series[1]) - int(total[0].sum(dtype=np.int64))
        assert 0 <= lost < 0.05 * 6 * 3000  # what drifted out of the field
    assert figures["maps"]["Ag La"]["net_counts"] == pytest.approx(counted, rel=0.05)
    with Reader(folder / "mfsi" / "motif-eds.lbj") as motif:
        assert motif.shape == (4 * 24, 4 * 24)
        assert motif[0].sum(dtype=np.int64) > 24**2 / (SHAPE[0] * SHAPE[1]) * 6 * 3000  # more than one repeat's


def test_images_alone_are_aligned_and_summed(folder, monkeypatch, capsys):
    code, out, err = command(monkeypatch, capsys, "images.npy", "--rigid", "--output", "out")
    assert (code, err) == (0, "")
    assert "rigid only" in out
    assert {path.name for path in (folder / "out").iterdir()} == {
        "figures.json", "image.tif", "report.png", "results.npz"
    }  # fmt: skip


def test_one_file_a_frame_and_pages_of_a_tiff_are_the_same_series(folder, series):
    images, events = series
    pages = [Image.fromarray(image) for image in images]
    pages[0].save(folder / "stack.tif", save_all=True, append_images=pages[1:])
    for number, each in enumerate(events):
        with Writer(folder / f"spectra{number}.lbj", shape=SHAPE, channels=2048, metadata=ABOUT) as writer:
            writer.append(1, each)
    one = process_series(file_frames([folder / "images.npy", folder / "eds.lbj"]))
    other = process_series(file_frames([folder / "stack.tif", *sorted(folder.glob("spectra*.lbj"))]))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.events.native.events(), other.events.native.events())


def test_recorded_spectrum_images_bring_their_own_images(folder, series):
    images, events = series
    for number, (image, each) in enumerate(zip(images, events, strict=True)):
        lists = {"y": each["row"], "x": each["column"], "ch": each["channel"], "n": each["count"]}
        axis = {"shape": np.array([*SHAPE, 2048]), "e_offset": 0.0, "e_scale": 0.01}
        np.savez(folder / f"frame{number}.npz", **lists, **axis, img_HAADF=image)
    found = process_series(file_frames(sorted(folder.glob("frame*.npz"))))
    expected = process_series(file_frames([folder / "images.npy", folder / "eds.lbj"]))
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.events.native.events(), expected.events.native.events())


@pytest.fixture
def stored_run(tmp_path, monkeypatch):
    """A run of four frames in the journal, and what its devices gave."""
    monkeypatch.chdir(tmp_path)
    microscope = make_devices(ScanningInstrument(ScannedSpecimen(crystal((96, 96)), (96, 96), seed=3)), current=500.0)
    engine, emitted = RunEngine({}), []
    engine.subscribe(Journal(tmp_path / "daisy-data" / "journal"))
    engine.subscribe(lambda name, document: emitted.append((name, document)))
    plan = multiframe_map(
        [microscope.haadf, microscope.eds], microscope.probe,
        pixel_size=0.056, dwell_time=1e-3, frames=4, region=(1.0, 1.0, 2.8, 2.6),
    )  # fmt: skip
    (uid,) = engine(plan)
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    engine._th.join(timeout=5)
    engine.loop.close()
    return tmp_path / "daisy-data" / "journal" / uid, emitted


def test_a_stored_run_is_read_frame_by_frame(stored_run):
    folder, _ = stored_run
    frames = run_frames(folder)
    assert frames.count == 4
    assert frames.pixel_size == pytest.approx(0.056)
    with Reader(folder / "primary-haadf_image.lbj") as images, Reader(folder / "primary-eds_frame.lbj") as events:
        for number in range(4):
            np.testing.assert_array_equal(frames.image(number), images[number])
            assert frames.events(number)["count"].sum() == events.events(number)["count"].sum()
    assert frames.dose_per_frame == pytest.approx(500e-12 * 1e-3 / 1.602176634e-19 / 0.56**2, rel=0.02)
    assert frames.eds_axis.dispersion == pytest.approx(0.01)


@pytest.mark.parametrize("named", ["uid", "-1", "folder"])
def test_a_run_is_named_by_its_uid_or_its_folder(stored_run, monkeypatch, capsys, named):
    folder, _ = stored_run
    source = {"uid": folder.name[:8], "-1": "-1", "folder": folder}[named]
    code, out, err = command(monkeypatch, capsys, source, "--line", "Ag La", "--no-sums", "--no-information")
    assert (code, err) == (0, "")
    assert "4 of 4" in out


def test_a_run_that_is_cut_short_is_processed_as_far_as_it_came(stored_run):
    folder, _ = stored_run
    documents = folder / "documents.jsonl"
    lines = documents.read_bytes().splitlines(keepends=True)
    events = [place for place, line in enumerate(lines) if b'"frame_charge"' in line and b'"seq_num"' in line]
    documents.write_bytes(b"".join(lines[: events[2] + 1]) + lines[events[2] + 1][:20])
    frames = run_frames(folder)
    assert frames.count == 3
    assert process_series(frames).placement.used == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nowhere.npy",), "nowhere.npy"),
        (("images.npy", "nowhere.lbj"), "nowhere.lbj"),
        (("text.npy",), "text.npy: holds no image"),
        (("one.npy",), "at least two frames"),
        (("blank.npy",), "two usable frames"),
        (("small.npy", "eds.lbj"), "register frames of one shape only"),
        (("images.npy", "small.npy"), "register frames of one shape only"),
        (("short.npy", "eds.lbj"), "no image for its spectra"),
        (("eds.lbj",), "no image for its spectra"),
        (("images.npy", "one.npy", "eds.lbj"), "7 images and 6 frames of spectra"),
        (("images.npy", "nameless.lbj"), "does not say the energies"),
        (("images.npy", "eds.lbj", "--line", "Xx La"), "'Xx La' is no line or edge"),
        (("images.npy", "eds.lbj", "--line", "Ag Zz"), "did you mean 'Ag "),
        (("images.npy", "--line", "Ag La"), "the series has images only"),
        (("images.npy", "eds.lbj", "--upsample", "8", "--memory-limit", "1MB"), "more than memory_limit"),
        (("images.npy", "--memory-limit", "plenty"), "memory-limit: 'plenty'"),
        (("images.npy", "--upsample", "9"), "--upsample"),
        (("images.npy", "--motif", "40,40,24"), "rectangle"),
        (("images.npy", "--motif", "here"), "motif: 'here'"),
        (("images.npy", "--axis", "0"), "axis: '0'"),
        (("images.npy", "--motif", "4,4.5,12"), "motif: '4,4.5,12' is not in whole pixels"),
        (("images.npy", "--motif", "nan,4,12"), "motif: 'nan,4,12'"),
        (("images.npy", "eds.lbj", "--axis", "0,0"), "axis: a dispersion of 0"),
        (("images.npy", "eds.lbj", "--axis", "0,nan"), "axis: '0,nan'"),
        (("images.npy", "--output", "/proc/mfsi"), "output: nothing can be written to /proc"),
        (("images.npy", "--scheduler", "gpu"), "scheduler is 'gpu'"),
        (("images.npy", "--scheduler", "tcp://127.0.0.1:1"), "cluster"),
        (("images.npy", "--pixel-size", "-1"), "pixel_size is -1.0"),
        (("images.npy", "--dose", "0"), "dose_per_frame is 0.0"),
        (("images.npy", "--noise-gain", "0"), "noise_gain is 0.0"),
        (("images.npy", "eds.lbj", "--line", "Ag La@2,3"), "only the background of an edge"),
        (("images.npy", "--output", "one.npy"), "output: one.npy is a file"),
        (("images.npy", "--output", "no/where"), "output: there is no folder"),
        (("images.npy", "--upsmaple", "2"), "there is no option --upsmaple"),
        (("deadbeef",), "no run in"),
    ],
)
def test_bad_input_is_named_in_one_line_and_nothing_is_written(folder, monkeypatch, capsys, arguments, named):
    before = sorted(path.name for path in folder.iterdir())
    code, _, err = command(monkeypatch, capsys, *arguments)
    assert code == 2
    assert named in err
    assert err.count("\n") == 1
    assert set(before) | {"daisy-data"} >= {path.name for path in folder.iterdir()}


def test_frames_that_cannot_be_used_are_told_and_left_out(folder, series, monkeypatch, capsys):
    images = np.concatenate([series[0], series[0][:3]])
    images[2], images[4, 3, 3] = 9.0, np.nan
    images[5] = np.minimum(images[5], np.percentile(images[5], 80))
    np.save(folder / "faulty.npy", images)
    code, out, err = command(monkeypatch, capsys, "faulty.npy")
    assert (code, err) == (0, "")
    assert "6 of 9" in out
    for told in ("frame 2: blank", "frame 4: not finite", "frame 5: saturated"):
        assert told in out
    excluded = json.loads((folder / "mfsi" / "figures.json").read_text())["excluded"]
    assert set(excluded) == {"2", "4", "5"}


def test_a_series_that_was_continued_is_one_series(tmp_path, monkeypatch, new_engine):
    monkeypatch.chdir(tmp_path)
    journal = tmp_path / "daisy-data" / "journal"
    microscope = make_devices(ScanningInstrument(ScannedSpecimen(crystal((96, 96)), (96, 96), seed=3)), current=500.0)
    engine = new_engine()
    engine.subscribe(Journal(journal))
    tell_journal_directory(engine, journal)
    measured = [microscope.haadf, microscope.eds]
    asked = {"pixel_size": 0.056, "dwell_time": 1e-3, "region": (1.0, 1.0, 2.8, 2.6)}
    (first,) = engine(multiframe_map(measured, microscope.probe, frames=2, **asked))
    plan = multiframe_map(measured, microscope.probe, frames=5, continue_from=first)
    (second,) = engine(plan)
    frames = run_frames(journal / second)
    assert frames.count == 5
    with Reader(journal / first / "primary-haadf_image.lbj") as images:
        np.testing.assert_array_equal(frames.image(1), images[1])
    with Reader(journal / second / "primary-haadf_image.lbj") as images:
        np.testing.assert_array_equal(frames.image(4), images[2])
    assert process_series(frames).placement.used == [0, 1, 2, 3, 4]
