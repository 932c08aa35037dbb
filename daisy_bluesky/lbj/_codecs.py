"""Items to payloads and back: every way an item can be written, the smallest wins."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._folding import fold, pair, scatter, unfold, unpair
from daisy_bluesky.lbj._rice import LONGEST_CODE
from daisy_bluesky.lbj._spectra_codecs import SPECTRA, decode_spectra
from daisy_bluesky.lbj._streams import read_dense, read_sparse, write_dense, write_sparse

RAW = 0
DEFLATED = 1
SPARSE = 2
DENSE = 3
CODED = 4

_DEFLATE_LEVEL = 1
_DEFLATE_FROM = 2**16  # bytes: below, counts are not worth the time
_NEARLY_RAW = 8  # deflate is tried where counts shrank less than this

_MOST_DEFLATED = 1032  # the largest ratio that deflate can reach

Patterns = NDArray[np.unsignedinteger[Any]]


def encode_item(values: NDArray[Any]) -> tuple[int, bytes]:
    """Return codec and payload of an item.

    Parameters
    ----------
    values : (voxels,) of the file's dtype
        The item, flattened in C order.
    """
    if values.dtype.kind == "f":
        return _raw_or_deflated(values)
    codec, payload = _counts(values)
    if not is_sparse_best(len(payload), values):
        other = _raw_or_deflated(values)
        return other if len(other[1]) < len(payload) else (codec, payload)
    return codec, payload


def is_sparse_best(size: int, values: NDArray[Any]) -> bool:
    """Return whether a payload of so many bytes is small enough for an item that deflate need not be tried."""
    return size * _NEARLY_RAW <= values.nbytes or (values.itemsize > 1 and values.nbytes < _DEFLATE_FROM)


def encode_pairs(pairs: NDArray[np.uint64], voxels: int, dtype: np.dtype[Any]) -> tuple[int, bytes]:
    """Return codec and payload of an item given by its non-zeros alone.

    Parameters
    ----------
    pairs : (2 n,) uint64
        Gap and magnitude - 1 of each non-zero in turn.
    voxels : int
        Voxels of the item.
    dtype : numpy.dtype
        The file's integer type.
    """
    sparse = write_sparse(pairs, voxels, LONGEST_CODE * (1 + pairs.size))
    if sparse is not None and len(sparse) * _NEARLY_RAW <= voxels:
        return SPARSE, sparse
    values = np.zeros(voxels, dtype)
    scatter(pairs, _signed_bits(dtype), np.uint64(_largest(dtype)), _patterns(values))
    return encode_item(values)


def decode_item(codec: int, payload: bytes, out: NDArray[Any]) -> None:
    """Fill `out`, (voxels,) zeros of the file's dtype, from a payload; what is absent of it is not touched.

    Raises
    ------
    LBJError
        If the payload is not one of such an item, or the codec is not known.
    """
    if codec in SPECTRA:
        decode_spectra(codec, payload, out)
        return
    if codec in (RAW, DEFLATED):
        _read_raw(_inflated(payload, out.nbytes) if codec == DEFLATED else payload, out, shuffled=codec == DEFLATED)
        return
    if codec not in (SPARSE, DENSE):
        raise LBJError(f"codec {codec} is not known; install a newer daisy-bluesky")
    if out.dtype.kind == "f":
        raise LBJError("counts stored for a type that is not an integer")
    bits, largest = _signed_bits(out.dtype), np.uint64(_largest(out.dtype))
    if codec == SPARSE:
        pairs = read_sparse(payload, out.size)
        whole = scatter(pairs, bits, largest, _patterns(out))
    else:
        whole = unfold(read_dense(payload, out.size), bits, largest, _patterns(out))
    if not whole:
        raise LBJError("a count lies outside of the item or of its type")


def decode_events(
    codec: int, payload: bytes, voxels: int, dtype: np.dtype[Any]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return places, (n,) int64 in the flattened item, and counts, (n,) of `dtype`, of the non-zeros.

    Raises
    ------
    LBJError
        As `decode_item` does.
    """
    if codec != SPARSE:
        if voxels > _MOST_DEFLATED * (len(payload) + 1):
            raise LBJError(f"{voxels} voxels claimed in {len(payload)} bytes")
        values = np.empty(voxels, dtype)
        decode_item(codec, payload, values)
        positions = np.flatnonzero(values)
        return positions, values[positions]
    pairs = read_sparse(payload, voxels)
    positions, magnitudes = np.empty(pairs.size // 2, np.int64), np.empty(pairs.size // 2, np.uint64)
    counts = np.empty(positions.size, dtype)
    if not unpair(pairs, voxels, positions, magnitudes) or not unfold(
        magnitudes, _signed_bits(dtype), np.uint64(_largest(dtype)), _patterns(counts)
    ):
        raise LBJError("a count lies outside of the item or of its type")
    return positions, counts


def _counts(values: NDArray[Any]) -> tuple[int, bytes]:
    patterns, bits = _patterns(values), _signed_bits(values.dtype)
    pairs = pair(patterns, bits)
    room = values.nbytes - 1
    crowded = pairs.size > values.size  # more than half of the voxels: dense may be smaller
    payload = None if crowded and 3 * pairs.size > 4 * values.size else write_sparse(pairs, values.size, room)
    codec = SPARSE
    if crowded:
        dense = write_dense(fold(patterns, bits), room if payload is None else len(payload) - 1)
        codec, payload = (codec, payload) if dense is None else (DENSE, dense)
    return (RAW, _raw(values)) if payload is None else (codec, payload)


def _raw(values: NDArray[Any]) -> bytes:
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def _raw_or_deflated(values: NDArray[Any]) -> tuple[int, bytes]:
    raw = _raw(values)
    planes = np.frombuffer(raw, np.uint8).reshape(-1, values.itemsize).T
    deflated = zlib.compress(planes.tobytes(), _DEFLATE_LEVEL)
    return (DEFLATED, deflated) if len(deflated) < len(raw) else (RAW, raw)


def _inflated(payload: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(payload, size + 1)
    except zlib.error as error:
        raise LBJError(f"deflated values do not inflate: {error}") from None
    if not inflater.eof or inflater.unused_data:
        raise LBJError("deflated values do not end where they should")
    return raw


def _read_raw(raw: bytes, out: NDArray[Any], *, shuffled: bool) -> None:
    if len(raw) != out.nbytes:
        raise LBJError(f"{len(raw)} bytes of values where {out.nbytes} are due")
    octets = np.frombuffer(raw, np.uint8)
    if shuffled:
        octets = np.ascontiguousarray(octets.reshape(out.itemsize, -1).T).reshape(-1)
    if out.dtype.kind == "b" and octets.size and octets.max() > 1:
        raise LBJError("a truth value that is neither 0 nor 1")
    out[:] = octets.view(out.dtype.newbyteorder("<"))


def _patterns(values: NDArray[Any]) -> Patterns:
    return values.view(f"u{values.itemsize}")


def _signed_bits(dtype: np.dtype[Any]) -> int:
    return 8 * dtype.itemsize if dtype.kind == "i" else 0


def _largest(dtype: np.dtype[Any]) -> int:
    return 1 if dtype.kind == "b" else int(2 ** (8 * dtype.itemsize) - 1)
