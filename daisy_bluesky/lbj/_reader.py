"""Reading a listed-bin-journal, also while it is being written."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import index
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._codecs import decode_events, decode_item
from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._events import events_of
from daisy_bluesky.lbj._record import ITEM, OVERHEAD, is_whole, parse_head
from daisy_bluesky.lbj._rows import Rows
from daisy_bluesky.lbj._source import Source

_PIECE = 2**22  # bytes read at once


class Reader:
    """The rows of a listed-bin-journal, by ascending sequence number; the last item of a repeated one.

    Reads a file that is being appended to: it holds the rows there were when it was opened, or at the last `refresh`.
    A torn tail, as a killed writer leaves it, is ignored. Methods may be called from several threads.

    Parameters
    ----------
    path : str or path-like
        The file.
    salvage : bool
        Pass over damaged records in mid-file, and trust no index, instead of raising.

    Raises
    ------
    LBJError
        If the file is none of the format, or damaged other than by a torn tail.

    Examples
    --------
    >>> with Reader("eds_spectrum.lbj") as reader:
    ...     total = reader.window(0, len(reader)).sum(axis=0)
    """

    def __init__(self, path: str | os.PathLike[str], *, salvage: bool = False) -> None:
        self.path = Path(path)
        stream = self.path.open("rb", buffering=0)
        try:
            self._source = Source(stream, str(self.path))
            self._contents = Contents(self._source, salvage=salvage)
        except BaseException:
            stream.close()
            raise
        self._rows = self._contents.rows
        self._refresh_lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an item before its channel axis; ``()`` for one spectrum."""
        return self._contents.header.shape

    @property
    def channels(self) -> int:
        """Length of the channel axis."""
        return self._contents.header.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self._contents.header.dtype

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the writer said of the file, e.g. energy offset and dispersion."""
        return self._contents.header.metadata

    @property
    def seq_nums(self) -> NDArray[np.int64]:
        """Sequence numbers of the rows, (rows,) int64, ascending."""
        return self._rows.seq_nums.copy()

    @property
    def nbytes(self) -> int:
        """Bytes of the file, as far as it is whole."""
        return self._contents.end

    def __len__(self) -> int:
        return self._rows.seq_nums.size

    def __getitem__(self, row: SupportsIndex | slice) -> NDArray[Any]:
        """Return one row, (*shape, channels), or those of a slice, (rows, *shape, channels)."""
        table = self._rows
        if isinstance(row, slice):
            return self._stacked(table, np.arange(table.seq_nums.size)[row])
        return self._stacked(table, self._row(table, row)).reshape(self._contents.header.item_shape)

    def window(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows `start` to `stop` - 1, clipped to those there are, as (rows, *shape, channels)."""
        return self[start:stop]

    def read_seq_nums(self, seq_nums: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Return the items of these sequence numbers, in their order, as (n, *shape, channels).

        Raises
        ------
        KeyError
            If there is none of one of them.
        """
        table = self._rows
        wanted = np.asarray(seq_nums, np.int64).reshape(-1)
        rows = np.searchsorted(table.seq_nums, wanted)
        absent = np.append(table.seq_nums, -1)[rows] != wanted
        absent |= rows == table.seq_nums.size
        if np.any(absent):
            raise KeyError(f"{self.path} has no item {int(wanted[absent][0])}; refresh() shows what was appended since")
        return self._stacked(table, rows)

    def events(self, row: SupportsIndex) -> NDArray[np.void]:
        """Return the non-zero counts of a row.

        Returns
        -------
        (n,) structured
            Fields ``row``, ``column``, ``channel`` (int32; row and column 0 where `shape` is ``()``) and ``count`` (the
            file's type), sorted by place. Axes before the last of `shape` count together as rows.

        Raises
        ------
        ValueError
            If the file does not hold integers.
        IndexError
            If there is no such row.
        LBJError
            If the record is damaged.
        """
        header, table = self._contents.header, self._rows
        if self.dtype.kind not in "iu":
            raise ValueError(f"{self.path} holds {self.dtype} values, not counts; read its arrays")
        number, codec, payload = next(self._payloads(table, self._row(table, row)))
        try:
            return events_of(*decode_events(codec, payload, header.voxels, header.dtype), header)
        except LBJError as error:
            raise self._named(table, number, error) from None

    def refresh(self) -> int:
        """Take in what was appended since; return how many rows there are now.

        Raises
        ------
        LBJError
            If the file was damaged or cut short meanwhile.
        """
        with self._refresh_lock:
            self._contents.refresh()
            self._rows = self._contents.rows
            return len(self)

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _row(self, table: Rows, row: SupportsIndex) -> NDArray[np.int64]:
        number, rows = index(row), table.seq_nums.size
        if not -rows <= number < rows:
            raise IndexError(f"row {number} of {self.path}, which has {rows}")
        return np.array([number % rows])

    def _stacked(self, table: Rows, numbers: NDArray[np.int64]) -> NDArray[Any]:
        header = self._contents.header
        items = np.empty((numbers.size, header.voxels), header.dtype)
        for item, (number, codec, payload) in zip(items, self._payloads(table, numbers), strict=True):
            try:
                decode_item(codec, payload, item)
            except LBJError as error:
                raise self._named(table, number, error) from None
        return items.reshape(numbers.size, *header.item_shape)

    def _payloads(self, table: Rows, numbers: NDArray[np.int64]) -> Iterator[tuple[int, int, bytes]]:
        """Yield number, codec and payload of each row; neighbours in the file are read at once."""
        places = table.places[numbers]
        ends = places + OVERHEAD + table.lengths[numbers]
        apart = (places[1:] != ends[:-1]) | (places[1:] // _PIECE != places[:-1] // _PIECE)
        bounds = [0, *(np.flatnonzero(apart) + 1).tolist(), numbers.size] if numbers.size else [0]
        for start, stop in pairwise(bounds):
            first = int(places[start])
            piece = self._source.read(first, int(ends[stop - 1]) - first)
            records = zip(
                numbers[start:stop].tolist(), places[start:stop].tolist(), ends[start:stop].tolist(), strict=True
            )
            for number, place, end in records:
                record = piece[place - first : end - first]
                yield number, self._checked(table, number, place, record), record[OVERHEAD:]

    def _checked(self, table: Rows, number: int, place: int, record: bytes) -> int:
        """Return the codec of a record that is whole and the one it should be."""
        head = parse_head(record)
        if head is None or head.kind != ITEM or not is_whole(self._contents.seed, place, head, record):
            raise self._named(table, number, LBJError("damaged (its checksum is wrong)"))
        if head.seq_num != table.seq_nums[number]:
            raise self._named(
                table, number, LBJError(f"is of item {head.seq_num}; the index is wrong, use salvage=True")
            )
        return head.codec

    def _named(self, table: Rows, number: int, error: LBJError) -> LBJError:
        place, seq_num = int(table.places[number]), int(table.seq_nums[number])
        return LBJError(f"{self.path}: record of item {seq_num} at byte {place}: {error}")
