"""Dense volumes written block by block, so that counting photons into them does not miss the cache."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.mfsi._spectrum_sum_exposure import require_memory

BLOCK_BITS = 21  # voxels of a block: what fits into a core's own cache


def counted_volume(
    shape: tuple[int, int, int], places: NDArray[np.uint64], memory_limit: int
) -> NDArray[np.unsignedinteger]:
    """Return photons counted, in the smallest type that holds the largest count.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns and channels of the volume.
    places : (n,) uint64
        Voxels of the photons, in any order.
    memory_limit : int
        Most bytes the volume may take.

    Returns
    -------
    (rows, columns, channels) uint8, uint16 or uint32

    Raises
    ------
    MemoryError
        If the limit would be exceeded.
    """
    blocks = _Blocks(places, prod(shape))
    for kind in (np.uint8, np.uint16, np.uint32):
        require_memory("the volume", prod(shape) * np.dtype(kind).itemsize, memory_limit)
        volume = np.zeros(shape, kind)
        if blocks.count_into(volume, zeroed=True):
            break
    return volume


def count_into(out: NDArray[np.unsignedinteger], shape: tuple[int, int, int], places: NDArray[np.uint64]) -> None:
    """Overwrite an array with counted photons, or say why it does not fit."""
    if out.shape != shape or out.dtype.kind != "u" or not out.flags.c_contiguous:
        raise ValueError(f"out is {out.dtype} {out.shape}; give contiguous unsigned integers of shape {shape}")
    if not _Blocks(places, out.size).count_into(out, zeroed=False):
        raise ValueError(f"out is {out.dtype}, too small for the largest count: give a larger type")


class _Blocks:
    """Places of photons, sorted by the block of the volume they lie in."""

    def __init__(self, places: NDArray[np.uint64], voxels: int) -> None:
        self._first = np.zeros((voxels >> BLOCK_BITS) + 2, np.int64)
        places_of_blocks(places, self._first)
        np.cumsum(self._first, out=self._first)
        self._within = np.empty(places.size, np.uint32)
        sort_by_block(places, self._first.copy(), self._within)

    def count_into(self, volume: NDArray[np.unsignedinteger], *, zeroed: bool) -> bool:
        """Count into a volume, of zeros or to be overwritten; return whether its type holds every count."""
        return bool(fill_blocks(self._within, self._first, zeroed, volume.reshape(-1)))


@compiled
def places_of_blocks(places: NDArray[np.uint64], first: NDArray[np.int64]) -> None:
    """Count the places of each block, one entry after its own."""
    for i in range(places.size):
        first[np.int64(places[i] >> np.uint64(BLOCK_BITS)) + 1] += 1


@compiled
def sort_by_block(places: NDArray[np.uint64], first: NDArray[np.int64], within: NDArray[np.uint32]) -> None:
    """Write the places within their blocks, block after block; `first` moves on to where each block ends."""
    for i in range(places.size):
        block = np.int64(places[i] >> np.uint64(BLOCK_BITS))
        within[first[block]] = np.uint32(places[i] & np.uint64((1 << BLOCK_BITS) - 1))
        first[block] += 1


@compiled
def fill_blocks(
    within: NDArray[np.uint32], first: NDArray[np.int64], zeroed: bool, volume: NDArray[np.unsignedinteger]
) -> bool:
    """Count the places of each block; return False as soon as a count does not fit."""
    for block in range(first.size - 1):
        part = volume[block << BLOCK_BITS : (block + 1) << BLOCK_BITS]
        if not zeroed:
            part[:] = 0
        for i in range(first[block], first[block + 1]):
            part[within[i]] += 1
            if part[within[i]] == 0:
                return False
    return True
