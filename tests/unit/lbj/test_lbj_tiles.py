"""Tiles of counts: restored exactly, by the package and by the specification alone, and refused where damaged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiles_by_specification import events_tile, tiles

from daisy_bluesky.lbj import LBJError
from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._coded import CodedPlane, encode_dense
from daisy_bluesky.lbj._events_tile import read_events, write_events
from daisy_bluesky.lbj._plane import Events, Plane
from daisy_bluesky.lbj._spectrum import NO_MODEL
from daisy_bluesky.lbj._tile import COUNTS, EMPTY, EVENTS, EVENTS_BY_MODEL, NUMBERS, PAIRS

RNG = np.random.default_rng(11)
BUSY = RNG.poisson(RNG.gamma(0.3, 0.4, 60), (70, 60))
MODEL = (1 + 50 * BUSY.sum(axis=0)).astype(np.uint64)


def dense(plane, events):
    values = np.zeros(plane, np.uint64)
    values[events.pixels, events.channels] = events.counts
    return values


def decoded(coded, shape, model=None, dtype=np.uint64):
    plane = CodedPlane(coded.tiles, Plane(*shape), np.dtype(dtype), model)
    return dense(shape, plane.tile(0, range(shape[1])))


def _first_tile(data):
    places = [0]
    for _ in range(3):
        place = places[-1]
        while data[place] > 127:
            place += 1
        places.append(place + 1)
    return data[places[-1] :]


def by_specification(coded, shape, model=None):
    values = np.zeros(shape, np.uint64)
    for (pixel, channel), count in tiles(coded.tiles, shape[1], None if model is None else model.tolist()).items():
        values[pixel, channel] = count
    return values


LARGE = np.where(RNG.random((40, 30)) < 0.3, RNG.integers(1, 2**64, (40, 30), np.uint64), 0).astype(np.uint64)
FEW_BUSY = np.where(RNG.random((3000, 1)) < 0.02, RNG.poisson(0.5, (3000, 40)), 0)
CASES = {
    "empty": (np.zeros((4, 5), np.uint8), EMPTY),
    "events": (RNG.poisson(RNG.gamma(0.3, 0.1, 100), (1500, 100)).astype(np.uint16), EVENTS),
    "occupied": (FEW_BUSY.astype(np.uint32), EVENTS),
    "repeating": (np.tile(RNG.poisson(0.5, (1, 50)), (2000, 1)).astype(np.int32), NUMBERS),
    "counts": (RNG.poisson(40 * RNG.random(300), (30, 300)).astype(np.uint32), COUNTS),
    "few": (np.eye(3, 2000, 7, np.uint8), PAIRS),
}


@pytest.mark.parametrize("name", CASES)
def test_each_way_of_writing_is_read_by_the_specification_alone(name):
    values, expected = CASES[name]
    coded = encode_dense(values, NO_MODEL)
    assert _first_tile(coded.tiles)[0] == expected
    np.testing.assert_array_equal(by_specification(coded, values.shape), values)
    np.testing.assert_array_equal(decoded(coded, values.shape, dtype=values.dtype), values)


def test_any_64_bit_count_is_kept():
    for values in (LARGE, np.full((3, 4), 2**64 - 1, np.uint64), np.where(LARGE, LARGE, np.uint64(1))):
        coded = encode_dense(values, NO_MODEL)
        np.testing.assert_array_equal(by_specification(coded, values.shape), values)
        np.testing.assert_array_equal(decoded(coded, values.shape), values)


@pytest.mark.parametrize("scale", [1, 5, 40, 300])
def test_levels_of_counts_and_their_excess(scale):
    values = RNG.negative_binomial(0.1, 0.1 / (0.1 + scale), (400, 12)).astype(np.uint64)
    values[:64, 3] = 2 ** np.arange(64, dtype=np.uint64) - np.uint64(1)
    values[100, :3] = 2**64 - 1, 64, 63
    pixels, channels = np.nonzero(values)
    listed = Events(pixels.astype(np.uint32), channels.astype(np.uint32), values[pixels, channels])
    payload, _ = write_events(listed, Plane(*values.shape), (NO_MODEL,))
    slow = np.zeros_like(values)
    for (pixel, channel), count in events_tile(payload, *values.shape, None).items():
        slow[pixel, channel] = count
    np.testing.assert_array_equal(slow, values)
    fast = read_events(Bytes(payload), Plane(*values.shape), NO_MODEL, range(12))
    np.testing.assert_array_equal(dense(values.shape, fast), values)


def test_model_is_used_where_it_pays_and_must_be_named():
    values = BUSY.astype(np.uint32)
    coded = encode_dense(values, MODEL)
    assert coded.needs_model
    assert _first_tile(coded.tiles)[0] == EVENTS_BY_MODEL
    assert len(coded.tiles) < len(encode_dense(values, NO_MODEL).tiles)
    np.testing.assert_array_equal(by_specification(coded, values.shape, MODEL), values)
    np.testing.assert_array_equal(decoded(coded, values.shape, MODEL), values)
    with pytest.raises(LBJError, match="spectral model"):
        decoded(coded, values.shape)


@st.composite
def planes(draw):
    """Planes of any shape, density and size of count, of any integer type."""
    dtype = np.dtype(draw(st.sampled_from(["bool", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])))
    shape = draw(st.integers(1, 60)), draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    largest = 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)
    bits = draw(st.integers(1, largest.bit_length()))
    rate = rng.random(shape[1]) ** draw(st.integers(0, 6)) * draw(st.sampled_from([0.01, 0.3, 1.0, 1.0]))
    busy = rng.random((shape[0], 1)) < draw(st.sampled_from([0.1, 1.0]))
    counts = (
        rng.integers(1, min(2**bits, largest) + 1, shape, np.uint64, endpoint=False) if bits > 1 else np.ones(shape)
    )
    return np.where((rng.random(shape) < rate) & busy, counts, 0).astype(dtype)


@settings(deadline=None, max_examples=150)
@given(planes(), st.booleans())
def test_any_plane_is_restored(values, with_model):
    model = np.arange(1, values.shape[1] + 1, dtype=np.uint64) if with_model else NO_MODEL
    coded = encode_dense(values, model)
    np.testing.assert_array_equal(decoded(coded, values.shape, model, values.dtype), values)


@settings(deadline=None, max_examples=60)
@given(planes(), st.data())
def test_energy_window_is_a_part_of_the_whole(values, data):
    coded = encode_dense(values, NO_MODEL)
    first = data.draw(st.integers(0, values.shape[1]))
    last = data.draw(st.integers(first, values.shape[1]))
    plane = CodedPlane(coded.tiles, Plane(*values.shape), values.dtype, None)
    expected = np.zeros_like(values, np.uint64)
    expected[:, first:last] = values[:, first:last]
    np.testing.assert_array_equal(dense(values.shape, plane.tile(0, range(first, last))), expected)


@pytest.mark.parametrize("name", [name for name in CASES if name != "empty"])
def test_damaged_tiles_are_refused_or_give_counts_of_the_plane(name):
    """A checksum would tell; this is what stands behind it."""
    values, _ = CASES[name]
    data = bytearray(encode_dense(values, NO_MODEL).tiles)
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(400):
        damaged = data.copy()
        for _ in range(int(rng.integers(1, 4))):
            damaged[rng.integers(len(data))] = rng.integers(256)
        cut = bytes(damaged[: rng.integers(len(data))]) if rng.random() < 0.3 else bytes(damaged)
        try:
            plane = CodedPlane(cut, Plane(*values.shape), values.dtype, None)
            events = plane.tile(0, range(values.shape[1]))
        except LBJError:
            refused += 1
            continue
        assert events.size == 0 or (events.pixels.max() < values.shape[0] and events.channels.max() < values.shape[1])
    assert refused > 200


def test_negative_counts_are_not_taken_for_large_ones():
    values = BUSY.astype(np.int32)
    values[3, 4] = -1
    assert encode_dense(values, NO_MODEL) is None
