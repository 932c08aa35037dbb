"""Which record is which row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """Where the rows of a file are, by ascending sequence number.

    Attributes
    ----------
    seq_nums, places, lengths : (rows,) int64
        Sequence number, first byte and payload bytes of each row's record.
    """

    seq_nums: NDArray[np.int64]
    places: NDArray[np.int64]
    lengths: NDArray[np.int64]


class RowTable:
    """Rows by sequence number; the last record of a repeated one wins.

    Parameters
    ----------
    rows : Rows, optional
        What it holds already.
    """

    def __init__(self, rows: Rows | None = None) -> None:
        empty = np.empty(0, np.int64)
        self._rows = Rows(empty, empty, empty) if rows is None else rows
        self._added: dict[int, tuple[int, int]] = {}

    def add(self, seq_num: int, place: int, length: int) -> None:
        """Take in the record at byte `place`, whose payload has `length` bytes."""
        self._added[seq_num] = (place, length)

    @property
    def rows(self) -> Rows:
        """All rows by ascending sequence number."""
        if self._added:
            table = [(seq_num, *record) for seq_num, record in self._added.items()]
            self._rows = _merged(self._rows, Rows(*np.array(table, np.int64).T.copy()))
            self._added = {}
        return self._rows


def _merged(old: Rows, new: Rows) -> Rows:
    seq_nums = np.concatenate([old.seq_nums, new.seq_nums])
    places = np.concatenate([old.places, new.places])
    lengths = np.concatenate([old.lengths, new.lengths])
    if np.all(seq_nums[1:] > seq_nums[:-1]):
        return Rows(seq_nums, places, lengths)
    order = np.argsort(seq_nums, kind="stable")
    last = np.append(np.diff(seq_nums[order]) > 0, True)
    kept = order[last]
    return Rows(seq_nums[kept], places[kept], lengths[kept])
