"""Files that are whole but of another time or of ill will: what later versions may add, and what a header may claim."""

import json
import struct

import google_crc32c
import numpy as np
import pytest

from daisy_bluesky import lbj
from daisy_bluesky.lbj._codecs import DENSE, RAW
from daisy_bluesky.lbj._folding import fold
from daisy_bluesky.lbj._index import RUNS
from daisy_bluesky.lbj._record import END, INDEX, ITEM, frame
from daisy_bluesky.lbj._streams import write_dense, write_varint

SPECTRUM = np.arange(8, dtype=np.uint32)


@pytest.fixture
def written(tmp_path):
    """A file of two spectra, not closed: path, checksum of its header, places of its records, its bytes."""
    path = tmp_path / "f.lbj"
    writer = lbj.Writer(path, channels=8)
    places = []
    for n in (1, 2):
        places.append(writer.nbytes)
        writer.append(n, n * SPECTRUM)
    data = path.read_bytes()
    writer.close()
    path.write_bytes(data)
    return path, struct.unpack_from("<I", data, 16)[0], places, data


def described(**changes):
    """The head of a file whose description is not what this version writes."""
    fields = {"shape": [], "channels": 8, "dtype": "uint32", "metadata": {}, **changes}
    return head(json.dumps({key: value for key, value in fields.items() if value is not ...}).encode())


def head(description, minor=0):
    prefix = struct.pack("<8sHHI", b"\x89LBJ\r\n\x1a\n", 1, minor, len(description))
    return prefix + struct.pack("<I", google_crc32c.value(prefix + description)) + description


def test_records_that_may_be_skipped_are_skipped(written):
    path, seed, _, data = written
    data += frame(seed, len(data), 200, 77, 5, b"of a later version")
    data += frame(seed, len(data), ITEM, RAW, 3, (3 * SPECTRUM).tobytes())
    path.write_bytes(data)
    with lbj.Reader(path) as reader:
        np.testing.assert_array_equal(reader[:], np.outer([1, 2, 3], SPECTRUM))


def test_records_that_must_be_understood_stop_reader_and_writer(written):
    path, seed, _, data = written
    data += frame(seed, len(data), 17, 0, 5, b"of a later version")
    path.write_bytes(data)
    with pytest.raises(lbj.LBJError, match=r"kind 17.*newer"):
        lbj.Reader(path)
    with pytest.raises(lbj.LBJError, match=r"kind 17.*newer"):
        lbj.Writer(path, channels=8, append=True)
    assert path.read_bytes() == data


def test_item_of_an_unknown_codec_is_listed_and_fails_when_read(written):
    path, seed, _, data = written
    path.write_bytes(data + frame(seed, len(data), ITEM, 99, 3, b"?"))
    with lbj.Reader(path) as reader:
        assert reader.seq_nums.tolist() == [1, 2, 3]
        np.testing.assert_array_equal(reader[1], 2 * SPECTRUM)
        with pytest.raises(lbj.LBJError, match=r"item 3 at byte \d+: codec 99.*newer"):
            reader[2]


def test_later_minor_version_with_a_new_key_is_read(tmp_path):
    description = b'{"channels": 8, "new": [1], "shape": [], "dtype": "uint32", "metadata": {"a": 1}}'
    (tmp_path / "f.lbj").write_bytes(head(description, minor=9))
    with lbj.Reader(tmp_path / "f.lbj") as reader:
        assert len(reader) == 0
        assert reader.metadata == {"a": 1}


def index(place, seed, columns, runs=None):
    """An index of runs; `columns` are sequence numbers, places, lengths and, where given, ranks and rows - 1."""
    columns = [*columns, *[[0] * len(columns[0])] * (5 - len(columns))]
    differences = np.diff(np.array(columns, np.int64), axis=1, prepend=0).reshape(-1).copy()
    stream = write_dense(fold(differences.view(np.uint64), 64), 1000)
    payload = write_varint(len(columns[0]) if runs is None else runs) + stream
    record = frame(seed, place, INDEX, RUNS, 0, payload)
    return record + frame(seed, place + len(record), END, 0, place, b"")


