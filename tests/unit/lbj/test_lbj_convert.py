"""What a journal is, stays; and a target is written once, whole, or not at all."""

import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky import lbj


@pytest.fixture
def image(tmp_path):
    rng = np.random.default_rng(1)
    data = (rng.poisson(200, (10, 12, 64)) + rng.normal(0, 3, (10, 12, 64))).astype(np.float32)
    np.savez(tmp_path / "image.npz", data=data)
    return tmp_path / "image.npz"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("options", [{"sigma": 2}, {"blocks": [(0, 4)]}])
def test_a_copy_promises_no_more_than_its_source(image, tmp_path, options):
    first, second, third = (tmp_path / f"{number}.lbj" for number in range(3))
    lbj.convert(image, first, **options)
    lbj.convert(first, second)
    with lbj.Reader(first) as one, lbj.Reader(second) as other:
        assert other.guarantee == one.guarantee
        assert other.guarantee.kind != "exact"
        assert other[:].tobytes() == one[:].tobytes()
    assert second.stat().st_size <= 1.01 * first.stat().st_size
    with pytest.raises(ValueError, match="not exact any more"):
        lbj.convert(second, third, sigma=2)


@pytest.mark.parametrize("references", [{}, {"dark": np.arange(64) * 1.5, "gain": np.full(64, 1.1)}])
def test_a_copy_keeps_numbers_items_references_and_metadata(tmp_path, references):
    rng = np.random.default_rng(2)
    metadata = {"offset": 0.0, "dispersion": 1.0, "unit": "eV", "sample": "K412"}
    with lbj.Writer(tmp_path / "a.lbj", channels=64, metadata=metadata, **references) as writer:
        for number in (5, 9, 700):
            writer.append(number, rng.poisson(100, 64))
    lbj.convert(tmp_path / "a.lbj", tmp_path / "b.lbj")
    for corrected in (True, False):
        with (
            lbj.Reader(tmp_path / "a.lbj", corrected=corrected) as one,
            lbj.Reader(tmp_path / "b.lbj", corrected=corrected) as other,
        ):
            assert other.seq_nums.tolist() == [5, 9, 700]
            assert (other.shape, other.dtype, other.metadata) == ((), one.dtype, metadata)
            np.testing.assert_array_equal(other[:], one[:])


def test_a_coarser_copy_keeps_numbers_items_and_metadata(tmp_path):
    rng = np.random.default_rng(3)
    spectra = rng.poisson(1000, (40, 64)).astype(np.float32)
    with lbj.Writer(tmp_path / "a.lbj", channels=64, dtype="f4", metadata={"sample": "K412"}) as writer:
        for number, spectrum in enumerate(spectra):
            writer.append(3 * number, spectrum)
    lbj.convert(tmp_path / "a.lbj", tmp_path / "b.lbj", sigma=1)
    with lbj.Reader(tmp_path / "b.lbj") as reader:
        assert reader.seq_nums.tolist() == list(range(0, 120, 3))
        assert (reader.guarantee.step, dict(reader.metadata)) == (1.0, {"sample": "K412"})
        assert np.abs(reader[:] - spectra).max() < 0.7 * np.sqrt(1200)


@pytest.mark.parametrize("options", [{"sigma": 1}, {"blocks": [(0, 2)]}])
def test_truth_values_are_not_quantised(tmp_path, options):
    np.savez(tmp_path / "a.npz", data=np.ones((3, 4, 8), bool))
    with pytest.raises(ValueError, match="truth values"):
        lbj.convert(tmp_path / "a.npz", tmp_path / "a.lbj", **options)
    assert names(tmp_path) == ["a.npz"]


def test_what_a_killed_process_left_is_no_obstacle(image, tmp_path):
    (tmp_path / ".part-a.lbj").write_text("old")
    (tmp_path / ".a.lbj.part").write_text("old")
    lbj.convert(image, tmp_path / "a.lbj")
    lbj.repair(tmp_path / "a.lbj", tmp_path / "b.lbj")
    assert lbj.verify(tmp_path / "b.lbj") == []


