"""A tile as numbers of 7-bit groups compressed by Zstandard: what wins where spectra repeat or pixels are alike.

References
----------
Y. Collet, M. Kucherawy, "Zstandard compression and the application/zstd media type", RFC 8878 (2021).
"""

import numpy as np
import zstandard
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._plane import Events, Plane
from daisy_bluesky.lbj._streams import write_varint

FAST, THOROUGH = 3, 19
BYTES_PER_BYTE = 2**15  # the largest ratio that is written or believed

_LONGEST = 10
_THOROUGH_UP_TO = 2**18  # bytes: more would take seconds
_GROUP = np.uint64(127)
_MORE = np.uint64(128)
_SEVEN = np.uint64(7)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)


@compiled
def _put(out: NDArray[np.uint8], place: int, value: np.uint64) -> int:
    while value > _GROUP:
        out[place] = np.uint8((value & _GROUP) | _MORE)
        value >>= _SEVEN
        place += 1
    out[place] = np.uint8(value)
    return place + 1


@compiled
def _numbers(
    pixels: NDArray[np.uint32], channels: NDArray[np.uint32], counts: NDArray[np.uint64], length: int
) -> NDArray[np.uint8]:
    """Return all gaps, then all counts - 1, as numbers."""
    out = np.empty(2 * _LONGEST * pixels.size, np.uint8)
    place, expected = 0, _ZERO
    for i in range(pixels.size):
        position = np.uint64(pixels[i]) * np.uint64(length) + np.uint64(channels[i])
        place = _put(out, place, position - expected)
        expected = position + _ONE
    for count in counts:
        place = _put(out, place, count - _ONE)
    return out[:place].copy()


@compiled
def _take(data: NDArray[np.uint8], place: int) -> tuple[np.uint64, int]:
    """Return a number and where the next begins, -1 where it does not end or is too large."""
    value, shift = _ZERO, _ZERO
    while place < data.size:
        group = np.uint64(data[place])
        place += 1
        if shift == np.uint64(63) and group > _ONE:
            return _ZERO, -1
        value |= (group & _GROUP) << shift
        if group < _MORE:
            return value, place
        shift += _SEVEN
    return _ZERO, -1


@compiled
def _read(
    data: NDArray[np.uint8],
    voxels: np.uint64,
    length: np.uint64,
    pixels: NDArray[np.uint32],
    channels: NDArray[np.uint32],
    counts: NDArray[np.uint64],
) -> bool:
    place, expected = 0, _ZERO
    for i in range(pixels.size):
        gap, place = _take(data, place)
        if place < 0 or expected >= voxels or gap >= voxels - expected:
            return False
        pixels[i], channels[i] = (expected + gap) // length, (expected + gap) % length
        expected += gap + _ONE
    for i in range(counts.size):
        excess, place = _take(data, place)
        if place < 0 or excess + _ONE == _ZERO:
            return False
        counts[i] = excess + _ONE
    return place == data.size


def write_numbers(events: Events, plane: Plane, bytes_of_others: int) -> bytes | None:
    """Return a tile of numbers, compressed thoroughly where it may come to less than the other ways of writing."""
    numbers = _numbers(events.pixels, events.channels, events.counts, plane.channels).tobytes()
    packed = zstandard.ZstdCompressor(FAST).compress(numbers)
    if len(packed) < bytes_of_others * 9 // 8 and len(numbers) <= _THOROUGH_UP_TO:
        packed = min(packed, zstandard.ZstdCompressor(THOROUGH).compress(numbers), key=len)
    if len(numbers) > BYTES_PER_BYTE * len(packed):
        return None
    return write_varint(events.size) + write_varint(len(numbers)) + packed


def read_numbers(source: Bytes, plane: Plane) -> Events:
    """Return the events of a tile of numbers, ascending by pixel, then channel; LBJError where it is none."""
    size, length = source.number(), source.number()
    packed = bytes(source.take(len(source)))
    voxels = plane.pixels * plane.channels
    if size > voxels or not 2 * size <= length <= min(2 * _LONGEST * size, BYTES_PER_BYTE * len(packed)):
        raise LBJError(f"{size} non-zeros and {length} bytes claimed in {len(packed)}")
    numbers = _unpacked(packed, length)
    events = Events.empty(size)
    if not _read(numbers, np.uint64(voxels), np.uint64(plane.channels), events.pixels, events.channels, events.counts):
        raise LBJError("numbers do not decode")
    return events


def _unpacked(packed: bytes, length: int) -> NDArray[np.uint8]:
    try:
        unpacker = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
        head = zstandard.get_frame_parameters(packed)
        numbers = unpacker.decompress(packed) if head.content_size == length else b""
    except zstandard.ZstdError as error:
        raise LBJError(f"compressed numbers do not unpack: {error}") from None
    if len(numbers) != length or not unpacker.eof or unpacker.unused_data:
        raise LBJError(f"compressed numbers do not unpack to {length} bytes")
    return np.frombuffer(numbers, np.uint8)
