"""What every visit measured, field by field, so that a visit can be replaced and visits to one pixel add up."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._evidence import Place

Floats = NDArray[np.float64]


class MeasuredValues:
    """Values and variances by visit and by place.

    Parameters
    ----------
    labels : (fields,) bool
        Which fields are labels, which are voted on; the others are averaged, weighted by dwell time.
    """

    def __init__(self, labels: NDArray[np.bool_]) -> None:
        self._labels = labels
        self._places: dict[int, Place] = {}
        self._found: dict[Place, dict[int, tuple[Floats, float]]] = {}
        self._unnamed = 0

    def __len__(self) -> int:
        """Return the number of visits."""
        return len(self._places)

    def name(self) -> int:
        """Return a visit id for a visit that came without one; negative, so that it meets no other."""
        self._unnamed -= 1
        return self._unnamed

    def record(self, visit: int, place: Place, evidence: Floats, dwell: float) -> Place | None:
        """Take in what a visit found, (fields, 2); return where it had been before, if that was another place."""
        before = self._places.get(visit)
        self._places[visit] = place
        if before is not None and before != place:
            del self._found[before][visit]
            if not self._found[before]:
                del self._found[before]
        self._found.setdefault(place, {})[visit] = (evidence, dwell)
        return before if before != place else None

    def visited(self, place: Place) -> bool:
        """Tell whether any visit went there."""
        return place in self._found

    def places(self) -> list[Place]:
        """Return every visited place."""
        return list(self._found)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which pixels of a field were visited, (rows, columns) bool."""
        mask = np.zeros(shape, bool)
        mask[tuple(np.array(self.places(), np.int64).reshape(-1, 2).T)] = True
        return mask

    def dwell_of_another(self, place: Place, dwell: float) -> float:
        """Return how long a place will have been exposed after one more visit, s; one as those before where nan."""
        spent = [each for _, each in self._found.get(place, {}).values()]
        return sum(spent) + (sum(spent) / max(len(spent), 1) if np.isnan(dwell) else dwell)

    def count(self, place: Place) -> int:
        """Return the number of visits to a place that found something."""
        return sum(not np.isnan(values).any() for values, _ in self._found.get(place, {}).values())

    def at(self, place: Place) -> Floats | None:
        """Return values and variances of a place, (fields, 2); None where no visit was valid."""
        found = self._found.get(place, {})
        valid = [found[visit] for visit in sorted(found) if not np.isnan(found[visit][0]).any()]
        if not valid:
            return None
        if len(valid) == 1:
            return valid[0][0]
        evidence = np.array([each for each, _ in valid])
        weights = np.array([dwell for _, dwell in valid])[:, None]
        weights = weights / weights.sum()
        total = np.stack([(weights * evidence[..., 0]).sum(0), (weights**2 * evidence[..., 1]).sum(0)], axis=1)
        for field in np.flatnonzero(self._labels):
            votes = Counter(reversed(evidence[:, field, 0].tolist()))
            total[field] = max(votes, key=lambda label: votes[label]), 0.0
        return total
