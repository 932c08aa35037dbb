"""Bytes to read from, at any place, from several threads."""

import os
import threading
from typing import BinaryIO

_LOOK_AHEAD = 2**20


class Source:
    """A file or a blob, read by place.

    Parameters
    ----------
    stream : binary file
        Unbuffered, so that what others append is seen.
    name : str
        What to call it in messages.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._stream = stream
        self._lock = threading.Lock()

    def size(self) -> int:
        """Return the number of bytes there are now."""
        with self._lock:
            return self._stream.seek(0, os.SEEK_END)

    def read(self, place: int, length: int) -> bytes:
        """Return the bytes from `place`, fewer than `length` only where they end."""
        with self._lock:
            self._stream.seek(place)
            data = self._stream.read(length)
            while len(data) < length and (more := self._stream.read(length - len(data))):
                data += more
            return data

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()


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
