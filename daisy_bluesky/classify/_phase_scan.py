"""Looks through a field for places whose spectra, pooled, are of no phase that is known."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.classify._counts import Floats, Integers, Singles
from daisy_bluesky.classify._fit_kernels import mixture
from daisy_bluesky.classify._spectrum_evidence import departure
from daisy_bluesky.compilation import compiled

SIDES = (3, 5, 9, 17)
MIXING_STEPS = 15
LEAST_COUNTS = 25.0
FALSE_ALARMS = 0.05  # expected in a field without unknown phases


class Scan(NamedTuple):
    """Squares of cells, and how little the known explains them.

    Attributes
    ----------
    first : (n, 2) int64
        First row and column of each square.
    last : (n, 2) int64
        Those after its last.
    doubt : (n,) float64
        By how many nats a mean spectrum of its own explains a square's counts better than known means do.
    """

    first: Integers
    last: Integers
    doubt: Floats

    @property
    def alarm(self) -> float:
        """Doubt, nats, that squares without an unknown phase exceed `FALSE_ALARMS` times a field, however often asked.

        The ratio of the likelihoods of a wrong and the right model exceeds ``c`` with a probability of ``1 / c`` at
        most at any time (Ville's inequality), and there are so many squares.
        """
        return float(np.log(max(len(self.doubt), 1) / FALSE_ALARMS))


def scan(sums: Singles, known: Floats, tolerance: float) -> Scan:
    """Compare squares of several sizes, half overlapping, with mixtures of known mean spectra.

    Parameters
    ----------
    sums : (rows, columns, bins) float32
        Counts of every cell.
    known : (means, bins) float64
        Known mean spectra, rows sum to 1.
    tolerance : float
        Nats per count that known means may be wrong by.

    Returns
    -------
    Scan
    """
    firsts, lasts, doubts = [], [], []
    total = np.zeros((sums.shape[0] + 1, sums.shape[1] + 1, sums.shape[2]))
    np.cumsum(np.cumsum(sums, axis=0, dtype=np.float64), axis=1, out=total[1:, 1:])
    for side in SIDES:
        if side > min(sums.shape[:2]) and side != SIDES[0]:
            continue
        first = _corners(sums.shape[0], sums.shape[1], side)
        last = np.minimum(first + side, sums.shape[:2])
        firsts.append(first)
        lasts.append(last)
        doubts.append(_doubts(total, first, last, known, tolerance))
    return Scan(np.concatenate(firsts), np.concatenate(lasts), np.concatenate(doubts))


def _corners(rows: int, columns: int, side: int) -> Integers:
    """Return the first row and column of squares that overlap by half, (n, 2)."""
    step = (side + 1) // 2
    row, column = np.meshgrid(
        np.arange(0, max(rows - side, 0) + step, step), np.arange(0, max(columns - side, 0) + step, step), indexing="ij"
    )
    corners = np.stack([row.ravel(), column.ravel()], axis=1)
    return np.minimum(corners, np.maximum([rows - side, columns - side], 0))


@compiled
def _doubts(total: NDArray[np.float64], first: Integers, last: Integers, known: Floats, tolerance: float) -> Floats:
    """Return the doubt of every square, (n,), nats; `total` are the cumulative counts."""
    doubts = np.zeros(len(first))
    logs = np.log(known)
    for square in range(len(first)):
        top, left, bottom, right = first[square, 0], first[square, 1], last[square, 0], last[square, 1]
        counts = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
        number = counts.sum()
        if number < LEAST_COUNTS:
            continue
        best, most = 0, -np.inf
        for mean in range(len(known)):
            explained = np.sum(counts * logs[mean])
            if explained > most:
                best, most = mean, explained
        if departure(counts, known[best]) > tolerance * number:
            blend = mixture(counts, known, best, MIXING_STEPS)[: len(counts)]
            doubts[square] = max(departure(counts, blend / np.sum(blend)) - tolerance * number, 0.0)
    return doubts
