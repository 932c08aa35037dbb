"""Which phases lie where in a specimen."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PhaseMap:
    """Fractions of phases on a grid of pixels, and between them.

    Parameters
    ----------
    phase_map : array_like
        (rows, columns) labels from 1, or (rows, columns, phases) fractions that sum to one.
    phases : int
        How many phases there are.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    fractions : (rows, columns, phases) float32
        Fraction of each phase in each pixel.
    labels : (rows, columns) uint8
        The phase with the largest fraction, from 1.
    area_fractions : (phases,) float64
        Part of the map that each phase fills.

    Raises
    ------
    ValueError
        If labels lie outside 1..`phases`, or fractions are negative or do not sum to one.
    """

    def __init__(self, phase_map: ArrayLike, phases: int) -> None:
        given = np.asarray(phase_map)
        if given.ndim not in (2, 3) or not given.size:
            raise ValueError(
                f"phase_map has shape {given.shape}: give labels (rows, columns) or fractions with phases last"
            )
        self.fractions = _fractions(given, phases)
        self.shape: tuple[int, int] = given.shape[0], given.shape[1]
        self.labels: NDArray[np.uint8] = (self.fractions.argmax(axis=2) + 1).astype(np.uint8)
        self.area_fractions = self.fractions.mean(axis=(0, 1), dtype=np.float64)

    def pixel(self, row: float, column: float) -> int:
        """Return the flat index of the pixel nearest to a position in pixels."""
        nearest_row = min(max(int(row + 0.5), 0), self.shape[0] - 1)
        return nearest_row * self.shape[1] + min(max(int(column + 0.5), 0), self.shape[1] - 1)

    def fractions_at(self, row: float, column: float) -> NDArray[np.float64]:
        """Return the fractions at a position in pixels, (phases,), bilinear between pixels, constant outside."""
        row = min(max(row, 0.0), self.shape[0] - 1.0)
        column = min(max(column, 0.0), self.shape[1] - 1.0)
        top, left = int(row), int(column)
        if top == row and left == column:
            return np.asarray(self.fractions[top, left], dtype=np.float64)
        down, right = row - top, column - left
        bottom, far = min(top + 1, self.shape[0] - 1), min(left + 1, self.shape[1] - 1)
        upper = (1 - right) * self.fractions[top, left] + right * self.fractions[top, far]
        lower = (1 - right) * self.fractions[bottom, left] + right * self.fractions[bottom, far]
        return np.asarray((1 - down) * upper + down * lower, dtype=np.float64)


def _fractions(given: NDArray[np.generic], phases: int) -> NDArray[np.float32]:
    if given.ndim == 3:
        fractions = given.astype(np.float32)
        if fractions.shape[2] != phases:
            raise ValueError(f"phase_map has fractions of {fractions.shape[2]} phases, but there are {phases} phases")
        if fractions.min() < 0 or not np.allclose(fractions.sum(axis=2), 1, atol=1e-4):
            raise ValueError("phase_map: the fractions in a pixel must not be negative and must sum to one")
        return fractions
    labels = given.astype(np.int64)
    if labels.min() < 1 or labels.max() > phases:
        raise ValueError(f"phase_map has labels {labels.min()}..{labels.max()}, but there are {phases} phases from 1")
    return np.eye(phases, dtype=np.float32)[labels - 1]
