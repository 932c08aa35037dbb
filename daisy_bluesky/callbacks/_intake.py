"""What becomes of a visit's spectrum: a label for the policy, or evidence."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.callbacks._weighing import weigh
from daisy_bluesky.classify import PooledLabeller
from daisy_bluesky.protocols import Labeller, Policy
from daisy_bluesky.sampling import DoseAllocator

Pixel = tuple[int, int]


class Intake(Protocol):
    """Takes visits in."""

    def take(self, visit: int, pixel: Pixel, spectrum: NDArray[Any], dwell: float) -> tuple[int, int]:
        """Return the label of a visit, and how many earlier ones have another label since."""
        ...

    @property
    def labels(self) -> dict[int, int]:
        """What each visit is taken for by now: 0 failed, 1..L phase, -1 unknown."""
        ...


class Labelling:
    """Gives every spectrum a label, and tells the policy labels."""

    def __init__(self, policy: Policy, labeller: Labeller) -> None:
        self._policy, self._labeller = policy, labeller
        self._pixels: dict[int, Pixel] = {}
        self.labels: dict[int, int] = {}

    def take(self, visit: int, pixel: Pixel, spectrum: NDArray[Any], dwell: float) -> tuple[int, int]:
        """Label a spectrum, and the earlier ones that look otherwise since."""
        self._pixels[visit] = pixel
        self.labels[visit] = self._labeller.label(visit, spectrum)
        self._policy.ingest((pixel,), (self.labels[visit],), dwell=(dwell,), visits=(visit,))
        changed = self._labeller.relabelled()
        if changed:
            self.labels.update(changed)
            visits, labels = zip(*changed, strict=True)
            self._policy.ingest([self._pixels[each] for each in visits], labels, visits=visits)
        return self.labels[visit], len(changed)


class Weighing:
    """Pools spectra of a few counts, and tells the policy log-likelihoods."""

    def __init__(self, policy: DoseAllocator, labeller: PooledLabeller) -> None:
        self._policy, self._labeller = policy, labeller

    def take(self, visit: int, pixel: Pixel, spectrum: NDArray[Any], dwell: float) -> tuple[int, int]:
        """Weigh a spectrum, and all earlier ones where there are more phases to weigh them against."""
        phases = len(self._labeller.phases)
        (found,) = weigh(self._labeller, self._policy, [visit], [pixel], spectrum[None], [dwell]).tolist()
        if len(self._labeller.phases) == phases:
            return found, 0
        return found, sum(label > phases for label in self.labels.values())

    @property
    def labels(self) -> dict[int, int]:
        """What the pixel of each visit is taken for by now."""
        return self._labeller.labels


def intake(policy: Policy, labeller: Labeller | PooledLabeller) -> Intake:
    """Return how visits are taken in: weighed where the labeller pools spectra.

    Raises
    ------
    TypeError
        If spectra are to be weighed for a policy that takes labels only.
    """
    if not isinstance(labeller, PooledLabeller):
        return Labelling(policy, labeller)
    if not isinstance(policy, DoseAllocator):
        raise TypeError(f"a PooledLabeller weighs spectra for a DoseAllocator, not for a {type(policy).__name__}")
    return Weighing(policy, labeller)


def in_order(labels: dict[int, int]) -> NDArray[np.int16]:
    """Return labels in the order of the visits, (visits,) int16."""
    return np.array([labels[visit] for visit in sorted(labels)], np.int16)
