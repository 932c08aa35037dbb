"""Mains pick-up that is not locked to the line: a wave over the scan, found in what still pulls at the pixels."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2
from scipy.ndimage import maximum_filter

from daisy_bluesky.mfsi._scan_basis import Wave

CLEAR = 30.0  # times the power that noise alone would have
SLOWEST = 2.0  # cycles along a row; what is slower, a row's own displacement takes up
SMOOTHEST = 6.0  # cycles over the field along both axes; what is smoother, the smooth field takes up
PADDING = 2
_PEAKS = 6
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
        rows, columns = (PADDING * n for n in self._shape)
        power = np.zeros((rows, columns // 2 + 1))
        for pulls in self._pulls:
            power += (np.abs(rfft2(pulls, (rows, columns))) ** 2).sum(axis=0)
        slow, smooth = int(PADDING * SLOWEST), int(PADDING * SMOOTHEST)
        allowed = np.ones(power.shape, dtype=bool)
        allowed[:, :slow] = allowed[:smooth, :smooth] = allowed[-smooth:, :smooth] = allowed[:, -1] = False
        row, column, height = _highest(power, allowed)
        if height < CLEAR * self._information:
            return None
        return self._refined(row / rows if row <= rows / 2 else row / rows - 1, column / columns)

    def _refined(self, along_rows: float, along_columns: float) -> Wave:
        """Climb to the top of the peak."""
        steps = 0.25 / np.array(self._shape)
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


def _highest(power: Array, allowed: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return row, column and height of the highest allowed peak, each read between the frequencies it was computed at.

    A crystal repeats every wave at its own frequencies, not much weaker: on the grid alone a copy may seem the highest.
    """
    peaks = np.argwhere(allowed & (power == maximum_filter(power, 3, mode=("wrap", "nearest"))))
    strongest = peaks[np.argsort(power[tuple(peaks.T)])[::-1][:_PEAKS]]
    found = [(0.0, 0.0, 0.0)]
    for row, column in strongest:
        along_rows, first = _top(power[[row - 1, row, (row + 1) % len(power)], column])
        along_columns, second = _top(power[row, column - 1 : column + 2])
        height = power[row, column] * np.exp(first + second)
        found.append((float(row + along_rows), float(column + along_columns), float(height)))
    return max(found, key=lambda peak: peak[2])


def _top(values: Array) -> tuple[float, float]:
    """Return where between -1 and 1 the logarithm of three values is highest, and how far above the middle one."""
    low, middle, high = np.log(np.maximum(values, 1e-30))
    bend = low - 2 * middle + high
    place = 0.5 * (low - high) / bend if bend < 0 else 0.0
    return float(place), float(-0.25 * (low - high) * place)
