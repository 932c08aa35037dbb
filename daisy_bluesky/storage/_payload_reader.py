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

        Only the records, tiles and energy bands that hold them are decoded.
        """
        return self._reader.part([self._row(seq_num) for seq_num in seq_nums], index)

    def _row(self, seq_num: int) -> int:
        return int(np.searchsorted(self._seq_nums, self._known(seq_num)))

    def _known(self, seq_num: int) -> int:
        if seq_num not in self:
            self._reader.refresh()
            self._seq_nums = self._reader.seq_nums
        if seq_num not in self:
            raise ValueError(f"{self._path} holds nothing for seq_num {seq_num}; the file is incomplete")
        return seq_num
