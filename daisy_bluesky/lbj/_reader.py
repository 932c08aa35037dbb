"""Reading a listed-bin-journal, also while it is being written."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
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
from daisy_bluesky.lbj._record import ITEM, OVERHEAD, Head, is_whole, parse_head
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
        if isinstance(row, slice):
            return self._stacked(np.arange(len(self))[row])
        return self._stacked(np.array([self._row(row)])).reshape(self._contents.header.item_shape)

    def window(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows `start` to `stop` - 1, clipped to those there are, as (rows, *shape, channels)."""
        return self._stacked(np.arange(len(self))[start:stop])

    def read_seq_nums(self, seq_nums: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Return the items of these sequence numbers, in their order, as (n, *shape, channels).

        Raises
        ------
        KeyError
            If there is none of one of them.
        """
        wanted = np.asarray(seq_nums, np.int64).reshape(-1)
        rows = np.searchsorted(self._rows.seq_nums, wanted)
        absent = (rows == len(self)) | (np.append(self._rows.seq_nums, -1)[rows] != wanted)
        if np.any(absent):
            raise KeyError(f"{self.path} has no item {int(wanted[absent][0])}; refresh() shows what was appended since")
        return self._stacked(rows)

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
        header = self._contents.header
        if self.dtype.kind not in "iu":
            raise ValueError(f"{self.path} holds {self.dtype} values, not counts; read its arrays")
        number, head, payload = next(self._payloads(np.array([self._row(row)])))
        try:
            return events_of(*decode_events(head.codec, payload, header.voxels, header.dtype), header)
        except LBJError as error:
            raise self._named(number, error) from None

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

    def _row(self, row: SupportsIndex) -> int:
        number = index(row)
        if not -len(self) <= number < len(self):
            raise IndexError(f"row {number} of {self.path}, which has {len(self)}")
        return number % len(self)

    def _stacked(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        header = self._contents.header
        items = np.empty((rows.size, header.voxels), header.dtype)
        for item, (number, head, payload) in zip(items, self._payloads(rows), strict=True):
            try:
                decode_item(head.codec, payload, item)
            except LBJError as error:
                raise self._named(number, error) from None
        return items.reshape(rows.size, *header.item_shape)

    def _payloads(self, numbers: NDArray[np.int64]) -> Iterator[tuple[int, Head, bytes]]:
        """Yield number, head and payload of each row; neighbours in the file are read at once."""
        table = self._rows
        places = table.places[numbers]
        ends = places + OVERHEAD + table.lengths[numbers]
        apart = (places[1:] != ends[:-1]) | (places[1:] // _PIECE != places[:-1] // _PIECE)
        for run in np.split(np.arange(numbers.size), np.flatnonzero(apart) + 1):
            if run.size == 0:
                continue
            first = int(places[run[0]])
            piece = self._source.read(first, int(ends[run[-1]]) - first)
            for i in run:
                record = piece[int(places[i]) - first : int(ends[i]) - first]
                yield int(numbers[i]), *self._checked(int(numbers[i]), int(places[i]), record)

    def _checked(self, number: int, place: int, record: bytes) -> tuple[Head, bytes]:
        head = parse_head(record)
        if head is None or head.kind != ITEM or not is_whole(self._contents.seed, place, head, record):
            raise self._named(number, LBJError("damaged (its checksum is wrong)"))
        if head.seq_num != self._rows.seq_nums[number]:
            raise self._named(number, LBJError(f"is of item {head.seq_num}; the index is wrong, use salvage=True"))
        return head, record[OVERHEAD:]

    def _named(self, number: int, error: LBJError) -> LBJError:
        place, seq_num = int(self._rows.places[number]), int(self._rows.seq_nums[number])
        return LBJError(f"{self.path}: record of item {seq_num} at byte {place}: {error}")
