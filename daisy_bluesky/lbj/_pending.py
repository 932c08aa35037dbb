"""Spectra that were appended but are not yet in a block."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._coded import largest_count
from daisy_bluesky.lbj._folding import pair
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._plane import Events
from daisy_bluesky.lbj._sealed import MOST_ITEMS


class Pending:
    """Keeps the counts of small items until there are enough for a block.

    Parameters
    ----------
    header : Header
        What the items are.
    enough : int
        Non-zeros of a block.
    """

    def __init__(self, header: Header, enough: int) -> None:
        self._header = header
        self._enough = enough
        self._pairs: dict[int, NDArray[np.uint64]] = {}
        self._values = 0

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def is_enough(self) -> bool:
        """Whether a block can be made."""
        return self._values >= 2 * self._enough or len(self._pairs) >= MOST_ITEMS

    def until_enough(self, seq_nums: Sequence[int], pairs: Sequence[NDArray[np.uint64]]) -> int:
        """Return how many items, from the first, can be added until a block can be made; 0 where a number repeats."""
        if len(set(seq_nums)) < len(seq_nums) or not self._pairs.keys().isdisjoint(seq_nums):
            return 0
        values = self._values
        for more, part in enumerate(pairs, 1):
            values += part.size
            if values >= 2 * self._enough or len(self._pairs) + more >= MOST_ITEMS:
                return more
        return len(pairs)

    def add(self, seq_num: int, pairs: NDArray[np.uint64]) -> None:
        """Keep an item, given by gap and count - 1 of each non-zero in turn; the last one of a number counts."""
        self._values += pairs.size - (self._pairs[seq_num].size if seq_num in self._pairs else 0)
        self._pairs[seq_num] = pairs

    def drop(self, seq_num: int) -> None:
        """Forget an item, which was replaced by one that a block cannot hold."""
        self._values -= self._pairs.pop(seq_num, np.empty(0, np.uint64)).size

    def take(self) -> tuple[NDArray[np.int64], Events]:
        """Return and forget all items: their numbers, (n,) ascending, and their events, pixel after pixel."""
        seq_nums = np.array(sorted(self._pairs), np.int64)
        pairs = [self._pairs[seq_num] for seq_num in seq_nums.tolist()]
        self._pairs, self._values = {}, 0
        sizes = np.array([part.size // 2 for part in pairs], np.int64)
        events = Events.empty(int(sizes.sum()))
        joined = np.concatenate([*pairs, np.empty(0, np.uint64)])
        _place(joined, sizes, self._header.voxels, self._header.channels, events.pixels, events.channels)
        events.counts[:] = joined[1::2] + np.uint64(1)
        return seq_nums, events


def plain_pairs(values: NDArray[np.generic]) -> NDArray[np.uint64]:
    """Return gap and count - 1 of each non-zero of an item, (voxels,), in turn; negative ones as two's complement."""
    return pair(values.view(f"u{values.itemsize}"), 0)


def is_negative_among(pairs: NDArray[np.uint64], dtype: np.dtype[np.generic]) -> bool:
    """Return whether one of the counts of plain pairs is negative."""
    return dtype.kind == "i" and bool(np.any(pairs[1::2] >= np.uint64(largest_count(dtype))))


def unfolded_pairs(pairs: NDArray[np.uint64], dtype: np.dtype[np.generic]) -> NDArray[np.uint64] | None:
    """Return pairs of folded counts as pairs of plain ones, None where one is negative."""
    if dtype.kind != "i":
        return pairs
    if np.any(pairs[1::2] & np.uint64(1)):  # magnitude - 1 of a positive count is even
        return None
    plain = pairs.copy()
    plain[1::2] >>= np.uint64(1)
    return plain


@compiled
def _place(
    pairs: NDArray[np.uint64],
    sizes: NDArray[np.int64],
    voxels: int,
    length: int,
    pixels: NDArray[np.uint32],
    channels: NDArray[np.uint32],
) -> None:
    place = 0
    for item in range(sizes.size):
        position = np.int64(-1)
        for _ in range(sizes[item]):
            position += np.int64(pairs[2 * place]) + 1
            pixels[place] = (item * voxels + position) // length
            channels[place] = position % length
            place += 1
