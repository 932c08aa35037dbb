"""What a user gives wrongly is named in one line, with what to give instead, and no file is made of it."""

import numpy as np
import pytest

from daisy_bluesky import lbj

SPECTRA = np.arange(32, dtype=np.float32).reshape(4, 8)
COUNTS = np.arange(8, dtype=np.uint32)


def assert_one_line(raised):
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"channels": 8.0}, TypeError, r"channels 8\.0 is no whole number; give an int"),
        ({"channels": "8"}, TypeError, "channels '8' is no whole number"),
        ({"channels": True}, TypeError, "channels True is no whole number"),
        ({"shape": 8}, TypeError, r"shape 8 is no tuple; give \(8,\)"),
        ({"shape": (2.0,)}, TypeError, r"shape 2\.0 is no whole number"),
        ({"dtype": "nonsense"}, ValueError, "dtype 'nonsense' is not known; give one such as 'uint32'"),
        ({"block": 0}, ValueError, "block 0 must be 1 or more"),
        ({"block": -1}, ValueError, "block -1 must be 1 or more"),
        ({"block": 2.5}, TypeError, r"block 2\.5 is no whole number"),
        ({"sync_records": 2.5}, TypeError, r"sync_records 2\.5 is no whole number"),
        ({"sigma": True}, TypeError, "sigma True is no number; give a float"),
        ({"dtype": "f4", "blocks": [0, 1]}, ValueError, r"blocks must be pairs .* e\.g\. \[\(0, 8\)"),
        ({"dark": np.ma.masked_equal(COUNTS, 3)}, ValueError, "dark reference is a masked array.*fill"),
    ],
)
def test_writer_names_the_argument_and_makes_no_file(tmp_path, options, error, message):
    with pytest.raises(error, match=message) as raised:
        lbj.Writer(tmp_path / "f.lbj", **{"channels": 8, **options})
    assert_one_line(raised)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sigma": 1, "noise": (-1, 0)}, ValueError, "noise .* must be finite variances, 0 or more"),
        ({"sigma": 1, "noise": (np.nan, 1)}, ValueError, "noise .* must be finite"),
        ({"sigma": 1, "noise": (np.inf, 1)}, ValueError, "noise .* must be finite"),
        ({"sigma": 1, "noise": (0, 0)}, ValueError, "noise .* one of them above 0"),
        ({"sigma": 1, "noise": (1,)}, ValueError, "noise must be two numbers"),
        ({"sigma": 1, "noise": 1.0}, ValueError, "noise must be two numbers"),
        ({"sigma": 1, "noise": ("a", 1)}, TypeError, "noise 'a' is no number"),
        ({"noise": (1, 1)}, ValueError, "give sigma, or leave noise out"),
        ({"sigma": True}, TypeError, "sigma True is no number"),
        ({"sigma": "1"}, TypeError, "sigma '1' is no number"),
        ({"blocks": [0, 1]}, ValueError, "blocks must be pairs"),
        ({"blocks": [(0,)]}, ValueError, "blocks must be pairs"),
        ({"blocks": 3}, ValueError, "blocks must be pairs"),
        ({"blocks": [(0, 2.0)]}, TypeError, r"down-sampling of blocks 2\.0 is no whole number"),
        ({"dark": 1.0}, ValueError, "raw counts; the array holds float32: leave dark and gain out"),
    ],
)
def test_blob_names_the_argument(options, error, message):
    with pytest.raises(error, match=message) as raised:
        lbj.dumps(SPECTRA, **options)
    assert_one_line(raised)


@pytest.mark.parametrize("noise", [(1, 0), (0, 1), (1e-300, 0), (1e300, 1e300), (np.float32(2), 3)])
def test_any_noise_that_is_one_keeps_the_promise(noise):
    restored = lbj.loads(lbj.dumps(SPECTRA, sigma=1, noise=noise))
    sigma = np.sqrt(float(noise[0]) * (SPECTRA.astype(float) + 1) + noise[1])
    assert np.all(np.abs(restored - SPECTRA) <= 0.6 * sigma + 1e-3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ma.masked_equal(COUNTS, 3), "masked array, and a mask is not stored; fill it first"),
        ([[1], [2, 3]], "lengths differ"),
        (np.array([1, None]), "dtype object cannot be stored; convert"),
        (np.array([1j]), "dtype complex128 cannot be stored; convert"),
    ],
)
def test_array_that_is_none_of_the_format_is_refused(array, message):
    with pytest.raises(ValueError, match=message) as raised:
        lbj.dumps(array)
    assert_one_line(raised)


@pytest.mark.parametrize(
    ("seq_num", "item", "error", "message"),
    [
        (1.0, COUNTS, TypeError, r"seq_num 1\.0 is no whole number"),
        (None, COUNTS, TypeError, "seq_num None is no whole number"),
        (1, np.ma.masked_equal(COUNTS, 3), ValueError, "item is a masked array.*fill"),
        (1, [[1], [2, 3]], ValueError, "item is no array, its lengths differ"),
        (1, COUNTS.astype(object), ValueError, "object values where the file stores uint32; convert them to uint32$"),
        (1, COUNTS * 1j, ValueError, "convert them to uint32$"),
        (1, COUNTS.astype("M8[s]"), ValueError, "convert them to uint32$"),
        (1, COUNTS.astype(float), ValueError, "open it with dtype=float64"),
        (1, -COUNTS.astype(int), ValueError, "from -7 to 0 where the file stores uint32; open it with a signed dtype"),
        (1, np.array([(1, -1)], [("channel", int), ("count", int)]), ValueError, "open the file with a signed dtype"),
    ],
)
def test_append_names_the_argument_and_writes_nothing(tmp_path, seq_num, item, error, message):
    with lbj.Writer(tmp_path / "f.lbj", channels=8) as writer:
        before = writer.nbytes
        with pytest.raises(error, match=message) as raised:
            writer.append(seq_num, item)
        assert_one_line(raised)
        assert writer.nbytes == before


def test_signed_file_takes_what_the_unsigned_one_refused(tmp_path):
    with lbj.Writer(tmp_path / "f.lbj", channels=8, dtype=np.int64) as writer:
        writer.append(1, -COUNTS.astype(int))
    with lbj.Reader(tmp_path / "f.lbj") as reader:
        np.testing.assert_array_equal(reader[0], -COUNTS.astype(int))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_blob_is_any_bytes(kind):
    np.testing.assert_array_equal(lbj.loads(kind(lbj.dumps(COUNTS))), COUNTS)


@pytest.mark.parametrize("blob", [None, "x", [1, 2]])
def test_blob_of_another_type_is_refused(blob):
    with pytest.raises(TypeError, match="a blob is bytes, as dumps returns them, not"):
        lbj.loads(blob)


def test_what_follows_a_blob_is_told():
    blob = lbj.dumps(COUNTS)
    for more in (b"x", blob):
        with pytest.raises(lbj.LBJError, match=f"{len(more)} bytes follow its end"):
            lbj.loads(blob + more)
