"""Writing a listed-bin-journal record by record, so that what was appended survives the process."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from daisy_bluesky.lbj._arguments import array_of, dtype_of, lengths_of, positive_number, whole_number
from daisy_bluesky.lbj._codecs import SPARSE, encode_item, encode_pairs
from daisy_bluesky.lbj._coded import EVENTS_PER_TILE
from daisy_bluesky.lbj._compact import WORTH, compact_path, write_compact
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._events import pairs_of
from daisy_bluesky.lbj._group_commit import GroupCommit, check_group
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._header import Header, is_storable
from daisy_bluesky.lbj._index import footer
from daisy_bluesky.lbj._journal_file import JournalFile
from daisy_bluesky.lbj._pairs_tile import events_of_pairs
from daisy_bluesky.lbj._pending import Pending, is_negative_among, plain_pairs, unfolded_pairs
from daisy_bluesky.lbj._plane import Plane
from daisy_bluesky.lbj._record import LARGEST_SEQ_NUM, OVERHEAD
from daisy_bluesky.lbj._record_writer import LARGE_ITEM, RecordWriter, in_tiles
from daisy_bluesky.lbj._references import References
from daisy_bluesky.lbj._sparse_page import SparsePage, sparse_page
from daisy_bluesky.lbj._spectra_codecs import stored_dtype
from daisy_bluesky.lbj._subset import MOST_PLACES
from daisy_bluesky.lbj._values import encode_values


class Writer:
    """A listed-bin-journal being written. What `append` took is with the operating system when it returns.

    Parameters
    ----------
    path : str or path-like
        The file; must not exist unless `append`.
    shape : tuple of int
        Shape of an item before its channel axis; ``()`` for one spectrum.
    channels : int
        Length of the channel axis.
    dtype : dtype-like, optional
        Type of the values: bool, an integer or a float of up to 64 bits; uint32 when None.
    metadata : mapping, optional
        Anything JSON can hold, e.g. ``{"offset": 0.0, "dispersion": 0.01, "unit": "keV"}``. When None, a file that is
        appended to keeps its own.
    append : bool
        Go on with the file where there is one: a torn tail is cut, nothing else is touched.
    block : int
        Non-zeros of small items that are coded together in one block.
    sync_records, sync_interval : int, float in s; optional
        Bring what was appended to the disk after so many items, or so long, in the background; when both are None, only
        `sync` and `close` do.
    sigma, blocks, dark, gain
        As of `dumps`, for every item. Small items are exact while they are appended, and coded together on closing.

    Attributes
    ----------
    path : pathlib.Path
        The file, absolute, links followed.
    header : Header
        What its items are.

    Raises
    ------
    FileExistsError
        If the file exists and `append` is false.
    LBJError
        If the file to append to is damaged or none of the format.
    ValueError
        If the file to append to holds other items or metadata, or a parameter is out of range.
    TypeError
        If a parameter is of another type.
    BlockingIOError
        If another writer has the file open.

    Examples
    --------
    >>> with Writer("eds_spectrum.lbj", channels=2048, metadata={"dispersion": 0.01, "unit": "keV"}) as writer:
    ...     writer.append(1, spectrum)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        shape: tuple[int, ...] = (),
        channels: int,
        dtype: DTypeLike | None = None,
        metadata: Mapping[str, Any] | None = None,
        append: bool = False,
        block: int = EVENTS_PER_TILE,
        sync_records: int | None = None,
        sync_interval: float | None = None,
        sigma: float | None = None,
        blocks: Sequence[tuple[int, int]] | None = None,
        dark: ArrayLike | None = None,
        gain: ArrayLike | None = None,
    ) -> None:
        check_group(sync_records, sync_interval)
        shape, channels = lengths_of(shape, channels)
        self._block = positive_number("block", block)
        self.path = Path(os.path.realpath(path))
        guarantee = Guarantee.of(channels, sigma, blocks)
        stored = stored_dtype(dtype_of(dtype), guarantee)
        if guarantee.kind == "blocks" and stored.kind != "f":
            raise ValueError(f"blocks of a file of {stored} items: open it with a float dtype")
        references = References.of(dark, gain, (*shape, channels))
        if references is not None and stored.kind not in "iu":
            raise ValueError(f"references are for raw counts; the file stores {stored}")
        header = Header.of(shape, channels, stored, metadata, guarantee, references)
        self._file = JournalFile(self.path, header, append=append, keep_metadata=metadata is None)
        compact_path(self.path).unlink(missing_ok=True)  # of a process that died; no other writes to this file now
        self.header = self._file.header
        self._table = self._file.table
        self._records = RecordWriter(self._file)
        self._pending = Pending(self.header, self._block)
        self._in_tiles = in_tiles(self.header)
        self._append_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        encode_item(np.ones(4, self.header.dtype))  # loads the compiled kernels now, not during the first exposure
        self._commits = GroupCommit(self._file.sync, sync_records, sync_interval)

    @property
    def nbytes(self) -> int:
        """Bytes of the file so far."""
        return self._file.end

    def __len__(self) -> int:
        with self._append_lock:
            return self._table.rows.seq_nums.size

    def append(self, seq_num: int, item: ArrayLike) -> None:
        """Write one item; a sequence number given before is replaced.

        Parameters
        ----------
        seq_num : int
            Sequence number of the item, 0 or more.
        item : (*shape, channels) array, or (n,) structured array
            The values, or a list of events with fields ``channel``, ``row`` and ``column`` (these two not needed where
            `shape` is ``()``) and ``count`` (1 where there is none), in any order.

        Raises
        ------
        ValueError
            If the item has another shape or is masked, a value does not fit the file's type, or the writer is closed.
        TypeError
            If `seq_num` is no whole number.
        OSError
            If the system does not take the bytes, e.g. on a full disk; the file is then as it was.
        """
        number = _checked_seq_num(seq_num)
        values = array_of("item", item)
        write = self._listed(number, values) if values.dtype.names is not None else self._dense(number, values)
        with self._append_lock:
            self._check_open()
            write()
            if self._pending.is_enough:
                self._records.block(*self._pending.take())
        self._commits.wrote()

    def append_all(self, seq_nums: Sequence[int], items: ArrayLike) -> None:
        """Write several items, in less time than one by one; the file becomes the same as by `append` of each.

        Parameters
        ----------
        seq_nums : sequence of int
            Sequence number of each item.
        items : (n, *shape, channels) array
            The values.

        Raises
        ------
        ValueError, TypeError, OSError
            As `append` does. Items before the one that failed may have been written.
        """
        values, numbers = array_of("items", items), [_checked_seq_num(seq_num) for seq_num in seq_nums]
        if len(values) != len(numbers):
            raise ValueError(f"{len(values)} items for {len(numbers)} sequence numbers; give one for each")
        page = self._page(values)
        with self._append_lock:
            self._check_open()
            written = 0 if page is None else self._write_page(numbers, page)
        for _ in range(written):
            self._commits.wrote()
        for number, item in zip(numbers[written:], values[written:], strict=True):
            self.append(number, item)

    def flush(self) -> None:
        """Return at once: `append` has handed every record to the operating system. ValueError where closed."""
        self._check_open()

    def sync(self) -> None:
        """Wait until all that was appended is on the disk; `append` may go on in other threads meanwhile."""
        with self._sync_lock:
            self._check_open()
            self._file.sync()

    def close(self) -> None:
        """Seal the file, wait until it is on the disk, and let go of it. Closing twice is harmless.

        Where much of it is not sealed, or replaced, its compact form is put in its place; readers that have it open
        keep what they have, until they `refresh`. A file that was moved meanwhile is sealed where it is now.

        Raises
        ------
        LBJError
            If the file was deleted meanwhile.
        OSError
            If the disk is full; what was appended is whole.
        """
        self._commits.stop()
        with self._sync_lock, self._append_lock:
            if self._file.closed:
                return
            try:
                self._finish()
            finally:  # also where the disk is too full
                self._file.close(sync=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _finish(self) -> None:
        if self._file.is_indexed:
            return
        if self._loose_bytes() >= WORTH:
            self._file.sync()
            if write_compact(self._file, self.path, self._block):
                return
        self._file.write(footer(self._file.seed, self._file.end, self._table.rows))
        if not self._file.stat().st_nlink:
            items = self._table.rows.seq_nums.size
            raise LBJError(f"{self.path} was deleted while it was written, and its {items} items with it")

    def _loose_bytes(self) -> int:
        """Return how many bytes are of records that hold no row, or hold small counts that are not in a block."""
        rows = self._table.rows
        _, first, items = np.unique(rows.places, return_index=True, return_counts=True)
        kept = rows.lengths[first]
        if self.header.voxels < LARGE_ITEM:
            kept = kept[items > 1]
        return self._file.end - len(self.header.to_bytes()) - int(kept.sum()) - OVERHEAD * kept.size

    def _dense(self, seq_num: int, values: NDArray[Any]) -> Callable[[], object]:
        """Return what writes an array."""
        flat = self._flat(values)
        if flat.dtype.kind == "f" and flat.size >= LARGE_ITEM:
            return partial(self._records.item, seq_num, *encode_values(flat, self.header.guarantee))
        if self._in_tiles:
            return partial(self._records.tiles, seq_num, flat)
        pairs = None if flat.dtype.kind == "f" else plain_pairs(flat)
        return partial(self._small, seq_num, *encode_item(flat), pairs)

    def _listed(self, seq_num: int, events: NDArray[np.void]) -> Callable[[], object]:
        """Return what writes an event list."""
        folded = pairs_of(events, self.header)
        pairs = unfolded_pairs(folded, self.header.dtype)
        if self._in_tiles and pairs is not None:
            plane = Plane(self.header.voxels // self.header.channels, self.header.channels)
            if plane.pixels <= MOST_PLACES:
                return partial(self._records.listed, seq_num, events_of_pairs(pairs, plane))
        return partial(self._small, seq_num, *encode_pairs(folded, self.header.voxels, self.header.dtype), pairs)

    def _small(self, seq_num: int, codec: int, payload: bytes, pairs: NDArray[np.uint64] | None) -> None:
        self._records.item(seq_num, codec, payload)
        if pairs is None or self._in_tiles or is_negative_among(pairs, self.header.dtype):
            self._pending.drop(seq_num)
        else:
            self._pending.add(seq_num, pairs)

    def _page(self, values: NDArray[Any]) -> SparsePage | None:
        """Return items made ready together, None where they have to be written one by one."""
        if self._in_tiles or values.dtype.kind != "u" or values.dtype != self.header.dtype:
            return None
        if values.shape[1:] != self.header.item_shape:
            return None
        return sparse_page(np.ascontiguousarray(values).reshape(len(values), self.header.voxels))

    def _write_page(self, numbers: Sequence[int], page: SparsePage) -> int:
        """Write items, and blocks as they become due; return how many there were before one that is pending already."""
        written = 0
        while more := self._pending.until_enough(numbers[written:], page.pairs[written:]):
            some = slice(written, written + more)
            self._records.items(numbers[some], SPARSE, page.payloads[some])
            for number, pairs in zip(numbers[some], page.pairs[some], strict=True):
                self._pending.add(number, pairs)
            if self._pending.is_enough:
                self._records.block(*self._pending.take())
            written += more
        return written

    def _check_open(self) -> None:
        if self._file.closed:
            raise ValueError(f"{self.path} is closed; open it with append=True to go on with it")

    def _flat(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.shape != self.header.item_shape:
            raise ValueError(f"item of shape {values.shape} where {self.path.name} holds {self.header.item_shape}")
        if values.dtype != self.header.dtype:
            values = _converted(values, self.header.dtype)
        return np.ascontiguousarray(values).reshape(-1)


def _checked_seq_num(seq_num: int) -> int:
    number = whole_number("seq_num", seq_num)
    if not 0 <= number <= LARGEST_SEQ_NUM:
        raise ValueError(f"seq_num {number} must be from 0 to 2**63 - 1")
    return number


def _converted(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if np.can_cast(values.dtype, dtype, "safe"):
        return values.astype(dtype)
    if not is_storable(values.dtype):
        raise ValueError(f"{values.dtype} values where the file stores {dtype}; convert them to {dtype}")
    if values.dtype.kind not in "iu" or dtype.kind not in "iu":
        raise ValueError(
            f"{values.dtype} values where the file stores {dtype}; convert them, or open it with dtype={values.dtype}"
        )
    limits = np.iinfo(dtype)
    if values.size and not limits.min <= int(values.min()) <= int(values.max()) <= limits.max:
        remedy = "signed" if dtype.kind == "u" and values.min() < 0 else "wider"
        raise ValueError(
            f"counts from {values.min()} to {values.max()} where the file stores {dtype}; open it with a {remedy} dtype"
        )
    return values.astype(dtype)
