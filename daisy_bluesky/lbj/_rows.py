"""Which record holds which row."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """Where the rows of a file are, by ascending sequence number.

    Attributes
    ----------
    seq_nums, places, lengths : (rows,) int64
        Sequence number, first byte and payload bytes of the record that holds each row.
    ranks : (rows,) int64
        Which item of its record a row is; 0 where the record is of one item.
    """

    seq_nums: NDArray[np.int64]
    places: NDArray[np.int64]
    lengths: NDArray[np.int64]
    ranks: NDArray[np.int64]

    @classmethod
    def of(cls, seq_nums: NDArray[np.int64], place: int, length: int) -> "Rows":
        """Return the rows of one record, (n,) ascending."""
        n = seq_nums.size
        return cls(seq_nums, np.full(n, place), np.full(n, length), np.arange(n))

    def __getitem__(self, part: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Rows":
        """Return some of the rows."""
        return Rows(*(getattr(self, field.name)[part] for field in fields(self)))


NO_ROWS = Rows(*(np.empty(0, np.int64) for _ in fields(Rows)))


class RowTable:
    """Rows by sequence number; the last record of a repeated one wins.

    Parameters
    ----------
    rows : Rows, optional
        What it holds already.
    """

    def __init__(self, rows: Rows | None = None) -> None:
        self._rows = NO_ROWS if rows is None else rows
        self._added: list[Rows] = []
        self._items: list[tuple[int, int, int, int]] = []

    def add(self, seq_num: int, place: int, length: int) -> None:
        """Take in the record of one item at byte `place`, whose payload has `length` bytes."""
        self._items.append((seq_num, place, length, 0))

    def add_block(self, seq_nums: NDArray[np.int64], place: int, length: int) -> None:
        """Take in the record of several items."""
        self._gather()
        self._added.append(Rows.of(seq_nums, place, length))

    @property
    def rows(self) -> Rows:
        """All rows by ascending sequence number."""
        self._gather()
        if self._added:
            self._rows = _merged([self._rows, *self._added])
            self._added = []
        return self._rows

    def _gather(self) -> None:
        if self._items:
            self._added.append(Rows(*np.array(self._items, np.int64).T.copy()))
            self._items = []


def _merged(parts: list[Rows]) -> Rows:
    rows = Rows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows)))
    if np.all(rows.seq_nums[1:] > rows.seq_nums[:-1]):
        return rows
    order = np.argsort(rows.seq_nums, kind="stable")
    last = np.append(np.diff(rows.seq_nums[order]) > 0, True)
    return rows[order[last]]


def by_record(rows: Rows) -> Iterator[Rows]:
    """Yield neighbouring rows that are neighbours in one record, too."""
    breaks = np.flatnonzero((np.diff(rows.places) != 0) | (np.diff(rows.ranks) != 1)) + 1
    for first, last in zip([0, *breaks.tolist()], [*breaks.tolist(), rows.seq_nums.size], strict=True):
        if last > first:
            yield rows[first:last]
