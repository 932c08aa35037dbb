"""One payload file, read by seq_num."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj import Reader

Array = NDArray[Any]


class PayloadReader:
    """Gives the payload of an event by its seq_num; the file may still be written.

    Parameters
    ----------
    path : Path
        An LBJ file whose records are keyed by seq_num.

    Raises
    ------
    ValueError
        If the file is no LBJ file.
    FileNotFoundError
        If it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def __contains__(self, seq_num: int) -> bool:
        return seq_num in self._rows

    def dense(self, seq_num: int) -> Array:
        """Return an event's payload as an array, (*shape, channels)."""
        return np.asarray(self._reader[self._row(seq_num)])

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
        return np.sort(listed, order=dtype.names)

    def _row(self, seq_num: int) -> int:
        if seq_num not in self._rows:
            self._open()
        try:
            return self._rows[seq_num]
        except KeyError:
            raise ValueError(f"{self._path} holds nothing for seq_num {seq_num}; the file is damaged") from None

    def _open(self) -> None:
        self._reader = Reader(self._path)
        self._rows = {int(seq_num): row for row, seq_num in enumerate(self._reader.seq_nums)}
