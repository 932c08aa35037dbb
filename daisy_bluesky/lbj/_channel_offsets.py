"""Floats that are whole counts less the fractional dark signal of their channel: the counts, and once each offset."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._spectra_parts import packed, split_parts, unpacked
from daisy_bluesky.lbj._streams import write_varint

_FEWEST_SPECTRA = 4
_SAMPLE = 16  # spectra
_ON_OFFSET = 0.75  # of the sample
_FINE = 1 / 8  # of a count: the distance of floats that can tell an offset
_LARGEST_COUNT = 2**31 - 1
_ELSEWHERE = -128  # in place of a number of steps: the value follows as it is
_FINEST = {4: 24, 8: 53}  # bits of an offset
_NEAR = 4  # half distances of floats between values of one offset
_AT_ONCE = 2**16  # voxels
_MOST_VALUES = 2**22  # that offsets are found from


@np.errstate(invalid="ignore", over="ignore")  # values may be no numbers
def encode_offsets(values: NDArray[Any]) -> bytes | None:
    """Return the payload of spectra as counts and offsets, bit by bit; None where they are no such sums.

    Parameters
    ----------
    values : (spectra, channels) float
    """
    if values.dtype not in (np.float32, np.float64) or len(values) < _FEWEST_SPECTRA:
        return None
    if not _are_sums(values[:: max(len(values) // _SAMPLE, 1)][:_SAMPLE]):
        return None
    offsets = _offsets(values[:: max(values.size // _MOST_VALUES, 1)])
    counts, steps = np.empty(values.shape, np.int32), np.empty(values.shape, np.int8)
    for rows in _rows(values.shape):
        counts[rows], steps[rows] = _taken_apart(values[rows], offsets)
    parts = [packed(part) for part in (offsets.reshape(1, -1), counts, steps)]
    elsewhere = values[steps == _ELSEWHERE]
    head = b"".join(map(write_varint, [values.shape[1], *map(len, parts)]))
    payload = head + b"".join(parts) + elsewhere.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    return payload if len(payload) < values.nbytes else None


def decode_offsets(payload: bytes, out: NDArray[Any]) -> None:
    """Fill `out`, (voxels,) float32 or float64, from a payload; LBJError where it is not one of such values."""
    if out.dtype not in (np.float32, np.float64):
        raise LBJError(f"offsets of channels stored for {out.dtype}")
    source = Bytes(payload)
    channels, sizes = source.number(), (source.number(), source.number(), source.number())
    if not 1 <= channels <= out.size or out.size % channels:
        raise LBJError(f"spectra of {channels} channels where {out.size} voxels are due")
    parts = split_parts(payload, len(payload) - len(source), sizes)
    spectra = out.reshape(-1, channels)
    offsets = unpacked(parts[0], (1, channels), out.dtype)
    counts = unpacked(parts[1], spectra.shape, np.dtype(np.int32))
    steps = unpacked(parts[2], spectra.shape, np.dtype(np.int8))
    elsewhere = steps == _ELSEWHERE
    if len(parts[3]) != np.count_nonzero(elsewhere) * out.itemsize:
        raise LBJError(f"{len(parts[3])} bytes of values of no offset where {np.count_nonzero(elsewhere)} are due")
    for rows in _rows(spectra.shape):
        sums = _sums(counts[rows], offsets)
        spectra[rows] = _at(_orders(sums) + steps[rows], out.dtype)
        if not np.all(np.isfinite(sums)):
            raise LBJError("counts and offsets add up to no finite number")
    spectra[elsewhere] = np.frombuffer(parts[3], out.dtype.newbyteorder("<"))


def _are_sums(sample: NDArray[Any]) -> bool:
    """Return whether counts and offsets explain most of a few spectra, by more than chance."""
    if np.mean(np.spacing(np.abs(sample)) < _FINE) < _ON_OFFSET:
        return False
    return bool(np.mean(_taken_apart(sample, _offsets(sample))[1] == 0) >= _ON_OFFSET)


def _exactly(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return values in double precision, NaN where they are too large for a count, or none."""
    exact = values.astype(np.float64)
    return np.where(np.abs(exact) < _LARGEST_COUNT, exact, np.nan)


def _offsets(values: NDArray[Any]) -> NDArray[Any]:
    """Return what each channel differs from whole numbers by, (channels,), in as few bits as tell its values."""
    exact = _exactly(values)
    turns = np.nansum(np.exp(2j * np.pi * (exact - np.floor(exact))), axis=0)
    off = exact - np.rint(exact - np.angle(turns) / (2 * np.pi))
    middle = np.nan_to_num(np.nanmedian(np.vstack([off, np.where(np.isfinite(off).any(axis=0), np.nan, 0.0)]), axis=0))
    half = np.spacing(np.abs(values)).astype(np.float64) / 2
    near = np.abs(off - middle) <= _NEAR * half
    low = np.where(near, off - half, -np.inf).max(axis=0)
    high = np.where(near, off + half, np.inf).min(axis=0)
    found = np.where((low < high) & np.isfinite(high - low), (low + high) / 2, middle)
    for bits in range(_FINEST[values.itemsize], -1, -1):  # the coarsest that lies strictly between wins, coming last
        coarse = np.ldexp(np.rint(np.ldexp(found, bits)), -bits)
        found = np.where((low < coarse) & (coarse < high), coarse, found)
    return np.asarray(found.astype(values.dtype))


def _taken_apart(values: NDArray[Any], offsets: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Return counts, and how many floats each sum lies from its value, `_ELSEWHERE` where these are too many."""
    exact = _exactly(values)
    counts = np.rint(np.nan_to_num(exact - offsets, nan=0.0)).astype(np.int32)
    off = _orders(values) - _orders(_sums(counts, offsets))
    elsewhere = np.isnan(exact) | (np.abs(off) >= -_ELSEWHERE)
    return counts, np.where(elsewhere, _ELSEWHERE, off).astype(np.int8)


def _rows(shape: tuple[int, ...]) -> list[slice]:
    """Return slices of some spectra each."""
    many = max(_AT_ONCE // shape[1], 1)
    return [slice(start, start + many) for start in range(0, shape[0], many)]


def _sums(counts: NDArray[Any], offsets: NDArray[Any]) -> NDArray[Any]:
    """Return count + offset in double precision, rounded to the type of the offsets."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray((counts + offsets.astype(np.float64)).astype(offsets.dtype))


def _orders(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the place of each float in the order of the floats: 0 for 0.0, -1 for -0.0."""
    patterns = np.ascontiguousarray(values).view(f"i{values.itemsize}").astype(np.int64)
    smallest = np.int64(-(2 ** (8 * values.itemsize - 1)))
    return np.asarray(np.where(patterns < 0, -1 - (patterns - smallest), patterns))


def _at(orders: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the floats at places in their order."""
    smallest = np.int64(-(2 ** (8 * dtype.itemsize - 1)))
    patterns = np.where(orders < 0, smallest + (-1 - orders), orders)
    return np.asarray(patterns.astype(f"i{dtype.itemsize}").view(dtype))
