"""Which pixels of a field a frame, or a line of it, covers."""

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.protocols import FrameExposure


@dataclass(frozen=True)
class Area:
    """A rectangle on a field.

    Attributes
    ----------
    box : tuple of slice
        Rows and columns of the pixels it touches.
    shares : ndarray of float64, (rows, columns)
        Which part of it each of them holds; 1 together.
    """

    box: tuple[slice, slice]
    shares: NDArray[np.float64]


class FrameCover:
    """The pixels of a field under the pixels of a frame.

    Parameters
    ----------
    frame : FrameExposure
        The frame; its pixels touch each other.
    field : tuple of int
        The field, (rows, columns), pixels.
    pixel_size : float
        Distance between the field's pixels, nm.
    """

    def __init__(self, frame: FrameExposure, field: tuple[int, int], pixel_size: float) -> None:
        self._frame, self._field = frame, field
        self._step = frame.pixel_size / pixel_size
        self._columns = self._along(1, 0, frame.shape[1])

    def lines(self, first: int, last: int) -> Area:
        """Return the area of the lines from `first` to before `last`."""
        (rows, of_rows), (columns, of_columns) = self._along(0, first, last), self._columns
        return Area((rows, columns), np.outer(of_rows, of_columns))

    def whole(self) -> Area:
        """Return the area of the frame."""
        return self.lines(0, self._frame.shape[0])

    def _along(self, axis: int, first: int, last: int) -> tuple[slice, NDArray[np.float64]]:
        begin = self._frame.origin[axis] + (first - 0.5) * self._step
        end = begin + (last - first) * self._step
        low = min(max(0, floor(begin + 0.5)), self._field[axis] - 1)
        high = max(min(self._field[axis], floor(end + 0.5) + 1), low + 1)
        pixels = np.arange(low, high)
        covered = np.clip(np.minimum(end, pixels + 0.5) - np.maximum(begin, pixels - 0.5), 0.0, None)
        total = covered.sum()
        shares = covered / total if total > 0 else np.full(len(pixels), 1.0 / len(pixels))
        return slice(low, high), np.asarray(shares)
