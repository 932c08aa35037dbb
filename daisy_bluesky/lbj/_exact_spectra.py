"""Spectra bit by bit: the cell of each voxel beside its prediction, coded in contexts; its other bits as they are."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._adaptive_bits import (
    BROKEN,
    LONGEST,
    TREE,
    bit_length,
    end_writing,
    put_bit,
    put_length,
    put_plain,
    put_symbol,
    take_bit,
    take_length,
    take_plain,
    take_symbol,
)
from daisy_bluesky.lbj._cells import LARGEST_CELL, Kind, float_cell, float_pattern, largest_place, place_in_cell
from daisy_bluesky.lbj._model_stream import (
    EXCESS,
    SIGN_OF_ZERO,
    VOXELS,
    has_room,
    put_model,
    put_scores,
    take_model,
    take_scores,
)
from daisy_bluesky.lbj._spectral_model import POINT, predict, sigma, weights_of

PHASES = 8
LEVELS = 4 * 49
CONTEXTS = VOXELS + LEVELS * PHASES * TREE
MODELLED = 99
"""In place of the decay of a running prediction: predict with the model."""

_ZERO = np.int64(0)
_ONE = np.int64(1)
_HALF = np.int64(TREE // 2)
_LAST = np.int64(TREE - 1)
_FINE = np.int64(3)  # the steps of a symbol are 2**-3 to 2**-2 of sigma


@compiled
def _context(predicted: np.int64, scatter: np.int64) -> tuple[np.int64, np.int64, np.int64]:
    """Return the bits of a cell that are not coded, the cell that symbol 32 begins with, and the first context."""
    length = bit_length(scatter)
    low = max(length - POINT - _FINE, _ZERO)
    quarter = (scatter >> (length - 3)) & 3 if length >= 3 else _ZERO
    phase = (predicted >> (POINT - 3)) & 7 if low == 0 else _ZERO
    base = (predicted >> POINT) - ((_ONE << low) >> 1)
    return low, base, VOXELS + ((4 * min(length, np.int64(48)) + quarter) * PHASES + phase) * TREE


@compiled
def _put_cell(
    cell: np.int64,
    predicted: np.int64,
    scatter: np.int64,
    contexts: NDArray[np.uint32],
    state: NDArray[np.int64],
    coded: NDArray[np.uint8],
    plain: NDArray[np.uint8],
) -> None:
    low, base, first = _context(predicted, scatter)
    step = (cell - base) >> low
    symbol = min(max(step + _HALF, _ZERO), _LAST)
    put_symbol(symbol, first, contexts, state, coded)
    if symbol == 0:
        put_length(-step - _HALF, np.int64(EXCESS), contexts, state, coded, plain)
    elif symbol == _LAST:
        put_length(step + _HALF - _LAST, np.int64(EXCESS), contexts, state, coded, plain)
    put_plain(cell - base, low, state, plain)


@compiled
def _take_cell(
    predicted: np.int64,
    scatter: np.int64,
    contexts: NDArray[np.uint32],
    state: NDArray[np.int64],
    coded: NDArray[np.uint8],
    plain: NDArray[np.uint8],
) -> tuple[bool, np.int64]:
    """Return whether the voxel has a cell, and which."""
    low, base, first = _context(predicted, scatter)
    symbol = take_symbol(first, contexts, state, coded)
    step = symbol - _HALF
    if symbol == 0 or symbol == _LAST:
        excess = take_length(np.int64(EXCESS), contexts, state, coded, plain)
        if excess < 0:
            return False, _ZERO
        if excess > 2 * LARGEST_CELL:
            state[BROKEN] = 1
            return True, _ZERO
        step = step - excess if symbol == 0 else step + excess
    cell = base + (step << low) + take_plain(low, state, plain)
    if not -LARGEST_CELL < cell < LARGEST_CELL:
        state[BROKEN] = 1
        return True, _ZERO
    return True, cell


@compiled
def _cell_of(
    pattern: np.int64, bits: np.int64, signed: np.int64, fraction: np.int64, unit: np.int64
) -> tuple[bool, np.int64]:
    if fraction:
        return float_cell(pattern, bits, fraction, unit)
    if signed:
        pattern = (pattern << (64 - bits)) >> (64 - bits)
    return bool((signed == 1 or pattern >= 0) and -LARGEST_CELL < pattern < LARGEST_CELL), pattern


@compiled
def _pattern_of(
    cell: np.int64,
    kind: Kind,
    contexts: NDArray[np.uint32],
    state: NDArray[np.int64],
    coded: NDArray[np.uint8],
    plain: NDArray[np.uint8],
) -> np.int64:
    bits, signed, fraction, unit, whole = kind
    if fraction:
        largest, place = largest_place(cell, bits, fraction, unit), _ZERO
        if whole and cell == 0:
            return take_bit(np.int64(SIGN_OF_ZERO), contexts, state, coded) << (bits - 1)
        if not whole:
            place = take_plain(bit_length(max(largest, _ZERO)), state, plain)
        if place > largest:
            state[BROKEN] = 1
            return _ZERO
        return float_pattern(cell, place, bits, fraction, unit)
    if bits < 64 and not (-(_ONE << (bits - 1)) <= cell < (_ONE << (bits - 1)) if signed else 0 <= cell < _ONE << bits):
        state[BROKEN] = 1
    return cell


@compiled
def _put_voxel(
    pattern: np.int64,
    predicted: np.int64,
    scatter: np.int64,
    kind: Kind,
    contexts: NDArray[np.uint32],
    state: NDArray[np.int64],
    coded: NDArray[np.uint8],
    plain: NDArray[np.uint8],
) -> tuple[bool, np.int64]:
    bits, signed, fraction, unit, whole = kind
    celled, cell = _cell_of(pattern, bits, signed, fraction, unit)
    place, largest, negative = _ZERO, _ZERO, _ZERO
    if fraction and whole and pattern << (65 - bits) == 0:
        cell, negative = _ZERO, (pattern >> (bits - 1)) & 1
    elif celled and fraction:
        place, largest = place_in_cell(pattern, cell, bits, fraction, unit)
        celled = place == 0 or not whole
    if celled:
        _put_cell(cell, predicted, scatter, contexts, state, coded, plain)
        if not whole:
            put_plain(place, bit_length(largest), state, plain)
        elif fraction and cell == 0:
            put_bit(negative, np.int64(SIGN_OF_ZERO), contexts, state, coded)
    else:
        first = _context(predicted, scatter)[2]
        put_symbol(_LAST, first, contexts, state, coded)
        put_symbol(np.int64(LONGEST), np.int64(EXCESS), contexts, state, coded)
        put_plain(pattern, bits, state, plain)
    return celled, cell


@compiled
def _followed(
    celled: bool, cell: np.int64, predicted: np.int64, spread: np.int64, decay: np.int64
) -> tuple[np.int64, np.int64]:
    """Return the running prediction and spread after a voxel."""
    if not celled:
        return predicted, spread
    off = (cell << POINT) - predicted
    return predicted + (off >> decay), spread + ((abs(off) - spread) >> 3)


@compiled
def write_exact(
    patterns: NDArray[np.unsignedinteger],
    kind: Kind,
    decay: np.int64,
    noise: tuple[np.int64, np.int64],
    mean_shift: np.int64,
    mean: NDArray[np.int64],
    shifts: NDArray[np.int64],
    loadings: NDArray[np.int64],
    scores: NDArray[np.int64],
    contexts: NDArray[np.uint32],
    state: NDArray[np.int64],
    coded: NDArray[np.uint8],
    plain: NDArray[np.uint8],
) -> bool:
    """Write bit patterns, (spectra, channels); return False where the streams have no room.

    Parameters
    ----------
    patterns : (spectra, channels) unsigned integers
    kind : Kind
        What they stand for.
    decay : int
        Of the running prediction along the channels, a shift; `MODELLED` to predict with the model.
    noise, mean_shift, mean, shifts, loadings, scores
        Those of the model, noise being (slope, floor).
    contexts, state, coded, plain
        The streams, begun.
    """
    modelled = decay == MODELLED
    row = np.zeros(patterns.shape[1], np.int64)
    if modelled and not put_model(mean, loadings, contexts, state, coded, plain):
        return False
    middle = mean << mean_shift
    weights = weights_of(middle, noise[0], noise[1])
    predicted, spread = _ZERO, _ONE << POINT
    for spectrum in range(patterns.shape[0]):
        if not has_room(state, coded, plain):
            return False
        if modelled:
            put_scores(scores[spectrum], contexts, state, coded, plain)
            predict(middle, weights, shifts, loadings, scores[spectrum], row)
        for channel in range(patterns.shape[1]):
            if not has_room(state, coded, plain):
                return False
            pattern = np.int64(patterns[spectrum, channel])
            if modelled:
                scatter = sigma(row[channel], noise[0], noise[1])
                _put_voxel(pattern, row[channel], scatter, kind, contexts, state, coded, plain)
            else:
                celled, cell = _put_voxel(pattern, predicted, spread + 1, kind, contexts, state, coded, plain)
                predicted, spread = _followed(celled, cell, predicted, spread, decay)
    end_writing(state, coded, plain)
    return True


@compiled
def read_exact(
    kind: Kind,
    decay: np.int64,
    noise: tuple[np.int64, np.int64],
    mean_shift: np.int64,
    shifts: NDArray[np.int64],
    contexts: NDArray[np.uint32],
    state: NDArray[np.int64],
    coded: NDArray[np.uint8],
    plain: NDArray[np.uint8],
    out: NDArray[np.unsignedinteger],
) -> bool:
    """Fill `out`, (spectra, channels), with bit patterns; return False at the first spectrum that breaks off."""
    modelled = decay == MODELLED
    channels = out.shape[1]
    mean, row = np.zeros(channels if modelled else 0, np.int64), np.zeros(channels, np.int64)
    loadings, scores = np.zeros((shifts.size, channels), np.int64), np.zeros(shifts.size, np.int64)
    if modelled:
        take_model(mean_shift, mean, loadings, contexts, state, coded, plain)
    middle = mean << mean_shift
    weights = weights_of(middle, noise[0], noise[1])
    predicted, spread = _ZERO, _ONE << POINT
    for spectrum in range(out.shape[0]):
        if state[BROKEN]:
            return False
        if modelled:
            take_scores(scores, contexts, state, coded, plain)
            predict(middle, weights, shifts, loadings, scores, row)
        for channel in range(channels):
            if modelled:
                predicted = row[channel]
                scatter = sigma(predicted, noise[0], noise[1])
            else:
                scatter = spread + 1
            celled, cell = _take_cell(predicted, scatter, contexts, state, coded, plain)
            pattern = (
                _pattern_of(cell, kind, contexts, state, coded, plain) if celled else take_plain(kind[0], state, plain)
            )
            out[spectrum, channel] = pattern
            if not modelled:
                predicted, spread = _followed(celled, cell, predicted, spread, decay)
    return True
