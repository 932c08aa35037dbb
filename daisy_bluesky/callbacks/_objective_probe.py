"""The recommender of maps with several objectives."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.callbacks._intake import Intake
from daisy_bluesky.callbacks._next_probe import NextProbe
from daisy_bluesky.callbacks._objective_evidence import ObjectiveEvidence
from daisy_bluesky.callbacks._objective_intake import ObjectiveIntake
from daisy_bluesky.protocols import Labeller
from daisy_bluesky.sampling import PHASES, Objectives, reconstruct_noisy


class ObjectiveProbe(NextProbe):
    """Ask, after every event, for the next probe position of a map with several objectives.

    Parameters
    ----------
    policy : Objectives
        Decides where.
    labeller : Labeller
        Gives every spectrum a phase.
    evidence : ObjectiveEvidence
        Reads the objectives' fields from the events.
    **kwargs
        ``spectrum`` and ``position`` as for `NextProbe`.
    """

    policy: Objectives
    labeller: Labeller

    def __init__(self, policy: Objectives, labeller: Labeller, evidence: ObjectiveEvidence, **kwargs: Any) -> None:
        self._read = evidence
        super().__init__(policy, labeller, **kwargs)
        self._required |= evidence.keys

    def _make_intake(self) -> Intake:
        return ObjectiveIntake(self.policy, self.labeller, self._read)

    def _steer(self, data: Mapping[str, Any]) -> None:
        super()._steer(data)
        names = list(self.policy.weights)
        self.policy.weights = dict(zip(names, np.asarray(data["weights"]).tolist(), strict=True))

    def result(self) -> dict[str, NDArray[np.generic]]:
        """Return the map of every objective's field with its variance, and those of phases where they are one."""
        maps = super().result() if PHASES in self._read.names else {}
        for name in self._read.names:
            if name != PHASES and len(self.policy.measurements(name)[0]):
                image, variance = reconstruct_noisy(self.policy.shape, *self.policy.measurements(name))
                key = map_key(name)
                maps[key], maps[f"{key}_variance"] = image.astype(np.float32), variance.astype(np.float32)
        return maps


def map_key(name: str) -> str:
    """Return the data key under which the map of a line or edge is stored: ``"Ti_Ka_map"`` of ``"Ti Ka"``."""
    return f"{name.replace(' ', '_')}_map"
