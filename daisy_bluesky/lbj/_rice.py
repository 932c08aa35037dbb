"""Adaptive Rice codes: the bit streams inside sparse and dense count records.

A code with parameter ``k`` is ``value >> k`` zero bits, a one bit, and the ``k`` low bits of the value; bits fill
bytes from the least significant one. Where the quotient reaches `ESCAPE`, `ESCAPE` zero bits and the 64 bits of the
value are written instead, so that any value fits. ``k`` follows the running mean of the values before, in integers.

A dense stream holds one value per voxel. A paired stream alternates between gaps and counts, each with its own mean.

References
----------
R. F. Rice, "Some practical universal noiseless coding techniques", JPL Publication 79-22 (1979).
"""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bits import leading_zeros, trailing_zeros

ESCAPE = 24
LONGEST_CODE = 16  # bytes: room to leave behind the last code
GAP_MEMORY = 4  # the running mean of gaps spans about 2**4 values
COUNT_MEMORY = 2  # counts change faster: characteristic lines are a few channels wide

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_EIGHT = np.uint64(8)
_HALF_WORD = np.uint64(32)
_WORD = np.uint64(64)
_LOW_HALF = np.uint64(2**32 - 1)
_LARGEST_STEP = np.uint64(2**32)
_LONG = np.uint64(255)
_BROKEN = np.uint64(2**64 - 1)


@compiled
def _parameter(state: np.uint64, memory: np.uint64) -> np.uint64:
    mean = (state + (_ONE << (memory - _ONE))) >> memory
    return _ZERO if mean <= _ONE else np.uint64(_WORD - np.uint64(leading_zeros(mean - _ONE)))


@compiled
def _adapt(state: np.uint64, memory: np.uint64, value: np.uint64) -> np.uint64:
    return state + min(value, _LARGEST_STEP) - (state >> memory)


