"""Taking a payload apart from the front, never beyond its end."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._streams import read_varint


class Bytes:
    """The bytes of a payload that were not taken yet.

    Parameters
    ----------
    data : bytes or memoryview
        The payload.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._place = 0

    def __len__(self) -> int:
        return len(self._data) - self._place

    def number(self) -> int:
        """Take a number of 7-bit groups; LBJError where it does not end."""
        value, length = read_varint(bytes(self._data[self._place : self._place + 9]))
        self._place += length
        return value

    def take(self, length: int) -> memoryview:
        """Take so many bytes; LBJError where there are fewer."""
        if length > len(self):
            raise LBJError(f"{length} bytes claimed where {len(self)} are left")
        self._place += length
        return self._data[self._place - length : self._place]

    def rest(self) -> NDArray[np.uint8]:
        """Return what was not taken yet, (n,) uint8, without taking it."""
        return np.frombuffer(self._data, np.uint8, offset=self._place) if len(self) else np.empty(0, np.uint8)
