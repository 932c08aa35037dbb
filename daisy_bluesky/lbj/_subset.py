"""Which `n` of `places` are taken, ascending: the code of positions.

Each gap is coded given how many are still to come in how many places, so that what is known costs nothing: gaps
follow the hypergeometric odds closely, the last one is uniform, and no bits are spent where every place is taken.
Where more than half are taken, the others are coded instead.
"""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bits import leading_zeros
from daisy_bluesky.lbj._gap_table import BEGINNINGS, QUOTIENTS, SCALES
from daisy_bluesky.lbj._rans import Words, pop, pop_bits, push, push_bits, slot_of

MOST_PLACES = 2**31

_BEGINNINGS = BEGINNINGS
_ESCAPE = QUOTIENTS - 1
_LAST_SCALE = np.uint64(SCALES - 1)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_SIX = np.uint64(6)
_SEVEN = np.uint64(7)
_SLOTS = np.uint64(2**16)
_WIDTH = np.uint64(64)


@compiled
def _odds(left: np.uint64, places: np.uint64) -> tuple[np.int64, np.uint64]:
    """Return row of the table and number of low bits for a gap before the first of `left` in `places`."""
    ratio = ((places + _TWO) << _SIX) // (left + _ONE)
    scale = _WIDTH - np.uint64(leading_zeros(ratio)) - _SEVEN  # mean gap: 2**scale to 2**(scale + 1)
    step = (ratio >> scale) & np.uint64(63)
    low_bits = scale - _ONE if scale else scale
    known = np.int64(scale) if scale < _LAST_SCALE else np.int64(_LAST_SCALE)
    return (known << 6) + np.int64(step), low_bits


@compiled
def _last(places: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return number of low bits, and slots per quotient, of the one gap left in `places`."""
    width = _WIDTH - np.uint64(leading_zeros(places - _ONE))
    low_bits = width - np.uint64(8) if width > np.uint64(8) else np.uint64(0)
    return low_bits, _SLOTS // (((places - _ONE) >> low_bits) + _ONE)


@compiled
def _push_gap(
    state: np.uint64, place: int, words: Words, gap: np.uint64, left: np.uint64, places: np.uint64
) -> tuple[np.uint64, int]:
    if left == places:
        return state, place
    if left == _ONE:
        low_bits, size = _last(places)
        state, place = push_bits(state, place, words, gap & ((_ONE << low_bits) - _ONE), low_bits)
        return push(state, place, words, (gap >> low_bits) * size, size)
    row, low_bits = _odds(left, places)
    state, place = push_bits(state, place, words, gap & ((_ONE << low_bits) - _ONE), low_bits)
    quotient = np.int64(gap >> low_bits)
    for i in range(quotient // _ESCAPE + 1):
        symbol = _ESCAPE if i else quotient % _ESCAPE
        start = np.uint64(_BEGINNINGS[row, symbol])
        state, place = push(state, place, words, start, np.uint64(_BEGINNINGS[row, symbol + 1]) - start)
    return state, place


@compiled
def _pop_last(
    state: np.uint64, place: int, words: Words, stop: int, places: np.uint64
) -> tuple[np.uint64, np.uint64, int]:
    """Return the one gap left in `places`, too long where the stream is damaged, and what is left."""
    low_bits, size = _last(places)
    quotient = slot_of(state) // size
    state, place = pop(state, place, words, stop, quotient * size, size)
    low, state, place = pop_bits(state, place, words, stop, low_bits)
    return (quotient << low_bits) | low, state, place


@compiled
def _pop_quotient(
    state: np.uint64, place: int, words: Words, stop: int, row: np.int64, most: np.uint64
) -> tuple[np.uint64, np.uint64, int]:
    """Return a quotient, one above `most` where the stream is damaged, and what is left."""
    quotient, symbol = np.uint64(0), _ESCAPE
    while symbol == _ESCAPE and quotient <= most:
        symbol, slot = 0, slot_of(state)
        while slot >= np.uint64(_BEGINNINGS[row, symbol + 1]):
            symbol += 1
        start = np.uint64(_BEGINNINGS[row, symbol])
        state, place = pop(state, place, words, stop, start, np.uint64(_BEGINNINGS[row, symbol + 1]) - start)
        quotient += np.uint64(symbol)
    return quotient, state, place


@compiled
def _pop_taken(
    state: np.uint64, place: int, words: Words, stop: int, places: int, taken: NDArray[np.uint32]
) -> tuple[np.uint64, int]:
    begin, left = np.uint64(0), np.uint64(taken.size)
    for i in range(taken.size):
        free, gap = np.uint64(places) - begin, np.uint64(0)
        if left == _ONE and free > _ONE:
            gap, state, place = _pop_last(state, place, words, stop, free)
        elif left < free:
            row, low_bits = _odds(left, free)
            quotient, state, place = _pop_quotient(state, place, words, stop, row, free >> low_bits)
            low, state, place = pop_bits(state, place, words, stop, low_bits)
            gap = (quotient << low_bits) | low
        if gap > free - left:
            return np.uint64(0), place
        taken[i] = begin + gap
        begin += gap + _ONE
        left -= _ONE
    return state, place


@compiled
def _push_taken(
    state: np.uint64, place: int, words: Words, taken: NDArray[np.uint32], places: int
) -> tuple[np.uint64, int]:
    for i in range(taken.size - 1, -1, -1):
        before = np.int64(taken[i - 1]) if i else -1
        gap = np.uint64(taken[i] - before - 1)
        left, free = np.uint64(taken.size - i), np.uint64(places - before - 1)
        state, place = _push_gap(state, place, words, gap, left, free)
    return state, place


@compiled
def _others(taken: NDArray[np.uint32], places: int, others: NDArray[np.uint32]) -> None:
    found, i = 0, 0
    for place in range(places):
        if i < taken.size and taken[i] == place:
            i += 1
        else:
            others[found] = place
            found += 1


@compiled
def push_subset(
    state: np.uint64, place: int, words: Words, taken: NDArray[np.uint32], places: int
) -> tuple[np.uint64, int]:
    """Encode which places are taken, (n,) uint32 ascending."""
    if 2 * taken.size <= places:
        return _push_taken(state, place, words, taken, places)
    others = np.empty(places - taken.size, np.uint32)
    _others(taken, places, others)
    return _push_taken(state, place, words, others, places)


@compiled
def pop_subset(
    state: np.uint64, place: int, words: Words, stop: int, places: int, taken: NDArray[np.uint32]
) -> tuple[np.uint64, int]:
    """Fill `taken`, (n,) uint32; the state becomes 0 where the stream is damaged."""
    inverted = 2 * taken.size > places
    found = np.empty(places - taken.size, np.uint32) if inverted else taken
    state, place = _pop_taken(state, place, words, stop, places, found)
    if state == 0:
        return state, place
    if inverted:
        _others(found, places, taken)
    return state, place
