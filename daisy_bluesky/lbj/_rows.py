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
    """Rows by sequence number; the last record of a repeated one wins."""

    def __init__(self, rows: Rows | None = None) -> None:
        self._records: dict[int, tuple[int, int]] = {}
        self._rows = rows
        if rows is not None:
            places = zip(rows.places.tolist(), rows.lengths.tolist(), strict=True)
            self._records = dict(zip(rows.seq_nums.tolist(), places, strict=True))

    def __len__(self) -> int:
        return len(self._records)

    def add(self, seq_num: int, place: int, length: int) -> None:
        """Take in the record at byte `place`, whose payload has `length` bytes."""
        self._records[seq_num] = (place, length)
        self._rows = None

    @property
    def rows(self) -> Rows:
        """All rows by ascending sequence number."""
        if self._rows is None:
            table = [(seq_num, *self._records[seq_num]) for seq_num in sorted(self._records)]
            self._rows = Rows(*np.array(table, np.int64).reshape(-1, 3).T.copy())
        return self._rows
