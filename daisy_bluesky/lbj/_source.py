"""Bytes to read from, at any place, from several threads."""

import mmap
import os
import threading
from pathlib import Path
from typing import BinaryIO

_LOOK_AHEAD = 2**20


class Source:
    """A file or a blob, read by place; a file is mapped into memory as far as it is read.

    Parameters
    ----------
    stream : binary file
        Unbuffered, so that what others append is seen.
    name : str
        What to call it in messages.
    path : pathlib.Path, optional
        Where the file is; blobs have none.
    """

    def __init__(self, stream: BinaryIO, name: str, path: Path | None = None) -> None:
        self.name = name
        self._stream = stream
        self._path = path
        self._map: mmap.mmap | None = None
        self._lock = threading.Lock()

    def size(self) -> int:
        """Return the number of bytes there are now."""
        if self._path is not None:
            return os.fstat(self._stream.fileno()).st_size
        with self._lock:
            return self._stream.seek(0, os.SEEK_END)

    def read(self, place: int, length: int) -> bytes:
        """Return the bytes from `place`, fewer than `length` only where they end."""
        with self._lock:
            if self._path is not None:
                return self._mapped(place, place + length)
            self._stream.seek(place)
            data = self._stream.read(length)
            while len(data) < length and (more := self._stream.read(length - len(data))):
                data += more
            return data

    def was_replaced(self) -> bool:
        """Return whether another file lies at the path by now."""
        if self._path is None:
            return False
        try:
            return not os.path.samestat(os.fstat(self._stream.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._map is not None:
                self._map.close()
                self._map = None
            self._stream.close()

    def _mapped(self, start: int, stop: int) -> bytes:
        # asked every time: a mapped page behind the end of a file that was cut short would end the process
        size = os.fstat(self._stream.fileno()).st_size
        stop = min(stop, size)
        if start >= stop:
            return b""
        if self._map is None or len(self._map) < stop:
            previous, self._map = self._map, mmap.mmap(self._stream.fileno(), size, access=mmap.ACCESS_READ)
            if previous is not None:
                previous.close()
        return self._map[start:stop]


def opened_source(path: Path) -> Source:
    """Return a file to read from."""
    return Source(path.open("rb", buffering=0), str(path), path)


class LookAhead:
    """Reads forward through a source in large pieces.

    Parameters
    ----------
    source : Source
        Where the bytes are.
    stop : int
        Where to stop reading.
    """

    def __init__(self, source: Source, stop: int) -> None:
        self._source = source
        self._stop = stop
        self._piece = b""
        self._place = 0

    def read(self, place: int, length: int) -> bytes:
        """Return the bytes from `place`, fewer than `length` only where they end."""
        start = place - self._place
        if start < 0 or start + length > len(self._piece):
            wanted = min(max(length, _LOOK_AHEAD), self._stop - place)
            self._piece, self._place, start = self._source.read(place, max(wanted, 0)), place, 0
        return self._piece[start : start + length]
