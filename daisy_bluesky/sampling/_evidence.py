"""What every visit found, so that a visit can be replaced and visits to one pixel add up."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

Place = tuple[int, int]
Finding = int | NDArray[np.float64]

# A label given as such beside log-likelihoods from other visits counts as so many nats in its favour.
CERTAINTY = 20.0


class VisitLedger:
    """Findings by visit and by place.

    A finding is a label (-1 unknown phase, 0 failed spectrum, 1... phases) or log-likelihoods, (phases,) float64, nats.
    """

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}
        self._findings: dict[Place, dict[int, Finding]] = {}
        self._unnamed = 0

    def __len__(self) -> int:
        """Return the number of visits."""
        return len(self._places)

    def name(self) -> int:
        """Return a visit id for a visit that came without one; negative, so that it meets no other."""
        self._unnamed -= 1
        return self._unnamed

    def record(self, visit: int, place: Place, finding: Finding) -> Place | None:
        """Take in a visit; one seen before is replaced.

        Parameters
        ----------
        visit : int
            Visit id.
        place : tuple of int
            (row, column), pixels.
        finding : int or (phases,) float64
            Label, or log-likelihoods.

        Returns
        -------
        tuple of int or None
            Where the visit had been before, if that was another place.
        """
        before = self._places.get(visit)
        self._places[visit] = place
        if before is not None and before != place:
            del self._findings[before][visit]
            if not self._findings[before]:
                del self._findings[before]
        self._findings.setdefault(place, {})[visit] = finding
        return before if before != place else None

    def visited(self, place: Place) -> bool:
        """Tell whether any visit went there."""
        return place in self._findings

    def places(self) -> list[Place]:
        """Return every visited place."""
        return list(self._findings)

    def uncertain_places(self) -> list[Place]:
        """Return the places of which log-likelihoods are known."""
        return [
            place
            for place, findings in self._findings.items()
            if any(not isinstance(finding, int) for finding in findings.values())
        ]

    def label(self, place: Place) -> int:
        """Return the label that a place's visits amount to.

        With log-likelihoods the phase of the largest sum, otherwise the label most visits gave, of equals that of the
        latest visit; 0 where nothing valid was found.
        """
        findings = self._findings.get(place, {})
        if len(findings) == 1:
            (only,) = findings.values()
            return only if isinstance(only, int) else int(np.argmax(only)) + 1
        if any(not isinstance(finding, int) for finding in findings.values()):
            return int(np.argmax(self.log_likelihood(place))) + 1
        votes = Counter(findings[visit] for visit in sorted(findings, reverse=True) if findings[visit] != 0)
        return int(max(votes, key=lambda label: votes[label])) if votes else 0

    def log_likelihood(self, place: Place) -> NDArray[np.float64]:
        """Return the summed log-likelihoods of a place's visits, (phases,) float64, nats.

        A visit that knew fewer phases counts for the others as for its least likely one.
        """
        findings = self._findings.get(place, {}).values()
        phases = max((finding if isinstance(finding, int) else len(finding) for finding in findings), default=0)
        total = np.zeros(max(phases, 1))
        for finding in findings:
            if not isinstance(finding, int):
                total[: len(finding)] += finding
                total[len(finding) :] += finding.min()
            elif finding > 0:
                total[finding - 1] += CERTAINTY
        return total