@pytest.mark.parametrize("links", [True, False])
def test_a_target_that_comes_meanwhile_is_kept(image, tmp_path, monkeypatch, links):
    target = tmp_path / "a.lbj"
    link = os.link

    def late(made, final):
        Path(final).write_text("of another")
        if not links:
            raise OSError(errno.EPERM, "no links here", str(made))
        link(made, final)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(FileExistsError, match="exists"):
        lbj.convert(image, target)
    assert target.read_text() == "of another"
    assert names(tmp_path) == ["a.lbj", "image.npz"]


def test_a_file_system_without_links_takes_files_too(image, tmp_path, monkeypatch):
    def refuse(made, final):
        raise OSError(errno.EPERM, "no links here", str(made))

    monkeypatch.setattr(os, "link", refuse)
    lbj.convert(image, tmp_path / "a.lbj")
    assert lbj.verify(tmp_path / "a.lbj") == []
    assert names(tmp_path) == ["a.lbj", "image.npz"]


def test_two_conversions_to_one_target_leave_one_whole(image, tmp_path, monkeypatch):
    target = tmp_path / "a.lbj"
    link = os.link

    def second_first(made, final):
        monkeypatch.setattr(os, "link", link)
        lbj.convert(image, target)
        link(made, final)

    monkeypatch.setattr(os, "link", second_first)
    with pytest.raises(FileExistsError, match=r"a\.lbj exists by now"):
        lbj.convert(image, target)
    assert lbj.verify(target) == []
    assert names(tmp_path) == ["a.lbj", "image.npz"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("image.npz", "x.foo", "x.foo: cannot write '.foo'"),
        ("none.npz", "x.foo", "x.foo: cannot write '.foo'"),
        ("image.npz", "nodir/x.lbj", "nodir: there is no such folder"),
    ],
)
def test_messages_name_what_the_user_named(image, tmp_path, source, target, message):
    with pytest.raises((ValueError, OSError)) as refused:
        lbj.convert(tmp_path / source, tmp_path / target)
    assert str(refused.value).startswith(f"{tmp_path}/{message}")


def test_a_full_disk_is_told_of_the_target(image, tmp_path, monkeypatch):
    def full(made, final):
        raise OSError(errno.ENOSPC, "No space left on device", str(made))

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space left") as refused:
        lbj.convert(image, tmp_path / "a.lbj")
    assert refused.value.filename == str(tmp_path / "a.lbj")
    assert names(tmp_path) == ["image.npz"]


def test_a_damaged_journal_is_not_copied(image, tmp_path):
    lbj.convert(image, tmp_path / "a.lbj")
    data = bytearray((tmp_path / "a.lbj").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.lbj").write_bytes(data)
    for target in ("b.lbj", "b.npz"):
        with pytest.raises(ValueError, match=r"a\.lbj"):
            lbj.convert(tmp_path / "a.lbj", tmp_path / target)
    assert names(tmp_path) == ["a.lbj", "image.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits on the length of a file")
@pytest.mark.parametrize("target", ["b.lbj", "b.npz"])
def test_a_file_that_cannot_grow_is_named(image, tmp_path, target):
    import resource

    lbj.convert(image, tmp_path / "a.lbj")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(OSError, match="large") as refused:
            lbj.convert(tmp_path / "a.lbj", tmp_path / target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.filename == str(tmp_path / target)
    assert names(tmp_path) == ["a.lbj", "image.npz"]


def test_a_folder_that_takes_no_files_is_told_by_the_target(image, tmp_path, monkeypatch):
    def forbid(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "mkdir", forbid)
    with pytest.raises(PermissionError) as refused:
        lbj.convert("image.npz", "a.lbj")
    assert refused.value.filename == "a.lbj"
