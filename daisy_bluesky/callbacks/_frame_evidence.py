"""What the counts of a whole frame say of every pixel."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.protocols import Labeller

FRAME = "frame"
"""Stream of whole frames."""
AT_ONCE = 1 << 23  # channels of spectra that are written out together


def frame_key(spectrum: str) -> str:
    """Return the data key of a frame of the spectra of a data key."""
    return f"{spectrum.removesuffix('_spectrum')}_{FRAME}"


def frame_evidence(
    labeller: Labeller, events: NDArray[np.void], shape: tuple[int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return all pixels of a frame and the log-likelihood of each phase there.

    Parameters
    ----------
    labeller : Labeller
        Knows the phases.
    events : (n,) structured array
        Counts: fields row, column, channel and count, ascending by row.
    shape : tuple of int
        Rows, columns and channels of the frame.

    Returns
    -------
    positions : (pixels, 2) int64
        Row and column.
    log_likelihoods : (pixels, phases) float64
        Nats; 0 for all phases where nothing was counted.
    """
    rows, columns, channels = shape
    lines = max(AT_ONCE // (columns * channels), 1)
    parts = []
    for first in range(0, rows, lines):
        last = min(first + lines, rows)
        part = events[slice(*np.searchsorted(events["row"], (first, last)))]
        spectra = np.zeros((last - first, columns, channels), np.uint32)
        np.add.at(spectra, (part["row"] - first, part["column"], part["channel"]), part["count"])
        parts.append(labeller.log_likelihoods(spectra.reshape(-1, channels)))
    return np.indices((rows, columns)).reshape(2, -1).T, np.concatenate(parts)
