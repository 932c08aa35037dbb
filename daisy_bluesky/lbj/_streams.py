"""Streams of codes as payloads: with how many values they hold, and bounded before anything is allocated."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._rice import LONGEST_CODE, decode, encode

LARGEST_TYPICAL_GAP = 2**32  # keeps the parameter of a code at 32 bits or less


def write_sparse(pairs: NDArray[np.uint64], voxels: int, room: int) -> bytes | None:
    """Return the number of non-zeros and their stream, None where these would take more than `room` bytes.

    Parameters
    ----------
    pairs : (2 n,) uint64
        Gap and magnitude - 1 of each non-zero in turn.
    voxels : int
        Voxels of the item.
    room : int
        Bytes not to be exceeded.
    """
    found = pairs.size // 2
    prefix = write_varint(found)
    buffer = np.empty(max(room, 0) + len(prefix) + 2 * LONGEST_CODE, np.uint8)
    end = encode(pairs, True, _typical_gap(voxels, found), buffer, len(prefix))
    if not 0 <= end <= room:
        return None
    buffer[: len(prefix)] = np.frombuffer(prefix, np.uint8)
    return buffer[:end].tobytes()


def read_sparse(payload: bytes, voxels: int) -> NDArray[np.uint64]:
    """Return the pairs, (2 n,) uint64, of a sparse payload; LBJError where it is not one."""
    found, start = read_varint(payload)
    stream = np.frombuffer(payload, np.uint8, offset=start)
    if found > min(voxels, 4 * stream.size):  # a non-zero takes two bits or more
        raise LBJError(f"{found} non-zeros claimed in {stream.size} bytes")
    pairs = np.empty(2 * found, np.uint64)
    if not decode(stream, True, _typical_gap(voxels, found), pairs):
        raise LBJError("sparse counts do not decode")
    return pairs


def write_dense(magnitudes: NDArray[np.uint64], room: int) -> bytes | None:
    """Return a dense stream, None where it would take more than `room` bytes."""
    buffer = np.empty(room + 2 * LONGEST_CODE, np.uint8)
    end = encode(magnitudes, False, 0, buffer, 0)
    return buffer[:end].tobytes() if 0 <= end <= room else None


def read_dense(payload: bytes, n: int) -> NDArray[np.uint64]:
    """Return the `n` magnitudes of a dense stream, (n,) uint64; LBJError where it is not one."""
    if n > 8 * len(payload):  # a value takes one bit or more
        raise LBJError(f"{n} values claimed in {len(payload)} bytes")
    magnitudes = np.empty(n, np.uint64)
    if not decode(np.frombuffer(payload, np.uint8), False, 0, magnitudes):
        raise LBJError("dense counts do not decode")
    return magnitudes


def write_varint(value: int) -> bytes:
    """Return a whole number in groups of 7 bits, the lowest first, the top bit set on all but the last."""
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def read_varint(payload: bytes) -> tuple[int, int]:
    """Return the number that a payload starts with and where it ends; LBJError where it does within 9 bytes not."""
    value = 0
    for i, group in enumerate(payload[:9]):
        value |= (group & 127) << (7 * i)
        if group < 128:
            return value, i + 1
    raise LBJError("a number does not end")


def _typical_gap(voxels: int, found: int) -> int:
    return min(voxels // max(found, 1), LARGEST_TYPICAL_GAP)
