"""A writer seals its own file, wherever that lies by now, and touches no other."""

import os
import stat
import sys

import numpy as np
import pytest

from daisy_bluesky import lbj
from daisy_bluesky.lbj import _compact

CHANNELS = 256


def spectra(n, seed=0):
    return np.random.default_rng(seed).poisson(3, (n, CHANNELS)).astype(np.uint32)


def append(writer, items):
    for number, item in enumerate(items):
        writer.append(number, item)


def assert_holds(path, items):
    assert lbj.verify(path) == []
    assert lbj.summary(path).is_closed
    with lbj.Reader(path) as reader:
        np.testing.assert_array_equal(reader[:], items)


def test_change_of_folder_neither_loses_a_file_nor_touches_its_namesake(tmp_path, monkeypatch):
    items, others = spectra(400), spectra(400, seed=1)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    writer = lbj.Writer("a.lbj", channels=CHANNELS)
    append(writer, items)
    monkeypatch.chdir(tmp_path / "two")
    namesake = lbj.Writer("a.lbj", channels=CHANNELS)
    append(namesake, others[:200])
    writer.close()
    for number in range(200, 400):
        namesake.append(number, others[number])
    namesake.close()
    assert_holds(tmp_path / "one" / "a.lbj", items)
    assert_holds(tmp_path / "two" / "a.lbj", others)


def test_reader_stays_with_its_file_after_a_change_of_folder(tmp_path, monkeypatch):
    for folder, items in (("one", spectra(400)), ("two", spectra(3, seed=1))):
        (tmp_path / folder).mkdir()
        with lbj.Writer(tmp_path / folder / "a.lbj", channels=CHANNELS) as writer:
            append(writer, items)
    monkeypatch.chdir(tmp_path / "one")
    with lbj.Reader("a.lbj") as reader:
        monkeypatch.chdir(tmp_path / "two")
        assert reader.refresh() == 400


@pytest.mark.parametrize("has_namesake", [True, False])
def test_moved_file_is_sealed_where_it_is(tmp_path, has_namesake):
    items, others = spectra(400), spectra(400, seed=1)
    writer = lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS)
    append(writer, items)
    writer.path.rename(tmp_path / "moved.lbj")
    namesake = lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS) if has_namesake else None
    if namesake is not None:
        append(namesake, others[:100])
    writer.close()
    assert_holds(tmp_path / "moved.lbj", items)
    if namesake is not None:
        for number in range(100, 400):
            namesake.append(number, others[number])
        namesake.close()
        assert_holds(tmp_path / "a.lbj", others)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.lbj", "moved.lbj"][not has_namesake :]


def test_file_moved_while_its_compact_form_is_written_is_sealed_where_it_is(tmp_path, monkeypatch):
    items = spectra(400)
    writer = lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS)
    append(writer, items)

    def move(path, known):
        writer.path.rename(tmp_path / "moved.lbj")
        writer.path.write_text("precious")

    monkeypatch.setattr(_compact, "_keep_owner_and_mode", move)
    writer.close()
    assert_holds(tmp_path / "moved.lbj", items)
    assert (tmp_path / "a.lbj").read_text() == "precious"


def test_file_in_a_renamed_folder_is_sealed_there(tmp_path):
    items = spectra(400)
    (tmp_path / "one").mkdir()
    writer = lbj.Writer(tmp_path / "one" / "a.lbj", channels=CHANNELS)
    append(writer, items)
    (tmp_path / "one").rename(tmp_path / "two")
    writer.close()
    assert_holds(tmp_path / "two" / "a.lbj", items)


def test_deleted_file_is_told(tmp_path):
    writer = lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS)
    append(writer, spectra(400))
    writer.path.unlink()
    with pytest.raises(lbj.LBJError, match=r"a\.lbj was deleted while it was written, and its 400 items"):
        writer.close()
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_refused_second_writer_leaves_what_the_first_one_is_writing(tmp_path):
    writer = lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS)
    beside = _compact.compact_path(writer.path)
    beside.write_bytes(b"half written")
    with pytest.raises(FileExistsError):
        lbj.Writer(writer.path, channels=CHANNELS)
    if sys.platform != "win32":
        with pytest.raises(BlockingIOError):
            lbj.Writer(writer.path, channels=CHANNELS, append=True)
    assert beside.exists()
    writer.close()


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes as POSIX has them")
class TestNatureOfTheFile:
    def test_link_stays_a_link(self, tmp_path):
        items = spectra(400)
        (tmp_path / "store").mkdir()
        (tmp_path / "a.lbj").symlink_to("store/real.lbj")
        with lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS, append=True) as writer:
            append(writer, items)
        assert (tmp_path / "a.lbj").is_symlink()
        assert_holds(tmp_path / "store" / "real.lbj", items)

    def test_mode_and_owner_are_kept(self, tmp_path):
        writer = lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS)
        owner = (1234, 1234) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        writer.path.chmod(0o660)
        os.chown(writer.path, *owner)
        before = writer.path.stat()
        append(writer, spectra(400))
        writer.close()
        after = writer.path.stat()
        assert after.st_ino != before.st_ino
        assert stat.S_IMODE(after.st_mode) == 0o660
        assert (after.st_uid, after.st_gid) == owner
