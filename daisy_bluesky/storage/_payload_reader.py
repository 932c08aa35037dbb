"""One payload file, read by seq_num."""

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj import Reader

Array = NDArray[Any]
Index = tuple[int | slice, ...]

_AXES = ("row", "column", "channel")
_BLOCK_BYTES = 8 * 2**20


class PayloadReader:
    """Gives the payloads of events by seq_num, of a file that may still be written; lets go of it when forgotten.

    Parameters
    ----------
    path : Path
        An LBJ file whose items are keyed by seq_num.

    Raises
    ------
    ValueError
        If the file is no LBJ file, or damaged.
    FileNotFoundError
        If it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = Reader(path)
        weakref.finalize(self, self._reader.close)
        self._seq_nums = self._reader.seq_nums

    def __contains__(self, seq_num: int) -> bool:
        row = np.searchsorted(self._seq_nums, seq_num)
        return bool(row < self._seq_nums.size and self._seq_nums[row] == seq_num)

    def dense(self, seq_nums: Sequence[int]) -> Array:
        """Return the payloads of events as arrays, (events, *shape, channels)."""
        return self._reader.read_seq_nums([self._known(seq_num) for seq_num in seq_nums])

    def listed(self, seq_num: int, dtype: np.dtype[Any]) -> Array:
        """Return an event's payload as a list, (n,), with the fields row, column, channel[, count] of `dtype`.

        It is sorted by row, column and channel; without a count field, a voxel comes once per count.
        """
        events = self._reader.events(self._row(seq_num))
        if "count" not in (dtype.names or ()):
            events = np.repeat(events, events["count"])
        listed = np.empty(events.size, dtype)
        for name in dtype.names or ():
            listed[name] = events[name]
        return listed

    def parts(self, seq_nums: Sequence[int], index: Index) -> Array:
        """Return the parts of payloads that integers and slices name, stacked, (events, ...).

        No more is made dense at a time than a few MB of records, or one part of a frame of counts.
        """
        shape = (*self._reader.shape, self._reader.channels)
        ranges = [_range(axis, size) for axis, size in zip(index, shape, strict=True)]
        kept = tuple(len(r) for r, axis in zip(ranges, index, strict=True) if not isinstance(axis, int))
        parts = np.empty((len(seq_nums), *kept), self._reader.dtype)
        if len(shape) == len(_AXES) and self._reader.dtype.kind in "iu":
            for place, seq_num in enumerate(seq_nums):
                parts[place] = self._frame_part(seq_num, ranges).reshape(kept)
            return parts
        block = max(1, _BLOCK_BYTES // (self._reader.dtype.itemsize * int(np.prod(shape))))
        for start in range(0, len(seq_nums), block):
            parts[start : start + block] = self.dense(seq_nums[start : start + block])[(slice(None), *index)]
        return parts

    def _frame_part(self, seq_num: int, ranges: Sequence[range]) -> Array:
        events = self._reader.events(self._row(seq_num))
        named = np.ones(events.size, bool)
        places = []
        for field, wanted in zip(_AXES, ranges, strict=True):
            place, remainder = np.divmod(events[field].astype(np.int64) - wanted.start, wanted.step)
            named &= (remainder == 0) & (place >= 0) & (place < len(wanted))
            places.append(place)
        part = np.zeros([len(wanted) for wanted in ranges], self._reader.dtype)
        part[tuple(place[named] for place in places)] = events["count"][named]
        return part

    def _row(self, seq_num: int) -> int:
        return int(np.searchsorted(self._seq_nums, self._known(seq_num)))

    def _known(self, seq_num: int) -> int:
        if seq_num not in self:
            self._reader.refresh()
            self._seq_nums = self._reader.seq_nums
        if seq_num not in self:
            raise ValueError(f"{self._path} holds nothing for seq_num {seq_num}; the file is incomplete")
        return seq_num


def _range(axis: int | slice, size: int) -> range:
    return range(axis, axis + 1) if isinstance(axis, int) else range(*axis.indices(size))
