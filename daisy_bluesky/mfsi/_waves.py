"""Mains pick-up that is not locked to the line: a wave over the scan, found in what still pulls at the pixels."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2

from daisy_bluesky.mfsi._scan_basis import Wave

CLEAR = 30.0  # times the power that noise alone would have
SLOWEST = 6.0  # cycles over the field along the columns; slower ones are rows and smooth field
_REFINEMENTS = 6
Array = NDArray[np.float64]


class WaveSearch:
    """Collects what still pulls at the pixels of some frames.

    Parameters
    ----------
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    frames : int
        How many frames to look at.
    """

    def __init__(self, shape: tuple[int, int], frames: int) -> None:
        self._shape = shape
        self._frames = frames
        self._pulls: list[NDArray[np.float32]] = []
        self._information = 0.0

    def wants_more(self) -> bool:
        """Tell whether more frames are to be looked at."""
        return len(self._pulls) < self._frames

    def add(self, pulls: Array, information: float) -> None:
        """Take in the residual scores of a frame, (2, rows, columns) 1 / px, and its information, 1 / px^2."""
        self._pulls.append(pulls.astype(np.float32))
        self._information += information

    def found(self) -> Wave | None:
        """Return the frequency of the strongest wave, cycles per px along rows and columns; None if none stands out."""
        if not self._pulls:
            return None
        power = np.zeros((self._shape[0], self._shape[1] // 2 + 1))
        for pulls in self._pulls:
            power += (np.abs(rfft2(pulls)) ** 2).sum(axis=0)
        power[:, : int(SLOWEST) + 1] = 0
        row, column = np.unravel_index(int(power.argmax()), power.shape)
        if power[row, column] < CLEAR * self._information:
            return None
        rows, columns = self._shape
        along_rows = (row if row <= rows // 2 else row - rows) / rows
        return self._refined(float(along_rows), float(column / columns))

    def _refined(self, along_rows: float, along_columns: float) -> Wave:
        """Climb to the top of the peak."""
        steps = np.array([0.5 / self._shape[0], 0.5 / self._shape[1]])
        best = np.array([along_rows, along_columns])
        for _ in range(_REFINEMENTS):
            grid = [best + steps * (i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            powers = [self._power(frequency) for frequency in grid]
            best = grid[int(np.argmax(powers))]
            steps = steps / 2
        return float(best[0]), float(best[1])

    def _power(self, frequency: Array) -> float:
        along_rows = np.exp(-2j * np.pi * frequency[0] * np.arange(self._shape[0])).astype(np.complex64)
        along_columns = np.exp(-2j * np.pi * frequency[1] * np.arange(self._shape[1])).astype(np.complex64)
        return float(sum((np.abs(along_rows @ (pulls @ along_columns).T) ** 2).sum() for pulls in self._pulls))
