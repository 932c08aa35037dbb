"""What becomes of visits in maps with several objectives: evidence of every objective's field."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.callbacks._intake import Labelling, Visits
from daisy_bluesky.callbacks._objective_evidence import ObjectiveEvidence
from daisy_bluesky.protocols import Labeller, Policy


class ObjectiveIntake(Labelling):
    """Gives every spectrum a label, and tells the policy what the events say of its fields."""

    def __init__(self, policy: Policy, labeller: Labeller, evidence: ObjectiveEvidence) -> None:
        super().__init__(policy, labeller)
        self._read = evidence
        self._found: dict[int, NDArray[np.float64]] = {}
        self._dwell: dict[int, float] = {}

    def _tell(self, visits: Visits, found: list[int]) -> None:
        evidence = []
        self._dwell.update(zip(visits.numbers, visits.dwell.tolist(), strict=True))
        for place, (visit, label) in enumerate(zip(visits.numbers, found, strict=True)):
            data = {key: values[place] for key, values in visits.data.items()}
            evidence.append(self._read(data, label))
            # a spectrum that was taken for a failed one may turn out to be of a phase nobody knew
            self._found[visit] = evidence[-1] if label else self._read(data, 1)
        self._policy.ingest(visits.pixels, np.concatenate(evidence), dwell=visits.dwell, visits=visits.numbers)

    def _tell_again(self, changed: Sequence[tuple[int, int]]) -> None:
        failed = np.full((1, len(self._read.names), 2), np.nan)
        evidence = [self._read.relabelled(self._found[visit], label) if label else failed for visit, label in changed]
        numbers = [visit for visit, _ in changed]
        self._policy.ingest(
            [self._pixels[visit] for visit in numbers],
            np.concatenate(evidence),
            dwell=[self._dwell[visit] for visit in numbers],
            visits=numbers,
        )
