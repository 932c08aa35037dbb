"""Spectra bit by bit: the cell of each voxel beside its prediction, coded in contexts; its other bits as they are."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._adaptive_bits import (
    BROKEN,
    LONGEST,
    TREE,
    Streams,
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
    Noise,
    Terms,
    begin_model,
    has_room,
    put_prediction,
    take_prediction,
    take_terms,
)
from daisy_bluesky.lbj._spectral_model import POINT, sigma

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
    streams: Streams,
) -> None:
    low, base, first = _context(predicted, scatter)
    step = (cell - base) >> low
    symbol = min(max(step + _HALF, _ZERO), _LAST)
    put_symbol(symbol, first, streams)
    if symbol == 0:
        put_length(-step - _HALF, np.int64(EXCESS), streams)
    elif symbol == _LAST:
        put_length(step + _HALF - _LAST, np.int64(EXCESS), streams)
    put_plain(cell - base, low, streams)


@compiled
def _take_cell(
    predicted: np.int64,
    scatter: np.int64,
    streams: Streams,
) -> tuple[bool, np.int64]:
    """Return whether the voxel has a cell, and which."""
    low, base, first = _context(predicted, scatter)
    symbol = take_symbol(first, streams)
    step = symbol - _HALF
    if symbol == 0 or symbol == _LAST:
        excess = take_length(np.int64(EXCESS), streams)
        if excess < 0:
            return False, _ZERO
        if excess > 2 * LARGEST_CELL:
            streams.state[BROKEN] = 1
            return True, _ZERO
        step = step - excess if symbol == 0 else step + excess
    cell = base + (step << low) + take_plain(low, streams)
    if not -LARGEST_CELL < cell < LARGEST_CELL:
        streams.state[BROKEN] = 1
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
    streams: Streams,
) -> np.int64:
    bits, signed, fraction, unit, whole = kind
    if fraction:
        largest, place = largest_place(cell, bits, fraction, unit), _ZERO
        if whole and cell == 0:
            return take_bit(np.int64(SIGN_OF_ZERO), streams) << (bits - 1)
        if not whole:
            place = take_plain(bit_length(max(largest, _ZERO)), streams)
        if place > largest:
            streams.state[BROKEN] = 1
            return _ZERO
        return float_pattern(cell, place, bits, fraction, unit)
    if bits < 64 and not (-(_ONE << (bits - 1)) <= cell < (_ONE << (bits - 1)) if signed else 0 <= cell < _ONE << bits):
        streams.state[BROKEN] = 1
    return cell


@compiled
def _put_voxel(
    pattern: np.int64,
    predicted: np.int64,
    scatter: np.int64,
    kind: Kind,
    streams: Streams,
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
        _put_cell(cell, predicted, scatter, streams)
        if not whole:
            put_plain(place, bit_length(largest), streams)
        elif fraction and cell == 0:
            put_bit(negative, np.int64(SIGN_OF_ZERO), streams)
    else:
        first = _context(predicted, scatter)[2]
        put_symbol(_LAST, first, streams)
        put_symbol(np.int64(LONGEST), np.int64(EXCESS), streams)
        put_plain(pattern, bits, streams)
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
    noise: Noise,
    terms: Terms,
    streams: Streams,
) -> bool:
    """Write bit patterns, (spectra, channels), which stand for values of a kind; return False where there is no room.

    The prediction is that of a model where `decay` is `MODELLED`, else a running one along the channels.
    """
    modelled = bool(decay == MODELLED)
    row = np.zeros(patterns.shape[1], np.int64)
    fits, mean, weights = begin_model(modelled, noise, terms, streams)
    predicted, spread = _ZERO, _ONE << POINT
    for spectrum in range(patterns.shape[0] if fits else 0):
        if modelled and has_room(streams):
            put_prediction(spectrum, mean, weights, terms, streams, row)
        for channel in range(patterns.shape[1]):
            if not has_room(streams):
                return False
            pattern = np.int64(patterns[spectrum, channel])
            if modelled:
                scatter = sigma(row[channel], noise.slope, noise.floor)
                _put_voxel(pattern, row[channel], scatter, kind, streams)
            else:
                celled, cell = _put_voxel(pattern, predicted, spread + 1, kind, streams)
                predicted, spread = _followed(celled, cell, predicted, spread, decay)
    end_writing(streams)
    return fits


@compiled
def read_exact(
    kind: Kind,
    decay: np.int64,
    noise: Noise,
    mean_shift: np.int64,
    shifts: NDArray[np.int64],
    streams: Streams,
    out: NDArray[np.unsignedinteger],
) -> bool:
    """Fill `out`, (spectra, channels), with bit patterns; return False at the first spectrum that breaks off."""
    modelled = bool(decay == MODELLED)
    row = np.zeros(out.shape[1], np.int64)
    mean, weights, loadings = take_terms(row.size if modelled else 0, noise, mean_shift, shifts.size, streams)
    predicted, spread = _ZERO, _ONE << POINT
    for spectrum in range(out.shape[0]):
        if streams.state[BROKEN]:
            return False
        if modelled:
            take_prediction(mean, weights, shifts, loadings, streams, row)
        for channel in range(row.size):
            predicted = row[channel] if modelled else predicted
            scatter = sigma(predicted, noise.slope, noise.floor) if modelled else spread + 1
            celled, cell = _take_cell(predicted, scatter, streams)
            if celled:
                out[spectrum, channel] = _pattern_of(cell, kind, streams)
            else:
                out[spectrum, channel] = take_plain(kind.bits, streams)
            if not modelled:
                predicted, spread = _followed(celled, cell, predicted, spread, decay)
    return True