@compiled
def _code(value: np.uint64, k: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the bits of a code and their number, `_LONG` where they are more than 32."""
    quotient = value >> k
    width = quotient + _ONE + k
    if quotient >= np.uint64(ESCAPE) or width > _HALF_WORD:
        return _ZERO, _LONG
    low = value & ((_ONE << k) - _ONE)
    return (low << (quotient + _ONE)) | (_ONE << quotient), width


@compiled
def _flush(out: NDArray[np.uint8], position: np.uint64, window: np.uint64) -> None:
    for byte in range(4):
        out[position + np.uint64(byte)] = np.uint8((window >> np.uint64(8 * byte)) & np.uint64(255))


@compiled
def _put_long(
    out: NDArray[np.uint8], position: np.uint64, window: np.uint64, held: np.uint64, value: np.uint64, k: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64]:
    quotient = value >> k
    if quotient < np.uint64(ESCAPE):
        parts = ((_ONE << quotient, quotient + _ONE), (value & ((_ONE << k) - _ONE), k), (_ZERO, _ZERO))
    else:
        parts = ((_ZERO, np.uint64(ESCAPE)), (value & _LOW_HALF, _HALF_WORD), (value >> _HALF_WORD, _HALF_WORD))
    for bits, width in parts:
        window |= bits << held
        held += width
        if held >= _HALF_WORD:
            _flush(out, position, window)
            position, window, held = position + _FOUR, window >> _HALF_WORD, held - _HALF_WORD
    return position, window, held


@compiled
def encode(values: NDArray[np.uint64], paired: bool, typical_gap: int, out: NDArray[np.uint8], start: int) -> np.int64:
    """Write values from byte `start` of `out`; return where they end, or -1 where `out` is too short.

    Parameters
    ----------
    values : (n,) uint64
        Magnitudes, one per voxel; or, where `paired`, gap and magnitude - 1 of each non-zero in turn.
    paired : bool
        Which of the two streams to write.
    typical_gap : int
        What the mean of the gaps starts from, at most 2**32.
    out : (m,) uint8
        Must be `LONGEST_CODE` longer than what is accepted.
    start : int
        Where in `out` to begin.
    """
    room = np.uint64(max(out.size - LONGEST_CODE, 0))
    position, window, held = np.uint64(start), _ZERO, _ZERO
    memory = np.uint64(GAP_MEMORY if paired else COUNT_MEMORY)
    state = np.uint64(typical_gap) << memory if paired else _ZERO
    other_state, other_memory = _ZERO, np.uint64(COUNT_MEMORY)
    for i in range(values.size):
        if position > room:
            return np.int64(-1)
        value, k = values[i], _parameter(state, memory)
        bits, width = _code(value, k)
        if width == _LONG:
            position, window, held = _put_long(out, position, window, held, value, k)
        else:
            window |= bits << held
            held += width
            if held >= _HALF_WORD:
                _flush(out, position, window)
                position, window, held = position + _FOUR, window >> _HALF_WORD, held - _HALF_WORD
        state = _adapt(state, memory, value)
        if paired:
            state, other_state, memory, other_memory = other_state, state, other_memory, memory
    _flush(out, position, window)
    return np.int64(position + ((held + np.uint64(7)) >> np.uint64(3)))


@compiled
def _fill(
    payload: NDArray[np.uint8], position: np.uint64, window: np.uint64, held: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64]:
    """Hold more than 32 bits, or all that are left."""
    if position + _FOUR <= np.uint64(payload.size):
        for byte in range(4):
            window |= np.uint64(payload[position + np.uint64(byte)]) << (held + np.uint64(8 * byte))
        return position + _FOUR, window, held + _HALF_WORD
    while position < np.uint64(payload.size):
        window |= np.uint64(payload[position]) << held
        held += _EIGHT
        position += _ONE
    return position, window, held


@compiled
def _take_long(
    payload: NDArray[np.uint8], position: np.uint64, window: np.uint64, held: np.uint64, k: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return what is left, and the value of a code longer than `held`; the position is `_BROKEN` where it is cut."""
    quotient = np.uint64(trailing_zeros(window))
    escaped = quotient >= np.uint64(ESCAPE)
    prefix = np.uint64(ESCAPE) if escaped else quotient + _ONE
    if held < prefix:
        return _BROKEN, window, held, _ZERO
    window, held = window >> prefix, held - prefix
    value, place = (_ZERO, _ZERO) if escaped else (quotient << k, _ZERO)
    for width in (_HALF_WORD, _HALF_WORD) if escaped else (k, _ZERO):
        if held <= _HALF_WORD:
            position, window, held = _fill(payload, position, window, held)
        if held < width:
            return _BROKEN, window, held, _ZERO
        value |= (window & ((_ONE << width) - _ONE)) << place
        window, held, place = window >> width, held - width, place + width
    return position, window, held, value


@compiled
def decode(payload: NDArray[np.uint8], paired: bool, typical_gap: int, values: NDArray[np.uint64]) -> bool:
    """Fill `values`, (n,) uint64, as `encode` took them; return whether the stream is whole and ends there."""
    position, window, held = _ZERO, _ZERO, _ZERO
    memory = np.uint64(GAP_MEMORY if paired else COUNT_MEMORY)
    state = np.uint64(typical_gap) << memory if paired else _ZERO
    other_state, other_memory = _ZERO, np.uint64(COUNT_MEMORY)
    for i in range(values.size):
        if held <= _HALF_WORD:
            position, window, held = _fill(payload, position, window, held)
        k = _parameter(state, memory)
        quotient = np.uint64(trailing_zeros(window))
        width = quotient + _ONE + k
        if quotient < np.uint64(ESCAPE) and width <= held:
            value = (quotient << k) | ((window >> (quotient + _ONE)) & ((_ONE << k) - _ONE))
            window, held = window >> width, held - width
        else:
            position, window, held, value = _take_long(payload, position, window, held, k)
            if position == _BROKEN:
                return False
        values[i] = value
        state = _adapt(state, memory, value)
        if paired:
            state, other_state, memory, other_memory = other_state, state, other_memory, memory
    return bool(position == np.uint64(payload.size) and held < _EIGHT and window == _ZERO)