@pytest.mark.parametrize(
    "columns",
    [
        ([1, 2], [0, 0], [3, 3]),
        ([1, 2], [10**6, 10**6], [3, 3]),
        ([1, 2], [90, 90], [2**62, 2**62]),
        ([1, 2], [90, 2**62], [-(2**62), 5]),
        ([2, 1], [90, 90], [3, 3]),
        ([-1, 1], [90, 90], [3, 3]),
        ([1, 2], [90, 90], [3, 3], [-1, 0]),
        ([1, 2], [90, 90], [3, 3], [0, 0], [1, 0]),
        ([1, 2], [90, 90], [3, 3], [0, 0], [0, -1]),
        ([1, 2], [90, 90], [3, 3], [0, 0], [0, 2**40]),
        ([1, 2**63 - 1], [90, 90], [3, 3], [0, 0], [0, 5]),
    ],
)
def test_index_that_points_outside_is_not_believed(written, columns):
    path, seed, _, data = written
    path.write_bytes(data + index(len(data), seed, columns))
    with lbj.Reader(path) as reader:
        np.testing.assert_array_equal(reader[:], np.outer([1, 2], SPECTRUM))


@pytest.mark.parametrize("rows", [0, 1, 3, 2**40])
def test_index_of_another_length_is_not_believed(written, rows):
    path, seed, places, data = written
    path.write_bytes(data + index(len(data), seed, ([1, 2], places, [5, 5]), rows))
    with lbj.Reader(path) as reader:
        assert reader.seq_nums.tolist() == [1, 2]


def test_index_that_names_the_wrong_records_is_noticed_on_reading(written):
    path, seed, places, data = written
    lengths = [places[1] - places[0] - 20, len(data) - places[1] - 20]
    path.write_bytes(data + index(len(data), seed, ([1, 2], places[::-1], lengths[::-1])))
    with lbj.Reader(path) as reader, pytest.raises(lbj.LBJError, match=r"item 1 .*salvage"):
        reader[0]
    with lbj.Reader(path, salvage=True) as reader:
        np.testing.assert_array_equal(reader[:], np.outer([1, 2], SPECTRUM))


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": ...},
        {"shape": [1.0]},
        {"shape": [True]},
        {"shape": "8"},
        {"shape": [-1]},
        {"shape": [2**31]},
        {"shape": [2**30, 2**30]},
        {"channels": 0},
        {"channels": None},
        {"channels": 10**400},
        {"dtype": "object"},
        {"dtype": ">u4"},
        {"dtype": "f4,f4"},
        {"dtype": ["uint32"]},
        {"metadata": []},
        {"metadata": float("nan")},
    ],
)
def test_header_with_a_right_checksum_and_wrong_claims_is_refused(tmp_path, changes):
    (tmp_path / "f.lbj").write_bytes(described(**changes))
    with pytest.raises(lbj.LBJError, match=r"f\.lbj: header cannot be understood"):
        lbj.Reader(tmp_path / "f.lbj")


@pytest.mark.parametrize("description", [b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"metadata": {"a": 1e999}}'])
def test_description_that_is_none_is_refused(tmp_path, description):
    (tmp_path / "f.lbj").write_bytes(head(description))
    with pytest.raises(lbj.LBJError, match="header cannot be understood"):
        lbj.Reader(tmp_path / "f.lbj")


def test_claim_of_a_long_description_is_refused(tmp_path):
    data = bytearray(described())
    data[12:16] = struct.pack("<I", 2**32 - 1)
    (tmp_path / "f.lbj").write_bytes(data)
    with pytest.raises(lbj.LBJError, match="damaged"):
        lbj.Reader(tmp_path / "f.lbj")


def test_events_of_a_huge_item_in_few_bytes_are_refused_before_allocating(tmp_path):
    data = described(shape=[2**20], channels=2**20)
    seed = struct.unpack_from("<I", data, 16)[0]
    (tmp_path / "f.lbj").write_bytes(data + frame(seed, len(data), ITEM, DENSE, 1, b"\xff" * 50))
    with lbj.Reader(tmp_path / "f.lbj") as reader, pytest.raises(lbj.LBJError, match="claimed"):
        reader.events(0)
