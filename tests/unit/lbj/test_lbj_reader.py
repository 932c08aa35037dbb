"""What a reader gives, and what it says where the file is not whole."""

import numpy as np
import pytest

from daisy_bluesky import lbj
from daisy_bluesky.lbj._codecs import RAW
from daisy_bluesky.lbj._record import ITEM, frame


@pytest.fixture
def file(tmp_path):
    """Path and rows of a closed file of frames whose records lie out of order."""
    rng = np.random.default_rng(5)
    frames = rng.poisson(0.4, (12, 2, 3, 20)).astype(np.int16) - (rng.random((12, 2, 3, 20)) < 0.01)
    order = rng.permutation(12)
    with lbj.Writer(
        tmp_path / "frames.lbj", shape=(2, 3), channels=20, dtype=np.int16, metadata={"offset": -0.5}
    ) as writer:
        writer.append(30, frames[5])
        for n in order:
            writer.append(10 * n, frames[n])
    return writer.path, frames.astype(np.int16)


def test_reader_describes_the_file(file):
    path, _ = file
    with lbj.Reader(path) as reader:
        assert (reader.shape, reader.channels, reader.dtype) == ((2, 3), 20, np.int16)
        assert reader.metadata == {"offset": -0.5}
        assert len(reader) == 12
        assert reader.seq_nums.tolist() == list(range(0, 120, 10))
        assert reader.seq_nums.dtype == np.int64


def test_rows_slices_and_windows(file):
    path, frames = file
    with lbj.Reader(path) as reader:
        for row in (0, 3, 11, -1, -12, np.int64(4)):
            np.testing.assert_array_equal(reader[row], frames[row])
        for rows in (slice(None), slice(2, 9, 3), slice(None, None, -1), slice(5, 5), slice(8, 100)):
            np.testing.assert_array_equal(reader[rows], frames[rows])
        np.testing.assert_array_equal(reader.window(3, 7), frames[3:7])
        assert reader.window(0, 0).shape == (0, 2, 3, 20)
        np.testing.assert_array_equal(reader.read_seq_nums([110, 0, 0, 30]), frames[[11, 0, 0, 3]])
        assert reader.read_seq_nums([]).shape == (0, 2, 3, 20)


def test_rows_that_are_not_there(file):
    path, _ = file
    with lbj.Reader(path) as reader:
        for row in (12, -13):
            with pytest.raises(IndexError, match="which has 12"):
                reader[row]
            with pytest.raises(IndexError, match="which has 12"):
                reader.events(row)
        for seq_num in (5, 115, 120, -1, -10):
            with pytest.raises(KeyError, match=f"no item {seq_num}"):
                reader.read_seq_nums([0, seq_num])


def test_large_windows_are_read_in_pieces(tmp_path):
    rng = np.random.default_rng(2)
    frames = rng.integers(0, 2**32, (9, 200, 1000), np.uint32)  # incompressible: 7 MB
    with lbj.Writer(tmp_path / "large.lbj", shape=(200,), channels=1000) as writer:
        for n, frame in enumerate(frames):
            writer.append(n, frame)
    with lbj.Reader(writer.path) as reader:
        np.testing.assert_array_equal(reader[:], frames)
    with lbj.Reader(writer.path, salvage=True) as reader:
        np.testing.assert_array_equal(reader[::-2], frames[::-2])


def test_file_without_index_is_read_by_scanning(file):
    path, frames = file
    path.write_bytes(path.read_bytes()[:-1])
    with lbj.Reader(path) as reader:
        np.testing.assert_array_equal(reader[:], frames)


@pytest.mark.parametrize("data", [b"", b"\x89LBJ", b"PK\x03\x04" * 30, bytes(1000)])
def test_what_is_no_such_file_is_refused_by_name(tmp_path, data):
    (tmp_path / "other.lbj").write_bytes(data)
    with pytest.raises(lbj.LBJError, match=r"other\.lbj: not a listed-bin-journal"):
        lbj.Reader(tmp_path / "other.lbj")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        lbj.Reader(tmp_path / "absent.lbj")


def test_newer_major_version_is_refused(file):
    path, _ = file
    data = bytearray(path.read_bytes())
    data[8] = 2
    path.write_bytes(data)
    with pytest.raises(lbj.LBJError, match=r"version 2\.0.*newer"):
        lbj.Reader(path)


def damaged(path, row):
    """Flip a bit in the payload of a row; return the rest of the rows and the place of the record."""
    with lbj.Reader(path) as reader:
        place = int(reader._rows.places[row])
    data = bytearray(path.read_bytes())
    data[place + 21] ^= 4
    path.write_bytes(data)
    return place


def test_damaged_row_of_a_closed_file_is_named_and_the_others_are_read(file):
    path, frames = file
    place = damaged(path, 4)
    with lbj.Reader(path) as reader:
        assert len(reader) == 12
        for read in (lambda: reader[4], lambda: reader.events(4), lambda: reader.window(0, 12)):
            with pytest.raises(lbj.LBJError, match=rf"frames\.lbj: record of item 40 at byte {place}: .*checksum"):
                read()
        np.testing.assert_array_equal(reader.read_seq_nums([30, 50]), frames[[3, 5]])


def test_damage_in_mid_file_is_told_from_a_torn_tail_and_salvaged(file):
    path, frames = file
    with lbj.Reader(path) as reader:
        first = int(np.argmin(reader._rows.places))
    place = damaged(path, first)
    path.write_bytes(path.read_bytes()[:-30])  # and no index
    with pytest.raises(lbj.LBJError, match=rf"byte {place}, but whole ones follow.*salvage"):
        lbj.Reader(path)
    with lbj.Reader(path, salvage=True) as reader:
        kept = np.delete(np.arange(12), first)
        assert reader.seq_nums.tolist() == (10 * kept).tolist()
        np.testing.assert_array_equal(reader[:], frames[kept])


def test_file_stored_as_an_item_is_not_taken_for_records(file):
    path, _ = file
    contained = path.read_bytes()
    torn = frame(0, 0, ITEM, RAW, 2, contained)[:-30]
    outer = path.with_name("outer.lbj")
    writer = lbj.Writer(outer, channels=len(contained), dtype=np.uint8)
    writer.append(1, np.frombuffer(contained, np.uint8))
    outer.write_bytes(outer.read_bytes() + torn)
    for salvage in (False, True):
        with lbj.Reader(outer, salvage=salvage) as reader:
            assert reader.seq_nums.tolist() == [1]
            assert reader[0].tobytes() == contained
    writer.close()


def test_file_cut_short_under_a_reader(file):
    path, _ = file
    with lbj.Reader(path) as reader:
        path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(lbj.LBJError, match="cut short"):
            reader.refresh()
        with pytest.raises(lbj.LBJError, match="record of item"):
            reader.window(0, 12)
