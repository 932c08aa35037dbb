"""Payloads with a right checksum but wrong contents: refused, whatever they claim, without large allocations."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daisy_bluesky import lbj
from daisy_bluesky.lbj._codecs import decode_events, decode_item, encode_item
from daisy_bluesky.lbj._streams import write_varint

DTYPES = st.sampled_from(["bool", "uint8", "int16", "uint32", "int64", "uint64", "float32"])


@settings(deadline=None)
@given(st.integers(0, 255), st.binary(max_size=60), DTYPES, st.integers(0, 64))
def test_any_payload_is_decoded_or_refused(codec, payload, dtype, voxels):
    out = np.empty(voxels, dtype)
    try:
        decode_item(codec, payload, out)
    except lbj.LBJError:
        return
    if out.dtype.kind == "b":
        assert set(out.view(np.uint8).tolist()) <= {0, 1}


@settings(deadline=None)
@given(st.integers(2, 3), st.binary(max_size=40), st.integers(0, 64))
def test_events_and_dense_item_agree_or_both_are_refused(codec, payload, voxels):
    out, dtype = np.zeros(voxels, np.int16), np.dtype(np.int16)
    try:
        decode_item(codec, payload, out)
    except lbj.LBJError:
        with pytest.raises(lbj.LBJError):
            decode_events(codec, payload, voxels, dtype)
        return
    positions, counts = decode_events(codec, payload, voxels, dtype)
    expected = np.zeros(voxels, np.int16)
    expected[positions] = counts
    np.testing.assert_array_equal(out, expected)
    assert np.all(np.diff(positions) > 0)


@pytest.mark.parametrize(
    ("codec", "payload", "message"),
    [
        (2, write_varint(2**60), "claimed"),
        (2, b"\xff" * 20, "does not end"),
        (2, b"", "does not end"),
        (2, b"\x01", "claimed"),
        (2, write_varint(1) + b"\x00" * 40, "decode"),
        (3, b"\xff" * 4, "claimed"),
        (3, b"\xff" * 200, "decode"),
        (1, zlib.compress(bytes(10_000_000)), "end"),
        (1, b"nonsense", "inflate"),
        (1, zlib.compress(bytes(4000)) + b"x", "end"),
        (0, bytes(3999), "due"),
        (77, b"", "newer"),
    ],
)
def test_claims_are_bounded_by_the_bytes_there_are(codec, payload, message):
    with pytest.raises(lbj.LBJError, match=message):
        decode_item(codec, payload, np.empty(1000, np.uint32))


def test_counts_too_large_for_the_type_are_refused():
    codec, payload = encode_item(np.full(100, 300, np.uint16))
    with pytest.raises(lbj.LBJError, match="outside"):
        decode_item(codec, payload, np.empty(100, np.uint8))
    sparse = np.zeros(100, np.uint16)
    sparse[7] = 300
    codec, payload = encode_item(sparse)
    with pytest.raises(lbj.LBJError, match="outside"):
        decode_item(codec, payload, np.empty(100, np.uint8))
    with pytest.raises(lbj.LBJError, match="outside"):
        decode_events(codec, payload, 100, np.dtype(np.uint8))
    with pytest.raises(lbj.LBJError, match="integer"):
        decode_item(codec, payload, np.empty(100, np.float32))


def test_truth_values_are_0_or_1():
    with pytest.raises(lbj.LBJError, match="truth"):
        decode_item(0, b"\x02", np.empty(1, bool))
