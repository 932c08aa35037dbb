"""Adaptive binary range coder: bits at the cost of their learned probabilities, in exact integers.

Two streams are written side by side: *coded* bits, each with the probability that its context has learned, and *plain*
bits, which are stored as they are. The state of both is one int64 array, so that kernels can share it.

References
----------
G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message" (1979).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

TREE = 64
"""Contexts that a symbol from 0 to 63 takes."""
LONGEST = 63
"""Length that marks what `put_number` cannot write."""
SPARE = 1024
"""Bytes to leave free behind what is accepted; one voxel, or the scores of a spectrum, take fewer."""

LOW, HIGH, CODED, WINDOW, HELD, PLAIN, VALUE, BROKEN = range(8)
STATE = 8

_TOP = np.int64(0xFF000000)
_WORD = np.int64(0xFFFFFFFF)
_EVEN_CHANCE = np.uint32(1 << 31)  # probability 1/2 in the upper 22 bits, nothing counted in the lower 10
_MOST_COUNTED = np.int64(1000)
_RECIPROCALS = np.array([131072 // (2 * n + 3) for n in range(1024)], np.int64)  # 65536 / (n + 3/2)


class Streams(NamedTuple):
    """Where voxels are written to or read from.

    Attributes
    ----------
    contexts : (n,) uint32
    state : (STATE,) int64
    coded, plain : (bytes,) uint8
    """

    contexts: NDArray[np.uint32]
    state: NDArray[np.int64]
    coded: NDArray[np.uint8]
    plain: NDArray[np.uint8]


def writing(contexts: int, room: int) -> Streams:
    """Return empty streams of up to `room` bytes each, with contexts that have learned nothing."""
    streams = Streams(_new(contexts), np.zeros(STATE, np.int64), np.empty(room, np.uint8), np.empty(room, np.uint8))
    streams.state[HIGH] = _WORD
    return streams


def written(streams: Streams) -> tuple[bytes, bytes]:
    """Return the coded and the plain bytes of streams that were ended."""
    return streams.coded[: streams.state[CODED]].tobytes(), streams.plain[: streams.state[PLAIN]].tobytes()


def reading(contexts: int, coded: NDArray[np.uint8], plain: NDArray[np.uint8]) -> Streams:
    """Return streams to be read from their start."""
    streams = Streams(_new(contexts), np.zeros(STATE, np.int64), coded, plain)
    streams.state[HIGH] = _WORD
    _begin_reading(streams)
    return streams


def _new(contexts: int) -> NDArray[np.uint32]:
    return np.full(contexts, _EVEN_CHANCE, np.uint32)


@compiled
def bit_length(value: np.int64) -> np.int64:
    """Return the number of bits of a number that is not negative; 0 for 0."""
    length = np.int64(0)
    for step in (32, 16, 8, 4, 2, 1):
        if value >> step:
            value >>= step
            length += step
    return length + value


@compiled
def _split(low: np.int64, high: np.int64, context: np.int64) -> np.int64:
    chance = min(max(context >> 16, np.int64(16)), np.int64(65520))
    return low + (((high - low) * chance) >> 16)


@compiled
def _learned(context: np.int64, bit: np.int64) -> np.uint32:
    chance, counted = context >> 10, context & np.int64(1023)
    chance += (((bit << 22) - bit - chance) * _RECIPROCALS[counted]) >> 16
    return np.uint32((chance << 10) | min(counted + 1, _MOST_COUNTED))


@compiled
def put_bit(bit: np.int64, place: np.int64, streams: Streams) -> None:
    """Write one bit in the context at `place`."""
    low, high, context = streams.state[LOW], streams.state[HIGH], np.int64(streams.contexts[place])
    middle = _split(low, high, context)
    if bit:
        high = middle
    else:
        low = middle + 1
    streams.contexts[place] = _learned(context, bit)
    while ((low ^ high) & _TOP) == 0:
        streams.coded[streams.state[CODED]] = np.uint8(high >> 24)
        streams.state[CODED] += 1
        low, high = (low << 8) & _WORD, ((high << 8) & _WORD) | 255
    streams.state[LOW], streams.state[HIGH] = low, high


@compiled
def take_bit(place: np.int64, streams: Streams) -> np.int64:
    """Read one bit in the context at `place`."""
    low, high, context = streams.state[LOW], streams.state[HIGH], np.int64(streams.contexts[place])
    middle = _split(low, high, context)
    if streams.state[VALUE] <= middle:
        bit, high = np.int64(1), middle
    else:
        bit, low = np.int64(0), middle + 1
    streams.contexts[place] = _learned(context, bit)
    while ((low ^ high) & _TOP) == 0:
        low, high = (low << 8) & _WORD, ((high << 8) & _WORD) | 255
        streams.state[VALUE] = ((streams.state[VALUE] << 8) & _WORD) | _next_byte(streams)
    streams.state[LOW], streams.state[HIGH] = low, high
    return bit


@compiled
def _next_byte(streams: Streams) -> np.int64:
    place = streams.state[CODED]
    if place >= streams.coded.size:
        streams.state[BROKEN] = 1
        return np.int64(0)
    streams.state[CODED] = place + 1
    return np.int64(streams.coded[place])


@compiled
def put_symbol(symbol: np.int64, base: np.int64, streams: Streams) -> None:
    """Write a symbol from 0 to 63, its highest bit first, with the `TREE` contexts from `base`."""
    node = np.int64(1)
    for shift in range(5, -1, -1):
        bit = (symbol >> shift) & 1
        put_bit(bit, base + node, streams)
        node = 2 * node + bit


@compiled
def take_symbol(base: np.int64, streams: Streams) -> np.int64:
    """Read a symbol from 0 to 63."""
    node = np.int64(1)
    while node < TREE:
        node = 2 * node + take_bit(base + node, streams)
    return node - TREE


@compiled
def put_plain(value: np.int64, width: np.int64, streams: Streams) -> None:
    """Write the `width` low bits of a value, 0 to 64, as they are, the lowest first."""
    while width > 0:
        part = min(width, np.int64(32))
        streams.state[WINDOW] |= (value & ((np.int64(1) << part) - 1)) << streams.state[HELD]
        streams.state[HELD] += part
        while streams.state[HELD] >= 8:
            streams.plain[streams.state[PLAIN]] = np.uint8(streams.state[WINDOW] & 255)
            streams.state[PLAIN] += 1
            streams.state[WINDOW] >>= 8
            streams.state[HELD] -= 8
        value >>= part
        width -= part


@compiled
def take_plain(width: np.int64, streams: Streams) -> np.int64:
    """Read `width` bits, 0 to 64, as they are."""
    value, got = np.int64(0), np.int64(0)
    while got < width:
        if streams.state[HELD] == 0:
            if streams.state[PLAIN] >= streams.plain.size:
                streams.state[BROKEN] = 1
                return np.int64(0)
            streams.state[WINDOW] = np.int64(streams.plain[streams.state[PLAIN]])
            streams.state[PLAIN] += 1
            streams.state[HELD] = 8
        part = min(width - got, streams.state[HELD])
        value |= (streams.state[WINDOW] & ((np.int64(1) << part) - 1)) << got
        streams.state[WINDOW] >>= part
        streams.state[HELD] -= part
        got += part
    return value


@compiled
def put_length(
    value: np.int64,
    base: np.int64,
    streams: Streams,
) -> None:
    """Write a number from 0 to 2**62 - 1: its length as a symbol, then its bits below the highest as they are."""
    length = bit_length(value)
    put_symbol(length, base, streams)
    put_plain(value, max(length - 1, np.int64(0)), streams)


@compiled
def take_length(
    base: np.int64,
    streams: Streams,
) -> np.int64:
    """Read a number from 0 to 2**62 - 1; -1 where `LONGEST` was written."""
    length = take_symbol(base, streams)
    if length == LONGEST:
        return np.int64(-1)
    return take_plain(length - 1, streams) | (np.int64(1) << (length - 1)) if length else np.int64(0)


@compiled
def put_number(
    value: np.int64,
    base: np.int64,
    streams: Streams,
) -> None:
    """Write a signed number of at most 61 bits: 0, -1, 1, -2, 2, ... as 0, 1, 2, 3, 4, ..."""
    put_length((value << 1) ^ (value >> 63), base, streams)


@compiled
def take_number(
    base: np.int64,
    streams: Streams,
) -> np.int64:
    """Read a signed number; the stream is broken where `LONGEST` was written."""
    folded = take_length(base, streams)
    if folded < 0:
        streams.state[BROKEN] = 1
        return np.int64(0)
    return (folded >> 1) ^ -(folded & 1)


@compiled
def end_writing(streams: Streams) -> None:
    """Write what both streams still hold."""
    for shift in (24, 16, 8, 0):
        streams.coded[streams.state[CODED]] = np.uint8((streams.state[LOW] >> shift) & 255)
        streams.state[CODED] += 1
    if streams.state[HELD]:
        streams.plain[streams.state[PLAIN]] = np.uint8(streams.state[WINDOW])
        streams.state[PLAIN] += 1


@compiled
def _begin_reading(streams: Streams) -> None:
    for _ in range(4):
        streams.state[VALUE] = (streams.state[VALUE] << 8) | _next_byte(streams)


@compiled
def is_whole(streams: Streams) -> bool:
    """Return whether both streams were read to their ends, and ended as `end_writing` ends them."""
    return bool(
        streams.state[BROKEN] == 0
        and streams.state[CODED] == streams.coded.size
        and streams.state[PLAIN] == streams.plain.size
        and streams.state[WINDOW] == 0
        and streams.state[VALUE] == streams.state[LOW]
    )
