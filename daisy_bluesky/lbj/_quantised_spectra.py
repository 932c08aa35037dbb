"""Spectra to within a fraction of their noise: each voxel in steps of its modelled sigma, with a subtractive dither.

The dither is drawn from the voxel's place and a seed, so that both sides know it: the error is uniform within half a
step either way, whatever the value, and has no bias. Values more than 31 steps from their prediction are kept exactly.

References
----------
L. Schuchman, "Dither signals and their effect on quantization noise", IEEE Trans. Commun. Technol. 12, 162 (1964).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._adaptive_bits import (
    BROKEN,
    TREE,
    Streams,
    bit_length,
    end_writing,
    put_plain,
    put_symbol,
    take_plain,
    take_symbol,
)
from daisy_bluesky.lbj._model_stream import (
    VOXELS,
    Noise,
    Terms,
    begin_model,
    has_room,
    put_prediction,
    take_prediction,
    take_terms,
)
from daisy_bluesky.lbj._spectral_model import sigma

PHASES = 16
LEVELS = 49
CONTEXTS = VOXELS + LEVELS * PHASES * TREE
STEP_POINT = 8
"""Fractional bits of the step in units of sigma."""
LARGEST_STEP = 2**20

_ZERO = np.int64(0)
_HALF = np.int64(TREE // 2)
_DITHER_POINT = np.int64(16)
_DITHER_HALF = np.int64(2**15)
_LARGEST_ESTIMATE = np.int64(2**40)


class Grid(NamedTuple):
    """Where quantised values lie.

    Attributes
    ----------
    scale : float
        A power of two: fixed-point units per unit of the values.
    steps : int64
        The step in sigma, with `STEP_POINT` fractional bits.
    seed : uint64
        Of the dither.
    """

    scale: float
    steps: np.int64
    seed: np.uint64


@compiled
def _dither(seed: np.uint64, place: np.int64) -> np.int64:
    """Return 16 random bits of a voxel: the upper ones of the output of splitmix64."""
    bits = seed + np.uint64(place + 1) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((bits ^ (bits >> np.uint64(31))) >> np.uint64(48))


@compiled
def _step(predicted: np.int64, noise: Noise, steps: np.int64) -> tuple[np.int64, np.int64]:
    """Return a step, at least 1, and sigma, in fixed-point units."""
    scatter = sigma(predicted, noise.slope, noise.floor)
    return max((steps * scatter) >> STEP_POINT, np.int64(1)), scatter


@compiled
def _context(scatter: np.int64, dither: np.int64) -> np.int64:
    return VOXELS + (min(bit_length(scatter), np.int64(48)) * PHASES + (dither >> 12)) * TREE


@compiled
def _restored(predicted: np.int64, number: np.int64, dither: np.int64, step: np.int64) -> np.int64:
    """Return the value of the step `number` steps from the prediction, in fixed-point units."""
    return predicted + ((((number << _DITHER_POINT) - dither + _DITHER_HALF) * step) >> _DITHER_POINT)


@compiled
def _quantised(
    value: float,
    scale: float,
    predicted: np.int64,
    dither: np.int64,
    step: np.int64,
    bound: np.int64,
    rounded: NDArray[np.floating],
) -> tuple[np.int64, np.int64]:
    """Return the number of steps to a value, -32 where it is kept exactly, and the value it comes back as.

    `rounded`, (1,), has the type of the values: also what is rounded to it must keep within `bound`, twice the largest
    error with `STEP_POINT` fractional bits.
    """
    off = np.floor((value - predicted) / step + dither / 65536.0)
    if not -_HALF < off < _HALF:
        return -_HALF, predicted
    number = np.int64(off)
    restored = _restored(predicted, number, dither, step)
    rounded[0] = restored / scale
    if not abs(np.float64(rounded[0]) * scale - value) * 2.0 ** (STEP_POINT + 1) <= bound:
        return -_HALF, predicted
    return number, restored


@compiled
def _followed(predicted: np.int64, restored: np.int64, decay: np.int64) -> np.int64:
    """Return the running prediction after a voxel; of no use where a model predicts."""
    shift = max(decay, _ZERO)
    return min(max(predicted + ((restored - predicted) >> shift), -_LARGEST_ESTIMATE), _LARGEST_ESTIMATE)


@compiled
def _caught_up(predicted: np.int64, value: float) -> np.int64:
    """Return the running prediction after a voxel that was kept exactly."""
    return np.int64(np.rint(value)) if abs(value) < _LARGEST_ESTIMATE else predicted


@compiled
def write_quantised(
    values: NDArray[np.floating],
    patterns: NDArray[np.unsignedinteger],
    grid: Grid,
    decay: np.int64,
    noise: Noise,
    terms: Terms,
    streams: Streams,
) -> bool:
    """Write floats, (spectra, channels), and, of those far off, their bit patterns; False where there is no room."""
    channels, bits = patterns.shape[1], np.int64(8 * patterns.itemsize)
    row, none, predicted = np.zeros(channels, np.int64), np.zeros(1, values.dtype), _ZERO
    fits, mean, weights = begin_model(bool(decay < 0), noise, terms, streams)
    for spectrum in range(patterns.shape[0] if fits else 0):
        if decay < 0 and has_room(streams):
            put_prediction(spectrum, mean, weights, terms, streams, row)
        for channel in range(channels):
            if not has_room(streams):
                return False
            predicted = row[channel] if decay < 0 else predicted
            dither = _dither(grid.seed, np.int64(spectrum) * channels + channel)
            step, scatter = _step(predicted, noise, grid.steps)
            value = np.float64(values[spectrum, channel]) * grid.scale
            number, restored = _quantised(value, grid.scale, predicted, dither, step, grid.steps * scatter, none)
            put_symbol(number + _HALF, _context(scatter, dither), streams)
            if number == -_HALF:
                put_plain(np.int64(patterns[spectrum, channel]), bits, streams)
                predicted = _caught_up(predicted, value)
            else:
                predicted = _followed(predicted, restored, decay)
    end_writing(streams)
    return fits


@compiled
def read_quantised(
    grid: Grid,
    decay: np.int64,
    noise: Noise,
    mean_shift: np.int64,
    shifts: NDArray[np.int64],
    streams: Streams,
    out: NDArray[np.floating],
    patterns: NDArray[np.unsignedinteger],
) -> bool:
    """Fill `out`, (spectra, channels), of which `patterns` is a view; return False where it breaks off."""
    channels, bits = out.shape[1], np.int64(8 * patterns.itemsize)
    row, predicted = np.zeros(channels, np.int64), _ZERO
    mean, weights, loadings = take_terms(channels if decay < 0 else 0, noise, mean_shift, shifts.size, streams)
    for spectrum in range(out.shape[0]):
        if streams.state[BROKEN]:
            return False
        if decay < 0:
            take_prediction(mean, weights, shifts, loadings, streams, row)
        for channel in range(channels):
            predicted = row[channel] if decay < 0 else predicted
            dither = _dither(grid.seed, np.int64(spectrum) * channels + channel)
            step, scatter = _step(predicted, noise, grid.steps)
            symbol = take_symbol(_context(scatter, dither), streams)
            if symbol == 0:
                patterns[spectrum, channel] = take_plain(bits, streams)
                predicted = _caught_up(predicted, np.float64(out[spectrum, channel]) * grid.scale)
            else:
                restored = _restored(predicted, symbol - _HALF, dither, step)
                out[spectrum, channel] = restored / grid.scale
                predicted = _followed(predicted, restored, decay)
    return True
