"""What every named visit of a dose allocation told, so that visits can be replaced."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CORNERS = 4  # pixels a position between pixels touches


class Findings(NamedTuple):
    """Visits, shared out among the pixels they touch.

    Attributes
    ----------
    places : (n, 4, 2) int64
        Pixels touched, (row, column).
    share : (n, 4) float64
        Part of the visit that counts for each; 0 for none, sum 1.
    told : (n, phases) float64
        Log-likelihoods, nats, the largest 0.
    least : (n,) float64
        What they say about a phase nobody knew of, nats.
    dwell : (n,) float64
        Dwell times, s.
    failed : (n,) bool
        Failed spectra.
    """

    places: NDArray[np.int64]
    share: NDArray[np.float64]
    told: NDArray[np.float64]
    least: NDArray[np.float64]
    dwell: NDArray[np.float64]
    failed: NDArray[np.bool_]

    def part(self, which: NDArray[np.int64]) -> "Findings":
        """Return some of the visits."""
        return Findings(
            self.places[which],
            self.share[which],
            self.told[which],
            self.least[which],
            self.dwell[which],
            self.failed[which],
        )


class DoseLedger:
    """Findings by the name of the visit, in one growing table.

    Parameters
    ----------
    phases : int
        Number of phases at the start.
    """

    def __init__(self, phases: int) -> None:
        self._numbers: dict[int, int] = {}
        self._table = _nothing(0, phases)

    def replace(self, names: list[int], findings: Findings) -> tuple[Findings, Findings]:
        """Keep visits, each in place of what its name stood for before.

        Returns
        -------
        tuple of Findings
            What is no longer true, and what is true now; of visits of one name the last.
        """
        latest = np.array(sorted({name: index for index, name in enumerate(names)}.values()), np.int64)
        mine = [names[index] for index in latest]
        known = np.array([self._numbers[name] for name in mine if name in self._numbers], np.int64)
        gone = self._table.part(known)
        for name in mine:
            self._numbers.setdefault(name, len(self._numbers))
        self._make_room(len(self._numbers))
        numbers = np.array([self._numbers[name] for name in mine], np.int64)
        true = findings.part(latest)
        for column, values in zip(self._table, true, strict=True):
            column[numbers] = values
        return gone, true

    def findings(self, names: list[int]) -> Findings:
        """Return what visits told.

        Raises
        ------
        ValueError
            If nothing is known of one of them.
        """
        if unknown := [name for name in names if name not in self._numbers]:
            raise ValueError(f"visits: {unknown[0]} has not been taken in")
        return self._table.part(np.array([self._numbers[name] for name in names], np.int64))

    def grow(self) -> None:
        """Add a phase that no visit so far knew of."""
        told = np.concatenate([self._table.told, self._table.least[:, None]], axis=1)
        self._table = self._table._replace(told=told)

    def _make_room(self, count: int) -> None:
        rows = len(self._table.dwell)
        if count > rows:
            wider = np.minimum(np.arange(max(count, 2 * rows)), max(rows - 1, 0))
            self._table = self._table.part(wider) if rows else _nothing(count, self._table.told.shape[1])


def _nothing(rows: int, phases: int) -> Findings:
    """Return a table whose rows say nothing."""
    return Findings(
        np.zeros((rows, CORNERS, 2), np.int64),
        np.zeros((rows, CORNERS)),
        np.zeros((rows, phases)),
        np.zeros(rows),
        np.zeros(rows),
        np.zeros(rows, bool),
    )
