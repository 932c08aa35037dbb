"""The file under a writer: appended to, never altered, and left whole by a write that fails."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._header import Header, checksum_of
from daisy_bluesky.lbj._rows import RowTable
from daisy_bluesky.lbj._source import Source

if sys.platform != "win32":
    import fcntl


class JournalFile:
    """A file that grows record by record.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    header : Header
        What its items are.
    append : bool
        Go on with the file where there is one; its torn tail is cut.
    keep_metadata : bool
        Take that file's own metadata, whatever `header` says.

    Attributes
    ----------
    header : Header
        What its items are.
    seed : int
        Checksum of the header.
    end : int
        Bytes of the file.
    table : RowTable
        The rows.
    is_indexed : bool
        Whether the file ends with an index of all rows.
    """

    def __init__(self, path: Path, header: Header, *, append: bool, keep_metadata: bool) -> None:
        self._path = path
        self.header, self.table, self.end, self.is_indexed = header, RowTable(), 0, False
        head = header.to_bytes()
        self._is_new = not (append and path.exists())
        self._file = _create(path) if self._is_new else path.open("r+b", buffering=0)
        try:
            _lock(self._file, path)
            if not self.is_in_place():
                raise BlockingIOError(f"{path} was replaced by its compact form just now; open it again")
            if not self._is_new:
                self._take_over(head, keep_metadata=keep_metadata)
            if self.end == 0:
                self.seed = checksum_of(head)
                self.write(head)
        except BaseException:
            self.close(sync=False)
            raise

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._file.closed

    def is_in_place(self) -> bool:
        """Return whether it still lies at its path, where by now there may be another file, or none."""
        try:
            return os.path.samestat(self.stat(), self._path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False

    def stat(self) -> os.stat_result:
        """Return what the system knows of the file, wherever it lies by now."""
        return os.fstat(self._file.fileno())

    def source(self) -> Source:
        """Return the file to read from, to be closed by itself."""
        return Source(os.fdopen(os.dup(self._file.fileno()), "rb", buffering=0), str(self._path), self._path)

    def write(self, data: bytes) -> None:
        """Append bytes; where that fails or is interrupted, leave the file as it was."""
        try:
            self._file.seek(self.end)  # even where an earlier failure could not be cut off
            written = self._file.write(data) or 0
            while written < len(data):
                written += self._file.write(memoryview(data)[written:]) or 0
        except BaseException:
            self._cut(self.end)
            raise
        self.end += len(data)
        self.is_indexed = False

    def sync(self) -> None:
        """Wait until the file, and where it is new its directory entry, are on the disk."""
        os.fsync(self._file.fileno())
        if self._is_new and self.is_in_place():
            sync_directory(self._path.parent)
            self._is_new = False

    def close(self, *, sync: bool) -> None:
        """Let go of the file, once it is on the disk where `sync`."""
        try:
            if sync:
                self.sync()
        finally:
            self._file.close()

    def _take_over(self, head: bytes, *, keep_metadata: bool) -> None:
        start = self._file.read(len(head))
        if len(start) < len(head) and head.startswith(start):  # the process died while it wrote the header
            self._cut(0)
            return
        contents = Contents(Source(self._file, str(self._path)))
        found, wanted = contents.header, self.header
        if (found.item_shape, found.dtype) != (wanted.item_shape, wanted.dtype):
            raise ValueError(
                f"{self._path} holds items {found.item_shape} {found.dtype}, not {wanted.item_shape} {wanted.dtype}; "
                "choose another file"
            )
        if not keep_metadata and found.metadata != wanted.metadata:
            raise ValueError(f"{self._path} holds other metadata; leave metadata out to keep those of the file")
        if wanted.guarantee.kind != "exact" and wanted.guarantee != found.guarantee:
            raise ValueError(f"{self._path} promises otherwise ({found.guarantee}); leave sigma and blocks out")
        self.header, self.table, self.end = found, contents.table, contents.end
        self.seed, self.is_indexed = contents.seed, contents.is_indexed
        self._cut(self.end)

    def _cut(self, end: int) -> None:
        self._file.truncate(end)
        self._file.seek(end)


def _create(path: Path) -> BinaryIO:
    try:
        return path.open("x+b", buffering=0)
    except FileExistsError:
        raise FileExistsError(f"{path} exists; open it with append=True to go on with it") from None


def _lock(file: BinaryIO, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(f"{path} is being written by another writer; close that one first") from None


def sync_directory(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    if sys.platform == "win32":
        return
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
