"""Reading a listed-bin-journal, also while it is being written."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from operator import index
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._events import events_of
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._plane import Events, by_pixel
from daisy_bluesky.lbj._records import Records
from daisy_bluesky.lbj._rows import Rows
from daisy_bluesky.lbj._selection import Index, Selection
from daisy_bluesky.lbj._source import opened_source
from daisy_bluesky.lbj._stored import Stored

if TYPE_CHECKING:
    import dask.array
    import scipy.sparse
    import sparse  # type: ignore[import-untyped,unused-ignore]

_ALL = slice(None)
_MOST_PIXELS = 2**26


class Reader:
    """The rows of a listed-bin-journal, by ascending sequence number; the last item of a repeated one.

    The file is mapped into memory, and decoded as far as it is asked for. Reads a file that is being appended to: it
    holds the rows there were when it was opened, or at the last `refresh`. A torn tail, as a killed writer leaves it,
    is ignored; `torn_bytes` says how long it is. Methods may be called from several threads.

    Parameters
    ----------
    path : str or path-like
        The file.
    salvage : bool
        Pass over damaged records in mid-file, and trust no index, instead of raising.
    corrected : bool
        Apply the dark and gain references of a file that has them; raw counts when False, of which an energy window is
        decoded without the rest.

    Raises
    ------
    LBJError
        If the file is none of the format, or damaged other than by a torn tail.

    Examples
    --------
    >>> with Reader("eds_spectrum.lbj") as reader:
    ...     total = reader.window(0, len(reader)).sum(axis=0)
    ...     iron = reader.window(0, len(reader), channels=slice(630, 650)).sum(axis=-1)
    """

    def __init__(self, path: str | os.PathLike[str], *, salvage: bool = False, corrected: bool = True) -> None:
        self.path = Path(path).absolute()  # found again by `refresh`, also from another folder
        self._salvage, self._corrected = salvage, corrected
        self._refresh_lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        source = opened_source(self.path)
        try:
            self._contents = Contents(source, salvage=self._salvage)
        except BaseException:
            source.close()
            raise
        self._source = source
        self._records = Records(source, self._contents)
        self._references = self._contents.header.references if self._corrected else None
        self._rows = self._contents.rows

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
        return np.dtype(np.float32) if self._references is not None else self._contents.header.dtype

    @property
    def guarantee(self) -> Guarantee:
        """How the values differ from those that were written."""
        return self._contents.header.guarantee

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

    @property
    def torn_bytes(self) -> int:
        """Bytes behind the last whole record: what a writer that died had begun to write."""
        return max(self._source.size() - self._contents.end, 0)

    def __len__(self) -> int:
        return self._rows.seq_nums.size

    def __getitem__(self, row: SupportsIndex | slice) -> NDArray[Any]:
        """Return one row, (*shape, channels), or those of a slice, (rows, *shape, channels)."""
        table = self._rows
        if isinstance(row, slice):
            return self._stacked(table, np.arange(table.seq_nums.size)[row])
        number = np.array([self._row(table, row)])
        return self._stacked(table, number).reshape(self._contents.header.item_shape)

    def window(self, start: int, stop: int, *, channels: slice = _ALL) -> NDArray[Any]:
        """Return rows `start` to `stop` - 1, clipped to those there are, in an energy window.

        Of counts, only the records, pixels and channels that are named are decoded. Floats, and counts that are
        corrected by references as they are read, are decoded by whole records, and the window is taken from these;
        for counts with references, ``Reader(path, corrected=False)`` decodes the window of the raw counts only.

        Returns
        -------
        (rows, *shape, channels)
        """
        if channels == _ALL:
            return self[start:stop]
        return self.part(slice(start, stop), [*[_ALL] * len(self.shape), channels])

    def part(self, rows: slice | Sequence[int] | NDArray[np.integer[Any]], item: Index) -> NDArray[Any]:
        """Return parts of items, stacked, (rows, ...), decoding only what is touched, as far as `window` does.

        Parameters
        ----------
        rows : slice or sequence of int
            Which rows.
        item : sequence of int or slice
            What of each axis of an item, (*shape, channels); axes named by an integer are left out.
        """
        table, selection = self._rows, Selection.of(item, self._contents.header.item_shape)
        numbers = np.arange(table.seq_nums.size)
        numbers = numbers[rows] if isinstance(rows, slice) else numbers[np.asarray(rows, np.int64)]
        parts = self._contents.header.room(numbers.size, selection.size).astype(self.dtype, copy=False)
        for first, last, stored in self._grouped(table, numbers) if selection.size else ():
            if self.dtype.kind == "f":
                values = self._stacked(table, numbers[first:last])
                parts[first:last] = values[np.ix_(range(last - first), *selection.axes)].reshape(last - first, -1)
                continue
            with self._named(table, int(numbers[first])):
                stored.fill_parts(table.ranks[numbers[first:last]], selection, parts[first:last])
        return parts.reshape(numbers.size, *selection.kept)

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

    def events(self, row: SupportsIndex, *, channels: slice = _ALL) -> NDArray[np.void]:
        """Return the non-zero counts of a row in an energy window.

        Returns
        -------
        (n,) structured
            Fields ``row``, ``column``, ``channel`` (int32; row and column 0 where `shape` is ``()``) and ``count`` (the
            file's type), sorted by place. Axes before the last of `shape` count together as rows.

        Raises
        ------
        ValueError
            If the file does not hold integers, or the window has steps.
        IndexError
            If there is no such row.
        LBJError
            If the record is damaged.
        """
        table = self._rows
        return events_of(*self._parts(table, self._row(table, row), channels), self._contents.header)

    def csr(self, start: int, stop: int, *, channels: slice = _ALL) -> "scipy.sparse.csr_array":
        """Return rows `start` to `stop` - 1 as a sparse matrix, (rows * pixels of an item, channels of the window).

        Raises
        ------
        ValueError
            If the file does not hold integers, the window has steps, or there are more than 2**26 pixels.
        """
        from scipy.sparse import csr_array

        places, counts, shape = self._coordinates(start, stop, channels)
        if shape[0] > _MOST_PIXELS:
            raise ValueError(f"a matrix of {shape[0]} pixels, one row each, is too large; read them with sparse()")
        starts = np.searchsorted(places[0], np.arange(shape[0] + 1))
        return csr_array((counts, places[1], starts), shape)

    def sparse(self, start: int, stop: int, *, channels: slice = _ALL) -> "sparse.COO":
        """Return rows `start` to `stop` - 1 as a sparse array, (rows, *shape, channels of the window)."""
        import sparse

        places, counts, shape = self._coordinates(start, stop, channels)
        rows = len(range(len(self))[start:stop])
        return sparse.COO(places, counts, shape).reshape((rows, *self.shape, shape[1]))

    def dask(self, rows: int = 64) -> "dask.array.Array":
        """Return all rows as a lazy array, (rows, *shape, channels), in chunks of `rows` rows; keep the reader open."""
        import dask.array

        whole, item_shape = len(self), self._contents.header.item_shape
        lengths = tuple(min(rows, whole - start) for start in range(0, whole, rows)) or (0,)
        chunks = (lengths, *((length,) for length in item_shape))
        lazy: dask.array.Array = dask.array.map_blocks(  # type: ignore[no-untyped-call,unused-ignore]
            self._chunk, chunks=chunks, dtype=self.dtype, rows=rows
        )
        return lazy

    def _chunk(self, *, rows: int, block_info: Mapping[Any, Any]) -> NDArray[Any]:
        first = rows * int(block_info[None]["chunk-location"][0])
        return self[first : first + rows]

    def refresh(self) -> int:
        """Take in what was appended since, also where the writer has put a compact file in place of the journal.

        Returns
        -------
        int
            How many rows there are now.

        Raises
        ------
        LBJError
            If the file was damaged or cut short meanwhile.
        """
        with self._refresh_lock:
            if self._source.was_replaced():
                replaced = self._source
                self._open()
                replaced.close()
            else:
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

    def _row(self, table: Rows, row: SupportsIndex) -> int:
        number, rows = index(row), table.seq_nums.size
        if not -rows <= number < rows:
            raise IndexError(f"row {number} of {self.path}, which has {rows}")
        return number % rows

    def _stacked(self, table: Rows, numbers: NDArray[np.int64]) -> NDArray[Any]:
        header = self._contents.header
        items = header.room(numbers.size)
        for first, last, stored in self._grouped(table, numbers):
            with self._named(table, int(numbers[first])):
                stored.fill(table.ranks[numbers[first:last]], items[first:last])
        stacked = items.reshape(numbers.size, *header.item_shape)
        return stacked if self._references is None else self._references.apply(stacked)

    def _parts(self, table: Rows, number: int, channels: slice) -> tuple[list[tuple[Events, range]], int]:
        """Return the events of a row in a window, in parts, and its first pixel."""
        if self.dtype.kind not in "iu":
            raise ValueError(f"{self.path} holds {self.dtype} values, not counts; read its arrays")
        window, pixels = range(self.channels)[channels], self._contents.header.voxels // self.channels
        if window.step != 1:
            raise ValueError(f"an energy window has no steps, not {window.step}; read it whole and take a part")
        place, rank = int(table.places[number]), int(table.ranks[number])
        stored = self._records.get(place, int(table.lengths[number]), int(table.seq_nums[number]), rank)
        with self._named(table, number):
            return stored.parts(range(rank * pixels, (rank + 1) * pixels), window), rank * pixels

    def _events(self, table: Rows, number: int, channels: slice) -> Events:
        """Return the events of a row in a window, ascending by pixel, then channel, its pixels from 0."""
        parts, first = self._parts(table, number, channels)
        joined = Events.joined([by_pixel(events, pixels.start, pixels.stop) for events, pixels in parts])
        return Events(joined.pixels - np.uint32(first), joined.channels, joined.counts)

    def _coordinates(
        self, start: int, stop: int, channels: slice
    ) -> tuple[NDArray[np.int64], NDArray[Any], tuple[int, int]]:
        """Return pixel and channel, (2, n), and count, (n,), of the non-zeros of some rows, and what they lie in."""
        table, window = self._rows, range(self.channels)[channels]
        numbers = np.arange(table.seq_nums.size)[start:stop]
        pixels = self._contents.header.voxels // self.channels
        rows = [self._events(table, int(number), channels) for number in numbers]
        at = [row.pixels.astype(np.int64) + i * pixels for i, row in enumerate(rows)]
        joined = Events.joined(rows)
        places = np.stack(
            [np.concatenate([*at, np.empty(0, np.int64)]), joined.channels.astype(np.int64) - window.start]
        )
        return places, joined.counts.astype(self.dtype), (pixels * numbers.size, len(window))

    def _grouped(self, table: Rows, numbers: NDArray[np.int64]) -> Iterator[tuple[int, int, Stored]]:
        """Yield first and last + 1 of neighbouring rows of one record, and the record."""
        breaks = np.flatnonzero(np.diff(table.places[numbers])) + 1
        bounds = [0, *breaks.tolist(), numbers.size] if numbers.size else [0]
        for first, last in pairwise(bounds):
            number = int(numbers[first])
            place, length = int(table.places[number]), int(table.lengths[number])
            yield first, last, self._records.get(place, length, int(table.seq_nums[number]), int(table.ranks[number]))

    @contextmanager
    def _named(self, table: Rows, number: int) -> Iterator[None]:
        try:
            yield
        except LBJError as error:
            raise self._records.named(int(table.places[number]), int(table.seq_nums[number]), error) from None
