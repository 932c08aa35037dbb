"""What becomes of the spectra of visits: labels for the policy, or evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.protocols import Labeller, Policy


@dataclass(frozen=True)
class Visits:
    """Visits as their events tell of them.

    Attributes
    ----------
    numbers : list of int
        Visit ids, counted over continued runs.
    pixels : list of (int, int)
        Where they were, (row, column).
    spectra : (n, channels) array
        Counts.
    dwell : (n,) float64
        Dwell times, s; nan where the events tell none.
    data : mapping of str to sequence
        All that was measured, by data key.
    """

    numbers: list[int]
    pixels: list[tuple[int, int]]
    spectra: NDArray[Any]
    dwell: NDArray[np.float64]
    data: Mapping[str, Sequence[Any]]


class Intake(Protocol):
    """Takes visits in."""

    def take(self, visits: Visits) -> tuple[list[int], int]:
        """Return the label of each visit, and how many earlier ones have another label since."""
        ...

    @property
    def labels(self) -> dict[int, int]:
        """What each visit is taken for by now: 0 failed, 1..L phase, -1 unknown."""
        ...


class Labelling:
    """Gives every spectrum a label, and tells the policy labels."""

    def __init__(self, policy: Policy, labeller: Labeller) -> None:
        self._policy, self._labeller = policy, labeller
        self._pixels: dict[int, tuple[int, int]] = {}
        self.labels: dict[int, int] = {}

    def take(self, visits: Visits) -> tuple[list[int], int]:
        """Label spectra, and the earlier ones that look otherwise since."""
        if len(visits.numbers) == 1:
            found = [self._labeller.label(visits.numbers[0], visits.spectra[0])]
        else:
            found = self._labeller.label_batch(visits.numbers, visits.spectra).tolist()
        self._pixels.update(zip(visits.numbers, visits.pixels, strict=True))
        self.labels.update(zip(visits.numbers, found, strict=True))
        self._tell(visits, found)
        changed = self._labeller.relabelled()
        if changed:
            self.labels.update(changed)
            self._tell_again(changed)
        return found, len(changed)

    def _tell(self, visits: Visits, found: list[int]) -> None:
        self._policy.ingest(visits.pixels, found, dwell=visits.dwell, visits=visits.numbers)

    def _tell_again(self, changed: Sequence[tuple[int, int]]) -> None:
        numbers, labels = zip(*changed, strict=True)
        self._policy.ingest([self._pixels[each] for each in numbers], labels, visits=numbers)


def in_order(labels: dict[int, int]) -> NDArray[np.int16]:
    """Return labels in the order of the visits, (visits,) int16."""
    return np.array([labels[visit] for visit in sorted(labels)], np.int16)
