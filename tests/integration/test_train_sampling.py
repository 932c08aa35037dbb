"""Training a sampling model from images, as a user meets it."""

import sys

import numpy as np
import pytest
from PIL import Image

from daisy_bluesky.cli import main
from daisy_bluesky.sampling import Slads, SladsModel, read_label_maps, train, train_default


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run ``train sampling`` within this process; return exit code, output and error output."""

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["daisy-bluesky", "train", "sampling", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return end.value.code or 0, said.out, said.err

    return call


def bands(side=32):
    rows, columns = np.indices((side, side))
    return np.where(rows + columns // 2 < side // 2, 1, np.where(columns > side // 2, 2, 3)).astype(np.uint8)


def test_a_model_from_images_is_what_training_on_them_gives(command, tmp_path):
    """The file says what it was trained on, and how well it did, and samples."""
    np.save(tmp_path / "map.npy", bands())
    Image.fromarray(bands()[::-1] * 80).save(tmp_path / "map.png")
    code, out, err = command("map.npy", "map.png", "--output", "model.npz", "--seed", 3)
    assert (code, err) == (0, "")
    model = SladsModel.load(tmp_path / "model.npz")
    assert model.description.startswith("map.npy, map.png; network of seed ")
    assert "; mean total distortion at " in model.description
    assert model.description in " ".join(out.split())
    assert model.digest == train([bands(), bands()[::-1]], seed=3, description="map.npy, map.png").digest
    assert len(Slads((20, 20), phases=3, model=model).suggest()) == 1


def test_without_images_it_makes_the_shipped_model(command, tmp_path, monkeypatch):
    """A smaller twin: the same shapes and settings at a quarter of the side."""
    monkeypatch.setattr(train_default, "SIDE", 32)
    monkeypatch.setattr(train_default, "TRAINING_SEEDS", (1,))
    monkeypatch.setattr(train_default, "CALIBRATION_SEEDS", (11,))
    code, _, err = command("--output", "model.npz")
    assert (code, err) == (0, "")
    assert SladsModel.load(tmp_path / "model.npz").digest == train_default.make_default().digest


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("map.txt", b"1 2", "map.txt: images are .npy, .npz, .png, .tif, .tiff files"),
        ("map.npy", b"no array", "map.npy: not a readable NumPy file"),
        ("map.png", b"no picture", "map.png: not a readable image"),
        ("absent.png", None, "absent.png: No such file or directory"),
    ],
)
def test_one_line_and_exit_code_2(command, tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, out, err = command(name, "--output", "model.npz")
    assert (code, out) == (2, "")
    assert err == f"daisy-bluesky: {says}\n"
    assert not (tmp_path / "model.npz").exists()


def test_the_model_is_named_after_what_it_is_for_and_never_written_over(command, tmp_path):
    np.save(tmp_path / "map.npy", bands(16))
    code, out, err = command("map.npy")
    assert (code, err) == (0, "")
    assert out.startswith("sampling.npz: map.npy; ")
    written = (tmp_path / "sampling.npz").read_bytes()
    code, out, err = command("map.npy")
    assert (code, out) == (2, "")
    assert "sampling.npz is there already" in err
    assert (tmp_path / "sampling.npz").read_bytes() == written


def test_what_is_being_done_is_told():
    told = []
    train([bands()], rounds=2, networks=2, tell=told.append)
    assert told == [
        "learning from random pixels, round 1 of 2",
        "learning from its own sampling, round 2 of 2",
        "fitting and trying network 1 of 2",
        "fitting and trying network 2 of 2",
        "choosing how much it explores",
        "calibrating its estimate of the remaining distortion",
    ]


def test_an_absent_folder_is_named_before_training(command):
    code, _, err = command("--output", "nowhere/model.npz")
    assert code == 2
    assert "there is no folder" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--output", "."), "output: . is a folder"),
        (("--output", "model.npz", "--levels", "1"), "--levels: 1 is too small"),
        (("--output", "model.npz", "--levels", "1000"), "--levels: 1000 is too large"),
        (("--output", "model.npz", "--seed", "-1"), "--seed: -1 is too small"),
    ],
)
def test_what_cannot_work_is_named_before_training(command, arguments, says):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_grey_images_are_cut_into_levels(tmp_path):
    ramp = np.linspace(0, 1, 64 * 64).reshape(64, 64)
    np.savez(tmp_path / "images.npz", ramp=ramp, phases=bands(), spectrum=np.arange(5))
    Image.fromarray((255 * ramp).astype(np.uint8)).save(tmp_path / "ramp.tif")
    grey, phases, picture = read_label_maps([tmp_path / "images.npz", tmp_path / "ramp.tif"], levels=4)
    np.testing.assert_array_equal(grey, 1 + np.minimum(4 * ramp, 3).astype(int))
    np.testing.assert_array_equal(phases, bands())
    assert (np.unique(picture) == [1, 2, 3, 4]).all()


def test_refuses_images_that_teach_nothing(tmp_path):
    for image, message in (
        (np.ones((20, 20)), "one value"),
        (np.full((20, 20), np.nan), "image.npy: has pixels that are not finite"),
        (np.arange(4).reshape(2, 2), r"image\.npy: an image of 2 x 2 pixels teaches nothing; give at least 16 x 16"),
        (np.append(np.arange(399.0), np.inf).reshape(20, 20), "not finite"),
        (np.arange(20), "two-dimensional"),
    ):
        np.save(tmp_path / "image.npy", image)
        with pytest.raises(ValueError, match=message):
            read_label_maps([tmp_path / "image.npy"])
    with pytest.raises(ValueError, match="levels"):
        read_label_maps([], levels=1)
    with pytest.raises(ValueError, match=r"^label_maps: a map of one label"):
        train([bands(), np.ones((20, 20), int)])
