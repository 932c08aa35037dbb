"""Counts of any integer type as unsigned magnitudes, all of them or as (gap, magnitude - 1) pairs, and back."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@compiled
def _fold(pattern: np.uint64, shift: np.uint64) -> np.uint64:
    negated = np.int64((_ZERO - pattern) << shift) >> np.int64(shift)
    return np.uint64((negated << np.int64(1)) ^ (negated >> np.int64(63)))


@compiled
def _unfold(magnitude: np.uint64) -> np.uint64:
    negated = np.int64(magnitude >> _ONE) ^ -np.int64(magnitude & _ONE)
    return _ZERO - np.uint64(negated)


@compiled
def fold(patterns: NDArray[np.unsignedinteger], bits: int) -> NDArray[np.uint64]:
    """Return magnitudes: the count itself where unsigned; 0, 1, -1, 2, -2, ... -> 0, 1, 2, 3, 4, ... where signed.

    Parameters
    ----------
    patterns : (n,) unsigned integers
        The counts' bit patterns.
    bits : int
        Width of a signed type, 0 for an unsigned one.

    Returns
    -------
    (n,) uint64
        Magnitudes; the most negative count of `bits` bits becomes ``2**bits - 1``.
    """
    magnitudes = np.empty(patterns.size, np.uint64)
    shift = np.uint64(64 - bits)
    for i in range(patterns.size):
        pattern = np.uint64(patterns[i])
        magnitudes[i] = _fold(pattern, shift) if bits else pattern
    return magnitudes


@compiled
def unfold(magnitudes: NDArray[np.uint64], bits: int, largest: np.uint64, out: NDArray[np.unsignedinteger]) -> bool:
    """Fill `out` with the bit patterns of counts; return False at the first magnitude above `largest`."""
    for i in range(magnitudes.size):
        if magnitudes[i] > largest:
            return False
        out[i] = _unfold(magnitudes[i]) if bits else magnitudes[i]
    return True


@compiled
def pair(patterns: NDArray[np.unsignedinteger], bits: int) -> NDArray[np.uint64]:
    """Return the pairs of what is not zero in `patterns`: (2 n,) uint64, gap and magnitude - 1 in turn."""
    found = 0
    for i in range(patterns.size):
        found += patterns[i] != 0
    pairs = np.empty(2 * found, np.uint64)
    shift = np.uint64(64 - bits)
    place, expected = 0, 0
    for i in range(patterns.size):
        if patterns[i] != 0:
            pattern = np.uint64(patterns[i])
            pairs[place] = np.uint64(i - expected)
            pairs[place + 1] = (_fold(pattern, shift) if bits else pattern) - _ONE
            place += 2
            expected = i + 1
    return pairs


@compiled
def unpair(
    pairs: NDArray[np.uint64], voxels: int, positions: NDArray[np.int64], magnitudes: NDArray[np.uint64]
) -> bool:
    """Fill places, (n,) int64, and magnitudes, (n,) uint64, of the non-zeros; return False at the first one outside."""
    expected = np.int64(0)
    for i in range(positions.size):
        gap, excess = pairs[2 * i], pairs[2 * i + 1]
        if expected >= voxels or gap >= np.uint64(voxels - expected) or excess + _ONE == _ZERO:
            return False
        position = expected + np.int64(gap)
        positions[i] = position
        magnitudes[i] = excess + _ONE
        expected = position + np.int64(1)
    return True


@compiled
def scatter(pairs: NDArray[np.uint64], bits: int, largest: np.uint64, out: NDArray[np.unsignedinteger]) -> bool:
    """Write counts to their places in `out`, (voxels,); return False at the first one outside or above `largest`."""
    expected = np.int64(0)
    for i in range(pairs.size // 2):
        gap, excess = pairs[2 * i], pairs[2 * i + 1]
        if expected >= out.size or gap >= np.uint64(out.size - expected) or excess >= largest:
            return False
        position = expected + np.int64(gap)
        out[position] = _unfold(excess + _ONE) if bits else excess + _ONE
        expected = position + np.int64(1)
    return True
