"""What visits have told about every pixel, and what follows from it for all of them."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._dose_checks import Evidence
from daisy_bluesky.sampling._dose_field import LEVELS, empty_dose_field, grown, kernel_costs
from daisy_bluesky.sampling._dose_ledger import DoseLedger, Findings
from daisy_bluesky.sampling._dose_update import NOTHING, observe_each
from daisy_bluesky.sampling._messages import couplings, sweep
from daisy_bluesky.sampling._prior_strength import FIRST, STRENGTHS, estimated_strength
from daisy_bluesky.sampling._visit_cost import VisitCost

UNKNOWN = -1
SWEEPS = 6
TOLERANCE = 1e-2
FAILURES = 2
FRAME_PART = 8  # visits to more than this part of the pixels are a frame: all is taken in before news spreads


class DoseKnowledge:
    """The evidence of all visits, and the belief in the phases of every pixel under a Potts prior.

    Parameters
    ----------
    limit : (rows, columns) float64
        Largest dwell time of each pixel, s; 0 where it must not be measured.
    inside : (rows, columns) bool
        Region of interest.
    phases : int
        Number of phases known at the start.
    cost : VisitCost
        What visits cost.
    seed : int
        Seed of where the lattices lie.

    Attributes
    ----------
    field : DoseField
        State of every pixel.
    channels : list of int
        The label each channel of the field stands for: 1... phases, -1 an unknown phase.
    ledger : DoseLedger
        What every named visit told.
    strength : float
        Strength of the spatial prior, nats per nearest neighbour of the same phase.
    visits : int
        How many visits count.
    """

    def __init__(
        self, limit: NDArray[np.float64], inside: NDArray[np.bool_], *, phases: int, cost: VisitCost, seed: int
    ) -> None:
        row, column = np.random.default_rng(seed).integers(0, 1 << (LEVELS - 1), 2).tolist()
        self.channels = list(range(1, max(phases, 1) + 1))
        self.field = empty_dose_field(limit.copy(), inside, len(self.channels), kernel_costs(cost), (row, column))
        self.ledger = DoseLedger(len(self.channels))
        self.strength = STRENGTHS[FIRST]
        self.field.coupling[:] = couplings(self.strength)
        self.visits = 0
        self._limit = limit
        self._allowed = np.ones(limit.shape, bool)
        self._shortest = cost.minimum_dwell
        self._least = np.zeros(limit.shape)
        self._failures = np.zeros(limit.shape, np.int64)

    @property
    def phases(self) -> int:
        """Number of phases, the unknown one not counted."""
        return sum(channel != UNKNOWN for channel in self.channels)

    @property
    def order(self) -> list[int]:
        """The channel of each phase."""
        known = [index for index, channel in enumerate(self.channels) if channel != UNKNOWN]
        return sorted(known, key=lambda index: self.channels[index])

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Pixels that were visited, failed spectra included, (rows, columns) bool."""
        return np.asarray((self.field.dwell > 0) | (self._failures > 0))

    def labels_of(self, belief: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the labels, (...) int64, of the leading phases of beliefs, (..., channels)."""
        return np.asarray(np.array(self.channels)[belief.argmax(axis=-1)])

    def unheard(self, evidence: Evidence) -> list[int]:
        """Return the labels that evidence speaks of and nobody has spoken of before, in order."""
        largest = evidence.shape[1] if evidence.ndim == 2 else int(evidence.max())
        new = list(range(self.phases + 1, largest + 1))
        unknown = evidence.ndim == 1 and UNKNOWN in evidence and UNKNOWN not in self.channels
        return [UNKNOWN, *new] if unknown else new

    def grow(self, label: int) -> None:
        """Add a phase of which no visit so far knew: it counts as their least likely one."""
        self.channels.append(label)
        self.field = grown(self.field, self._least)
        self.ledger.grow()
        sweep(self.field, SWEEPS, TOLERANCE)

    def allow(self, allowed: NDArray[np.bool_]) -> None:
        """Leave room for visits only where it is allowed, (rows, columns) bool, and not given up."""
        self._allowed = allowed
        self._close()

    def _close(self) -> None:
        self.field.limit[:] = np.where(self._allowed & (self._failures < FAILURES), self._limit, 0.0)

    def add(self, findings: Findings, sign: int = 1) -> bool:
        """Add visits, or with sign -1 take them out again; return whether they were so many that they make a frame."""
        visit, corner = np.nonzero(findings.share)
        weight = sign * findings.share[visit, corner]
        places = findings.places[visit, corner]
        at = (places[:, 0], places[:, 1])
        told, times = findings.told[visit] * weight[:, None], findings.dwell[visit] * weight
        np.add.at(self._least, at, findings.least[visit] * weight)
        if findings.failed.any():
            failed = places[findings.failed[visit]]
            np.add.at(self._failures, (failed[:, 0], failed[:, 1]), sign)
            self._close()
        self.visits += sign * len(findings.dwell)
        if len(times) * FRAME_PART < self.field.inside.size:
            observe_each(self.field, places, told, times)
            return False
        np.add.at(self.field.evidence, at, told)
        np.add.at(self.field.dwell, at, times)
        self.field.dwell[self.field.dwell < NOTHING * self._shortest] = 0.0
        sweep(self.field, SWEEPS, TOLERANCE)
        return True

    def expect(self, log_prior: NDArray[np.float32]) -> bool:
        """Expect channels, (rows, columns, channels) nats, before any visit; return whether that is anything new."""
        if np.array_equal(log_prior, self.field.expected):
            return False
        self.field.expected[:] = log_prior
        sweep(self.field, SWEEPS, TOLERANCE)
        return True

    def estimate_strength(self) -> None:
        """Estimate anew how strong the spatial prior is."""
        strength = estimated_strength(self.field, self.strength)
        if strength != self.strength:
            self.strength = strength
            self.field.coupling[:] = couplings(strength)
            sweep(self.field, SWEEPS, TOLERANCE)

    def map_anew(self) -> NDArray[np.int64]:
        """Return the map from all evidence, as if all of it had come at once, (rows, columns) int64."""
        field = self.field._replace(messages=np.ones_like(self.field.messages), belief=self.field.belief.copy())
        sweep(field._replace(coupling=couplings(estimated_strength(field, self.strength))), SWEEPS, TOLERANCE)
        return self.labels_of(field.belief)
