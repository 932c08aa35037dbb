"""Short lists of magnitudes within a payload, sparse or dense, whichever is shorter."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._folding import pair, scatter
from daisy_bluesky.lbj._rice import decode
from daisy_bluesky.lbj._streams import LARGEST_TYPICAL_GAP, write_dense, write_sparse, write_varint

_LARGEST = np.uint64(2**64 - 1)
_LONGEST = 9  # bytes of one value, and of a number


def write_vector(values: NDArray[np.uint64]) -> bytes:
    """Return values below 2**64 - 1, (n,) uint64: twice their length in bytes, plus 1 where sparse, and themselves."""
    room = _LONGEST * 2 * (values.size + 1)
    dense, sparse = write_dense(values, room), write_sparse(pair(values, 0), values.size, room)
    if sparse is None or (dense is not None and len(dense) <= len(sparse)):
        return write_varint(2 * len(dense or b"")) + (dense or b"")
    return write_varint(2 * len(sparse) + 1) + sparse


def read_vector(source: Bytes, n: int) -> NDArray[np.uint64]:
    """Return the `n` values that `write_vector` wrote; LBJError where they are none."""
    data = source.rest()
    values, end = take_vector(data, 0, n)
    if end < 0:
        raise LBJError(f"a list of {n} values does not decode")
    source.take(end)
    return values


@compiled
def take_number(data: NDArray[np.uint8], place: int) -> tuple[Any, int]:
    """Return the number at a byte and where it ends, -1 where it does not."""
    value = np.int64(0)
    for i in range(min(_LONGEST, data.size - place) if place >= 0 else 0):
        group = np.int64(data[place + i])
        value |= (group & 127) << (7 * i)
        if group < 128:
            return value, place + i + 1
    return np.int64(0), -1


@compiled
def take_vector(data: NDArray[np.uint8], place: int, n: int) -> tuple[NDArray[np.uint64], int]:
    """Return the `n` values at a byte, (n,) uint64, and where they end, -1 where they are none."""
    length, start = take_number(data, place)
    if start < 0 or length >> 1 > data.size - start:
        return np.empty(0, np.uint64), -1
    end = start + (length >> 1)
    if length & 1:
        values, whole = _sparse(data[start:end], n)
    elif n > 8 * (end - start):  # a value takes one bit or more
        values, whole = np.empty(0, np.uint64), False
    else:
        values = np.empty(n, np.uint64)
        whole = decode(data[start:end], False, 0, values)
    return values, end if whole else -1


@compiled
def _sparse(stream: NDArray[np.uint8], n: int) -> tuple[NDArray[np.uint64], bool]:
    found, start = take_number(stream, 0)
    if start < 0 or found > min(n, 4 * (stream.size - start)):  # a non-zero takes two bits or more
        return np.empty(0, np.uint64), False
    pairs, values = np.empty(2 * found, np.uint64), np.zeros(n, np.uint64)
    whole = decode(stream[start:], True, min(n // max(found, 1), LARGEST_TYPICAL_GAP), pairs)
    return values, whole and scatter(pairs, 0, _LARGEST, values)
