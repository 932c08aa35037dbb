"""The entropy coder of coded tiles: range asymmetric numeral systems with a 64-bit state and 32-bit words.

What was pushed last is popped first. A stream is its words in the order in which they are popped; the first two hold
the state. A state that is not the initial one after the last pop, or words that are left over, mean damage.

References
----------
J. Duda, "Asymmetric numeral systems: entropy coding combining speed of Huffman coding with compression rate of
arithmetic coding", arXiv:1311.2540 (2013), eqs. 7 and 8.
"""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

INITIAL = np.uint64(2**32)
SLOT_BITS = 16

_SLOT_BITS = np.uint64(SLOT_BITS)
_SLOT_MASK = np.uint64(2**SLOT_BITS - 1)
_RENORMALISED = np.uint64(64 - SLOT_BITS)
_WORD = np.uint64(32)
_STATE = np.uint64(64)
_ONE = np.uint64(1)

Words = NDArray[np.uint32]


@compiled
def push(state: np.uint64, place: int, words: Words, start: np.uint64, size: np.uint64) -> tuple[np.uint64, int]:
    """Encode the symbol that owns the slots `start` to `start` + `size` - 1 of 2**16; words are filled from the end."""
    if state >= size << _RENORMALISED:
        place -= 1
        words[place] = np.uint32(state)
        state >>= _WORD
    quotient = state // size
    return (quotient << _SLOT_BITS) + (state - quotient * size) + start, place


@compiled
def push_bits(state: np.uint64, place: int, words: Words, value: np.uint64, width: np.uint64) -> tuple[np.uint64, int]:
    """Encode `width` bits, at most 31, of equal odds."""
    if state >> (_STATE - _ONE - width) > _ONE:
        place -= 1
        words[place] = np.uint32(state)
        state >>= _WORD
    return (state << width) | value, place


@compiled
def finish(state: np.uint64, place: int, words: Words) -> int:
    """Write the state before the words; return where the stream begins."""
    words[place - 1] = np.uint32(state >> _WORD)
    words[place - 2] = np.uint32(state)
    return place - 2


@compiled
def begin(words: Words, start: int, stop: int) -> tuple[np.uint64, int]:
    """Return the state that a stream begins with, 0 where it is too short, and where its next word is."""
    if stop - start < 2:
        return np.uint64(0), stop
    return np.uint64(words[start]) | (np.uint64(words[start + 1]) << _WORD), start + 2


@compiled
def slot_of(state: np.uint64) -> np.uint64:
    """Return the slot, below 2**16, in which the next symbol lies."""
    return state & _SLOT_MASK


@compiled
def pop(
    state: np.uint64, place: int, words: Words, stop: int, start: np.uint64, size: np.uint64
) -> tuple[np.uint64, int]:
    """Take the symbol that `slot_of` named off the state."""
    return refilled(size * (state >> _SLOT_BITS) + (state & _SLOT_MASK) - start, place, words, stop)


@compiled
def pop_bits(
    state: np.uint64, place: int, words: Words, stop: int, width: np.uint64
) -> tuple[np.uint64, np.uint64, int]:
    """Return `width` bits, at most 31, and what is left."""
    value = state & ((_ONE << width) - _ONE)
    state, place = refilled(state >> width, place, words, stop)
    return value, state, place


@compiled
def refilled(state: np.uint64, place: int, words: Words, stop: int) -> tuple[np.uint64, int]:
    """Take a word where the state has become short; past the last one it stays short, which the end check finds."""
    if state < INITIAL and place < stop:
        return (state << _WORD) | np.uint64(words[place]), place + 1
    return state, place
