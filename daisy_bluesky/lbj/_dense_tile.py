"""A tile of many counts: every voxel, as its distance from what the spectra before and the channels before foretell."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._adaptive_bits import (
    SPARE,
    TREE,
    Streams,
    bit_length,
    end_writing,
    is_whole,
    put_plain,
    put_symbol,
    reading,
    take_plain,
    take_symbol,
    writing,
    written,
)
from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._plane import Events, Plane
from daisy_bluesky.lbj._spectrum import away, back
from daisy_bluesky.lbj._streams import write_varint

LARGEST_COUNT = 2**26 - 1
MOST_VOXELS = 2**20

_CLASSES = 32
_DIRECT = 32  # distances below are symbols
_SPECTRA = 6  # the running spectrum remembers about 2**6 of them
_CHANNELS = 5  # the running brightness, about 2**5 channels
_WEIGHT = 4  # of the neighbouring channels: as much as this many quarters of a spectrum
_BYTES_PER_VOXEL = 16
_VOXELS_PER_BYTE = 8192  # a voxel takes six decisions of at least 0.0003 bits


@compiled
def _foretold(
    counts: NDArray[np.int64], channel: int, mean: np.int64, pixel: int, seen: np.int64, expected: np.int64
) -> np.int64:
    """Return 64 times the count to be expected, from the channels before and the mean spectrum at their brightness."""
    if channel >= 3:
        near = np.int64(16) * (2 * counts[channel - 1] + counts[channel - 2] + counts[channel - 3])
    else:
        near = np.int64(64) * counts[channel - 1] if channel else np.int64(0)
    if expected <= 0:
        return np.int64(near)
    known = np.int64(4 * min(pixel, 1 << _SPECTRA))
    return np.int64((mean * seen // expected * known + near * _WEIGHT) // (known + _WEIGHT))


@compiled
def _base(foretold: np.int64) -> np.int64:
    """Return where the contexts of a distance begin."""
    length = bit_length(foretold >> 4)
    return (length if length < _CLASSES else np.int64(_CLASSES - 1)) * TREE


@compiled
def _put(distance: np.int64, base: np.int64, streams: Streams) -> None:
    if distance < _DIRECT:
        put_symbol(distance, base, streams)
        return
    length = bit_length(distance - _DIRECT + 1) - 1
    put_symbol(_DIRECT + length, base, streams)
    put_plain(distance - _DIRECT + 1, length, streams)


@compiled
def _take(base: np.int64, streams: Streams) -> np.int64:
    symbol = take_symbol(base, streams)
    if symbol < _DIRECT:
        return symbol
    length = symbol - _DIRECT
    return (take_plain(length, streams) | (np.int64(1) << length)) + _DIRECT - 1


@compiled
def _encode(values: NDArray[np.int64], streams: Streams) -> None:
    """Write all counts, (pixels, channels)."""
    spectrum = np.zeros(values.shape[1], np.int64)
    for pixel in range(values.shape[0]):
        seen, expected = np.int64(0), np.int64(0)
        for channel in range(values.shape[1]):
            mean, count = spectrum[channel], values[pixel, channel]
            foretold = _foretold(values[pixel], channel, mean, pixel, seen, expected)
            base = _base(foretold)
            distance = away(np.uint64(count), np.uint64((foretold + 32) >> 6))
            _put(np.int64(distance), base, streams)
            seen += count - (seen >> _CHANNELS)
            expected += (mean >> _SPECTRA) - (expected >> _CHANNELS)
            spectrum[channel] += count - (mean >> _SPECTRA)
    end_writing(streams)


@compiled
def _decode(streams: Streams, values: NDArray[np.int64]) -> bool:
    """Fill all counts, (pixels, channels); return whether the streams are whole."""
    spectrum = np.zeros(values.shape[1], np.int64)
    for pixel in range(values.shape[0]):
        seen, expected = np.int64(0), np.int64(0)
        for channel in range(values.shape[1]):
            mean = spectrum[channel]
            foretold = _foretold(values[pixel], channel, mean, pixel, seen, expected)
            base = _base(foretold)
            distance = np.uint64(_take(base, streams))
            count = np.int64(back(distance, np.uint64((foretold + 32) >> 6)))
            if not 0 <= count <= LARGEST_COUNT:
                return False
            values[pixel, channel] = count
            seen += count - (seen >> _CHANNELS)
            expected += (mean >> _SPECTRA) - (expected >> _CHANNELS)
            spectrum[channel] += count - (mean >> _SPECTRA)
    return is_whole(streams)


def write_counts(events: Events, plane: Plane) -> bytes | None:
    """Return a tile of all counts, None where most are zero, or one is too large for it."""
    voxels = plane.pixels * plane.channels
    if voxels > min(2 * events.size, MOST_VOXELS) or int(events.counts.max()) > LARGEST_COUNT:
        return None
    values = np.zeros(plane, np.int64)
    values[events.pixels, events.channels] = events.counts
    streams = writing(_CLASSES * TREE, _BYTES_PER_VOXEL * voxels + SPARE)
    _encode(values, streams)
    coded, plain = written(streams)
    payload = write_varint(len(coded)) + coded + plain
    return payload if voxels <= _VOXELS_PER_BYTE * len(payload) else None


def read_counts(source: Bytes, plane: Plane) -> Events:
    """Return the events of a tile of counts, ascending by pixel, then channel; LBJError where it is none."""
    voxels = plane.pixels * plane.channels
    if voxels > min(_VOXELS_PER_BYTE * len(source), MOST_VOXELS):
        raise LBJError(f"{voxels} counts claimed in {len(source)} bytes")
    coded = np.frombuffer(bytes(source.take(source.number())), np.uint8)
    plain = np.frombuffer(bytes(source.take(len(source))), np.uint8)
    values = np.empty(plane, np.int64)
    if not _decode(reading(_CLASSES * TREE, coded, plain), values):
        raise LBJError("counts do not decode")
    pixels, channels = np.nonzero(values)
    return Events(pixels.astype(np.uint32), channels.astype(np.uint32), values[pixels, channels].astype(np.uint64))
