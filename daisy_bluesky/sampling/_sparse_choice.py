"""Unvisited pixels where visits are dear: what the learned reduction in distortion says of them."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._batches import SPACING
from daisy_bluesky.sampling._changes import CHANGE, measure_all
from daisy_bluesky.sampling._dose_field import DoseField
from daisy_bluesky.sampling._field import FAR, MASK, NEIGHBOURS, SHIFT, empty_field
from daisy_bluesky.sampling._model import SladsModel
from daisy_bluesky.sampling._reconstruction import reconstruct
from daisy_bluesky.sampling._summary import best_place, summarise_all
from daisy_bluesky.sampling._update import rebuild
from daisy_bluesky.sampling._visit_cost import VisitCost
from daisy_bluesky.sampling._visit_value import best_visit, rate_all

NOBODY = 0
START_FRACTION = 0.01
APART = 1.5
# Where so many of the pixels were visited the spatial prior knows better than the learned score.
DENSE = 0.5


class SparseChoice:
    """The engine of sparse sampling on the labels that visited pixels amount to so far.

    Its score, pixels of distortion that one more label takes away, is what an unvisited pixel is worth; a visited one
    speaks for the unvisited pixels nearest to it, as many as its share of the area.

    Parameters
    ----------
    inside : (rows, columns) bool
        Region of interest.
    """

    def __init__(self, inside: NDArray[np.bool_]) -> None:
        self._regression = SladsModel.default().regression
        self._field = empty_field((inside.shape[0], inside.shape[1]), inside)
        self._wanted = max(START_FRACTION * np.count_nonzero(inside), 2.0 * NEIGHBOURS)
        self._samples = 0

    @property
    def begun(self) -> bool:
        """Whether enough pixels were visited for a score."""
        return self._samples >= self._wanted

    def close(self, shut: NDArray[np.bool_]) -> None:
        """Take pixels, (rows, columns) bool, out of the choice, and all others back in."""
        self._field.pixels["closed"] = shut
        if self.begun:
            self._rebuild()

    def prefer(self, preference: NDArray[np.float32]) -> None:
        """Compare unvisited pixels by their scores times (rows, columns) preferences."""
        self._field.pixels["preference"] = preference
        if self.begun:
            summarise_all(self._field.pixels, self._field.summary)

    def settle(self, places: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """Take in the labels, (n,), of visited pixels, (n, 2); 0 where nothing valid was found."""
        if not self.begun:
            self._note(places, labels)
            return
        changes = np.zeros(len(places), CHANGE)
        changes["row"], changes["column"], changes["label"], changes["closed"] = *places.T, labels, True
        field = self._field
        self._samples += measure_all(
            field.pixels, field.summary, field.queue, self._regression, changes, np.zeros((2, 2))
        )

    def _note(self, places: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """Take in labels while they are too few for a score; what follows is computed once they are enough."""
        pixels, where = self._field.pixels, tuple(places.T)
        pixels["sample"][where], pixels["closed"][where] = labels, True
        self._samples = int(np.count_nonzero(pixels["sample"]))
        if self.begun:
            self._rebuild()

    def _rebuild(self) -> None:
        rebuild(self._field.pixels, self._field.summary, self._regression)

    def share(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how many pixels each of some visited pixels speaks for, (n,), by how dense visits are there."""
        reach = self._field.pixels["reach"][rows, columns].astype(np.float64)
        return np.where(reach < FAR, np.maximum(np.pi * reach / NEIGHBOURS, 1.0), 1.0)

    def tell(self, field: DoseField, places: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """Take in what places, (n, 2), amount to, (n,), and rate unvisited pixels from the start to half of all."""
        rows, columns = places.T
        self.settle(places, np.where(field.dwell[rows, columns] > 0, labels, NOBODY))
        learned = self.begun and self._samples < DENSE * field.dwell.size
        field.area[rows, columns] = self.share(rows, columns) if learned else 1.0
        if learned != field.learned[0]:
            field.learned[0] = learned
            if not learned:
                field.area[:] = 1.0
            rate_all(field)

    def best(self, field: DoseField, cost: VisitCost) -> int:
        """Return row * columns + column of the visit of largest value; -1 when none is left."""
        again, new = best_visit(field), best_place(self._field.summary)
        if new < 0 or not field.learned[0]:
            return again
        row, column = new >> SHIFT, new & MASK
        value = self.score_at(field, row, column) / cost.of(float(field.offer[row, column]))
        rank = value * field.preference[row, column]
        other = field.value.flat[again] * field.preference.flat[again]
        return row * field.value.shape[1] + column if again < 0 or rank > other else again

    def values(self, field: DoseField, cost: VisitCost) -> NDArray[np.float32]:
        """Return the values of all visits, (rows, columns) float32."""
        if not field.learned[0]:
            return field.value
        score = np.maximum(self._field.pixels["score"], np.float32(0.0))
        return np.asarray(np.maximum(field.value, score / (np.float32(cost.overhead) + field.offer)))

    def spacing(self, field: DoseField, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how far places, (n, 2), are to be from better ones of one batch, (n,), pixels."""
        if not field.learned[0]:
            return np.full(len(places), APART)
        there = self._field.pixels["neighbours"][places[:, 0], places[:, 1], 0]
        distance = np.hypot((there >> SHIFT) - places[:, 0], (there & MASK) - places[:, 1])
        return np.asarray(np.maximum(SPACING * distance, APART))

    def score_at(self, field: DoseField, row: int, column: int) -> float:
        """Return the score of a pixel, pixels of distortion; 0 where closed, visited or rated elsewhere."""
        return max(float(self._field.pixels["score"][row, column]), 0.0) if field.learned[0] else 0.0

    def predicted(self) -> NDArray[np.int64]:
        """Return the map that visited pixels predict, (rows, columns) int64, by `reconstruct`."""
        samples = self._field.pixels["sample"]
        places = np.argwhere(samples)
        return reconstruct((samples.shape[0], samples.shape[1]), places, samples[places[:, 0], places[:, 1]])


def is_dear(field: DoseField) -> bool:
    """Tell whether visits cost so much that the first pass is no frame but a lattice."""
    return bool(field.cost[3] > 0)
