"""The counts of a whole frame, written out as spectra a few lines at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

FRAME = "frame"
"""Stream of whole frames."""
AT_ONCE = 1 << 23  # channels of spectra that are written out together


def frame_key(spectrum: str) -> str:
    """Return the data key of a frame of the spectra of a data key."""
    return f"{spectrum.removesuffix('_spectrum')}_{FRAME}"


def frame_spectra(
    events: NDArray[np.void], shape: tuple[int, int, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint32]]]:
    """Yield some pixels, (n, 2) int64, and their spectra, (n, channels) uint32, until all were there.

    Parameters
    ----------
    events : (counts,) structured array
        Fields row, column, channel and count, ascending by row.
    shape : tuple of int
        Rows, columns and channels of the frame.
    """
    rows, columns, channels = shape
    lines = max(AT_ONCE // (columns * channels), 1)
    for first in range(0, rows, lines):
        last = min(first + lines, rows)
        part = events[slice(*np.searchsorted(events["row"], (first, last)))]
        spectra = np.zeros((last - first, columns, channels), np.uint32)
        np.add.at(spectra, (part["row"] - first, part["column"], part["channel"]), part["count"])
        pixels = np.indices((last - first, columns)).reshape(2, -1).T + np.array([first, 0])
        yield pixels, spectra.reshape(-1, channels)
