"""Writing a listed-bin-journal record by record, so that what was appended survives the process."""

import os
import threading
from collections.abc import Mapping
from operator import index
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from daisy_bluesky.lbj._codecs import encode_item, encode_pairs
from daisy_bluesky.lbj._events import pairs_of
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._index import footer
from daisy_bluesky.lbj._journal_file import JournalFile
from daisy_bluesky.lbj._record import ITEM, LARGEST_SEQ_NUM, frame


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

    Attributes
    ----------
    path : pathlib.Path
        The file.
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
    ) -> None:
        self.path = Path(path)
        header = Header.of(shape, channels, dtype, metadata)
        self._file = JournalFile(self.path, header, append=append, keep_metadata=metadata is None)
        self.header = self._file.header
        self._table = self._file.table
        encode_item(np.ones(4, self.header.dtype))  # loads the compiled kernels now, not during the first exposure
        self._append_lock = threading.Lock()
        self._sync_lock = threading.Lock()

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
            If the item has another shape, a value does not fit the file's type, or the writer is closed.
        OSError
            If the system does not take the bytes, e.g. on a full disk; the file is then as it was.
        """
        number = index(seq_num)
        if not 0 <= number <= LARGEST_SEQ_NUM:
            raise ValueError(f"seq_num {number} must be from 0 to 2**63 - 1")
        values = np.asarray(item)
        if values.dtype.names is not None:
            codec, payload = encode_pairs(pairs_of(values, self.header), self.header.voxels, self.header.dtype)
        else:
            codec, payload = encode_item(self._flat(values))
        with self._append_lock:
            self._check_open()
            place = self._file.end
            self._file.write(frame(self._file.seed, place, ITEM, codec, number, payload))
            self._table.add(number, place, len(payload))

    def flush(self) -> None:
        """Return at once: `append` has handed every record to the operating system. ValueError where closed."""
        self._check_open()

    def sync(self) -> None:
        """Wait until all that was appended is on the disk; `append` may go on in other threads meanwhile."""
        with self._sync_lock:
            self._check_open()
            self._file.sync()

    def close(self) -> None:
        """Write the index, wait until everything is on the disk, and let go of the file. Closing twice is harmless."""
        with self._sync_lock, self._append_lock:
            if self._file.closed:
                return
            try:
                self._write_index()
            finally:  # also where the disk is too full for an index
                self._file.close(sync=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _write_index(self) -> None:
        if not self._file.is_indexed:
            self._file.write(footer(self._file.seed, self._file.end, self._table.rows))

    def _check_open(self) -> None:
        if self._file.closed:
            raise ValueError(f"{self.path} is closed; open it with append=True to go on with it")

    def _flat(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.shape != self.header.item_shape:
            raise ValueError(f"item of shape {values.shape} where {self.path.name} holds {self.header.item_shape}")
        if values.dtype != self.header.dtype:
            values = _converted(values, self.header.dtype)
        return np.ascontiguousarray(values).reshape(-1)


def _converted(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if np.can_cast(values.dtype, dtype, "safe"):
        return values.astype(dtype)
    if values.dtype.kind not in "iu" or dtype.kind not in "iu":
        raise ValueError(
            f"{values.dtype} values where the file stores {dtype}; convert them, or open it with dtype={values.dtype}"
        )
    limits = np.iinfo(dtype)
    if values.size and not limits.min <= int(values.min()) <= int(values.max()) <= limits.max:
        raise ValueError(
            f"counts from {values.min()} to {values.max()} where the file stores {dtype}; open it with a wider dtype"
        )
    return values.astype(dtype)
