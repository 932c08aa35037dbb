"""Small items of counts made ready together: the bytes of each are those it has when it comes alone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._codecs import is_sparse_best
from daisy_bluesky.lbj._rice import LONGEST_CODE, encode
from daisy_bluesky.lbj._streams import LARGEST_TYPICAL_GAP

_LONGEST_VARINT = 10


class SparsePage(NamedTuple):
    """What a writer needs of each item.

    Attributes
    ----------
    payloads : list of bytes
        Sparse payloads.
    pairs : list of (2 m,) uint64
        Gap and count - 1 of each non-zero in turn.
    """

    payloads: list[bytes]
    pairs: list[NDArray[np.uint64]]


def sparse_page(items: NDArray[np.unsignedinteger]) -> SparsePage | None:
    """Return what becomes of items, (n, voxels), None where one of them would not be written as a sparse payload."""
    n, voxels = items.shape
    room = voxels * items.itemsize - 1
    pairs = np.empty(2 * np.count_nonzero(items), np.uint64)
    buffer = np.empty(n * (room + _LONGEST_VARINT) + 2 * LONGEST_CODE, np.uint8)
    stops, ends = np.empty((2, n), np.int64)
    if not _encode_all(items, room, pairs, stops, buffer, ends):
        return None
    whole, first, start, page = buffer[: ends[-1]].tobytes() if n else b"", 0, 0, SparsePage([], [])
    for stop, end in zip(stops.tolist(), ends.tolist(), strict=True):
        page.pairs.append(pairs[first:stop])
        page.payloads.append(whole[start:end])
        first, start = stop, end
    return page if all(is_sparse_best(len(payload), items[0]) for payload in page.payloads) else None


@compiled
def _encode_all(
    items: NDArray[np.unsignedinteger],
    room: int,
    pairs: NDArray[np.uint64],
    stops: NDArray[np.int64],
    buffer: NDArray[np.uint8],
    ends: NDArray[np.int64],
) -> bool:
    """Fill in pairs and payloads, and where those of each item end; return False where a dense one may be smaller."""
    voxels, first, start = items.shape[1], 0, 0
    for row in range(items.shape[0]):
        stop, expected = first, 0
        for voxel in range(voxels):
            if items[row, voxel] != 0:
                pairs[stop] = np.uint64(voxel - expected)
                pairs[stop + 1] = np.uint64(items[row, voxel]) - np.uint64(1)
                stop += 2
                expected = voxel + 1
        if stop - first > voxels:
            return False
        found = (stop - first) // 2
        behind = _put_varint(buffer, start, found)
        typical_gap = min(voxels // max(found, 1), LARGEST_TYPICAL_GAP)
        end = int(encode(pairs[first:stop], True, typical_gap, buffer[: behind + room + 2 * LONGEST_CODE], behind))
        if end < 0 or end - start > room:
            return False
        stops[row], ends[row] = stop, end
        first, start = stop, end
    return True


@compiled
def _put_varint(buffer: NDArray[np.uint8], start: int, value: int) -> int:
    """Write a number in groups of 7 bits, the lowest first; return where it ends."""
    while value > 127:
        buffer[start] = value & 127 | 128
        value >>= 7
        start += 1
    buffer[start] = value
    return start + 1
