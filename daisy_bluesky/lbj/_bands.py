"""Coded streams of neighbouring channels, so that an energy window is decoded without the rest."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._levels import WORDS_PER_MEMBER, pop_channel, push_channel
from daisy_bluesky.lbj._rans import INITIAL, Words, begin, finish
from daisy_bluesky.lbj._subset import pop_subset, push_subset

SMALLEST_BAND = 1024  # non-zeros
MOST_BANDS = 32


@compiled
def band_bounds(sizes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the first channel of each band, and behind the last, (bands + 1,) int64, from the non-zeros per channel.

    A band ends with the channel with which it reaches 1/32 of the non-zeros, and at least 1,024.
    """
    total = np.int64(0)
    for size in sizes:
        total += np.int64(size)
    bounds = np.empty(MOST_BANDS + 2, np.int64)
    bounds[0] = 0
    bands, held = 1, np.int64(0)
    for channel in range(sizes.size):
        held += np.int64(sizes[channel])
        if (held >= SMALLEST_BAND and MOST_BANDS * held >= total) or channel == sizes.size - 1:
            bounds[bands] = channel + 1
            bands, held = bands + 1, np.int64(0)
    return bounds[:bands].copy()


@compiled
def push_bands(
    ranks: NDArray[np.uint32],
    counts: NDArray[np.uint64],
    starts: NDArray[np.int64],
    bounds: NDArray[np.int64],
    pixels: int,
    members: int,
    lengths: NDArray[np.int64],
) -> NDArray[np.uint32]:
    """Return the streams of all bands one behind the other, and fill their `lengths`, (bands,) int64 words.

    Parameters
    ----------
    ranks, counts : (n,) uint32, (n,) uint64
        Channel by channel, ascending ranks within each.
    starts : (channels + 1,) int64
        Where each channel begins.
    bounds : (bands + 1,) int64
        First channel of each band.
    pixels : int
        How many ranks there are.
    members : int
        Pixels of all levels together.
    """
    words = np.empty(WORDS_PER_MEMBER * (members + counts.size) + 4 * lengths.size, np.uint32)
    place = words.size
    for band in range(lengths.size - 1, -1, -1):
        state, end = INITIAL, place
        for channel in range(bounds[band + 1] - 1, bounds[band] - 1, -1):
            first, last = starts[channel], starts[channel + 1]
            if last > first:
                state, place = push_channel(state, place, words, ranks[first:last], counts[first:last], pixels)
        place = finish(state, place, words)
        lengths[band] = end - place
    return words[place:].copy()


@compiled
def pop_bands(
    data: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    bounds: NDArray[np.int64],
    first: int,
    last: int,
    sizes: NDArray[np.uint32],
    places: int,
    begin_channel: int,
    stop_channel: int,
) -> tuple[int, NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64]]:
    """Return -1, or the first band that is damaged, and ranks, channels and counts, (n,) each, of some channels.

    A band is decoded from its first channel on, as far as channels are wanted; only at its end is it known to be whole.

    Parameters
    ----------
    data : (m,) uint8
        The streams of all bands.
    lengths : (bands,) int64
        Words of each; their sum is `m` / 4.
    bounds : (bands + 1,) int64
        First channel of each.
    first, last : int
        The bands of these channels: from `first` to `last` - 1.
    sizes : (levels, channels) uint32
        Pixels of each level.
    places : int
        How many ranks there are.
    begin_channel, stop_channel : int
        Which channels: from `begin_channel` to `stop_channel` - 1.
    """
    n, skipped = np.int64(0), np.int64(0)
    for channel in range(bounds[first], min(bounds[last], stop_channel)):
        skipped = n if channel == begin_channel else skipped
        n += np.int64(sizes[0, channel])
    ranks, channels, counts = np.empty(n, np.uint32), np.empty(n, np.uint32), np.empty(n, np.uint64)
    words = words_of(data, 4 * lengths[:first].sum(), lengths[first:last].sum())
    stop, end = 0, 0
    for band in range(first, last):
        start, stop = stop, stop + int(lengths[band])
        state, place = begin(words, start, stop)
        for channel in range(bounds[band], min(bounds[band + 1], stop_channel)):
            begun, end = end, end + int(np.int64(sizes[0, channel]))
            if end > begun:
                channels[begun:end] = channel
                state, place = pop_channel(
                    state, place, words, stop, sizes[:, channel], places, ranks[begun:end], counts[begun:end]
                )
                if state == 0:
                    return band, ranks, channels, counts
        if bounds[band + 1] <= stop_channel and (state != INITIAL or place != stop):
            return band, ranks, channels, counts
    return -1, ranks[skipped:], channels[skipped:], counts[skipped:]


@compiled
def words_of(data: NDArray[np.uint8], start: int, n: int) -> NDArray[np.uint32]:
    """Return the `n` words from byte `start` on, (n,) uint32."""
    words = np.empty(n, np.uint32)
    for i in range(n):
        word, place = np.uint32(0), start + 4 * i
        for byte in range(4):
            word |= np.uint32(data[place + byte]) << np.uint32(8 * byte)
        words[i] = word
    return words


@compiled
def push_places(taken: NDArray[np.uint32], places: int) -> NDArray[np.uint32]:
    """Return one subset, (n,) uint32 ascending below `places`, as a stream of its own."""
    words = np.empty(WORDS_PER_MEMBER * min(taken.size, places - taken.size) + 4, np.uint32)
    state, place = push_subset(INITIAL, words.size, words, taken, places)
    return words[finish(state, place, words) :].copy()


@compiled
def pop_places(words: Words, places: int, taken: NDArray[np.uint32]) -> bool:
    """Fill one subset; return whether the stream is whole."""
    state, place = begin(words, 0, words.size)
    state, place = pop_subset(state, place, words, words.size, places, taken)
    return bool(state == INITIAL and place == words.size)
