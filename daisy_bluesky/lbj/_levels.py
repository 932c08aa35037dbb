"""The counts of one channel as nested subsets: which pixels have 1 or more, which of these 2 or more, and so on."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bits import leading_zeros
from daisy_bluesky.lbj._rans import Words, pop_bits, push_bits
from daisy_bluesky.lbj._subset import pop_subset, push_subset

LEVELS = 64
WORDS_PER_MEMBER = 5  # room for the worst that a member of a subset, or an excess, can take

_ONE = np.uint64(1)
_LAST_BIT = np.uint64(63)
_PIECE = np.uint64(31)
_WIDTH_BITS = np.uint64(6)
_LARGEST_EXCESS = np.uint64(2**64 - LEVELS)


@compiled
def level_sizes(counts: NDArray[np.uint64], starts: NDArray[np.int64], sizes: NDArray[np.uint32]) -> int:
    """Fill how many pixels of each channel have a count of `level` + 1 or more, (LEVELS, channels), zeros before.

    Parameters
    ----------
    counts : (n,) uint64
        Counts, channel by channel.
    starts : (channels + 1,) int64
        Where each channel begins.
    sizes : (LEVELS, channels) uint32

    Returns
    -------
    int
        Number of levels that are not empty.
    """
    deepest = np.int64(0)
    for channel in range(starts.size - 1):
        for i in range(starts[channel], starts[channel + 1]):
            depth = np.int64(counts[i]) if counts[i] < np.uint64(LEVELS) else np.int64(LEVELS)
            deepest = depth if depth > deepest else deepest
            for level in range(depth):
                sizes[level, channel] += 1
    return int(deepest)


@compiled
def push_channel(
    state: np.uint64, place: int, words: Words, ranks: NDArray[np.uint32], counts: NDArray[np.uint64], pixels: int
) -> tuple[np.uint64, int]:
    """Encode one channel: ranks of its non-zero pixels, (n,) uint32 ascending, and their counts, (n,) uint64."""
    highest = _ONE
    for count in counts:
        highest = max(highest, count)
    if highest > _ONE:
        state, place = _push_excess(state, place, words, counts)
        members = np.empty(counts.size, np.uint32)
        for level in range(np.int64(min(highest, np.uint64(LEVELS))), 1, -1):
            below, above = 0, 0
            for count in counts:
                if count >= np.uint64(level):
                    members[above] = below
                    above += 1
                below += count >= np.uint64(level - 1)
            state, place = push_subset(state, place, words, members[:above], below)
    return push_subset(state, place, words, ranks, pixels)


@compiled
def _push_excess(state: np.uint64, place: int, words: Words, counts: NDArray[np.uint64]) -> tuple[np.uint64, int]:
    for i in range(counts.size - 1, -1, -1):
        if counts[i] >= np.uint64(LEVELS):
            excess = counts[i] - np.uint64(LEVELS - 1)
            width = _LAST_BIT - np.uint64(leading_zeros(excess))
            done = np.uint64(0)
            while done < width:
                piece = min(width - done, _PIECE)
                bits = (excess >> done) & ((_ONE << piece) - _ONE)
                state, place = push_bits(state, place, words, bits, piece)
                done += piece
            state, place = push_bits(state, place, words, width, _WIDTH_BITS)
    return state, place


@compiled
def pop_channel(
    state: np.uint64,
    place: int,
    words: Words,
    stop: int,
    sizes: NDArray[np.uint32],
    pixels: int,
    ranks: NDArray[np.uint32],
    counts: NDArray[np.uint64],
) -> tuple[np.uint64, int]:
    """Fill `ranks`, (n,) uint32, and `counts`, (n,) uint64, of one channel whose levels have `sizes` pixels.

    The state becomes 0 where the stream is damaged.
    """
    state, place = pop_subset(state, place, words, stop, pixels, ranks)
    counts[:] = _ONE
    if sizes.size < 2 or sizes[1] == 0:
        return state, place
    members = np.arange(ranks.size).astype(np.uint32)
    for level in range(1, sizes.size):
        chosen = np.empty(sizes[level], np.uint32)
        state, place = pop_subset(state, place, words, stop, members.size, chosen)
        if state == 0 or chosen.size == 0:
            return state, place
        members = members[chosen]
        for member in members:
            counts[member] = np.uint64(level + 1)
    if sizes.size == LEVELS:
        return _pop_excess(state, place, words, stop, members, counts)
    return state, place


@compiled
def _pop_excess(
    state: np.uint64,
    place: int,
    words: Words,
    stop: int,
    members: NDArray[np.uint32],
    counts: NDArray[np.uint64],
) -> tuple[np.uint64, int]:
    for member in members:
        width, state, place = pop_bits(state, place, words, stop, _WIDTH_BITS)
        excess, held = _ONE, np.uint64(0)
        while held < width:
            piece = (width - held) % _PIECE
            piece = piece if piece else _PIECE
            bits, state, place = pop_bits(state, place, words, stop, piece)
            excess, held = (excess << piece) | bits, held + piece
        if excess > _LARGEST_EXCESS:
            return np.uint64(0), place
        counts[member] = excess + np.uint64(LEVELS - 1)
    return state, place
