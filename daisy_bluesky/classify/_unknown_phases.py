"""Spectra that fit no phase: kept, clustered, and offered as a phase once there is enough evidence."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from daisy_bluesky.classify._counts import Floats, Singles
from daisy_bluesky.classify._spectrum_evidence import joining_evidence

BINS = 128  # about as wide as a line
LEAST_SPECTRA = 6
LEAST_COUNTS = 300.0
CERTAINTY = 10.0  # nats by which a mean of its own must explain a cluster better than anything known
MOST_CLUSTERS = 24
MODEL_ERROR = 0.02  # nats per count that a known mean spectrum may be wrong by
ILL, UNKNOWN = 0, -1


class Explanation(NamedTuple):
    """What of the known explains counts best.

    Attributes
    ----------
    label : int
        A discovered phase; 0 something ill, as spectra of a trained phase are told by its classifier.
    doubt : float
        By how many nats an unknown mean spectrum explains the counts better.
    """

    label: int
    doubt: float


@dataclass(eq=False)
class Cluster:
    """Spectra that seem to share one mean spectrum.

    Attributes
    ----------
    sums : (bins,) ndarray of float64
        Summed counts.
    members : list of int
        Numbers of the spectra.
    label : int
        0 while something ill explains them, 1..L while a phase does, -1 when they are of an unknown phase.
    """

    sums: Floats
    members: list[int] = field(default_factory=list)
    label: int = UNKNOWN


class UnknownPhases:
    """Clusters the spectra that fit no phase by the evidence that they share a mean spectrum.

    Poisson spectra of few counts are never close in the Euclidean sense: what decides is the ratio of the likelihood
    of one shared mean spectrum to that of two, each averaged over all the means there could be. A cluster that a known
    kind of ill spectrum explains as well as a mean of its own stays ill, however often it recurs.
    """

    def __init__(self) -> None:
        self.clusters: list[Cluster] = []

    def add(self, number: int, binned: Singles) -> Cluster:
        """Put a spectrum, by its number and its counts (bins,), into the cluster it fits best, or a new one."""
        counts = binned.astype(np.float64)
        best = self._nearest(counts)
        if best is None:
            best = Cluster(np.zeros(len(counts)))
            self.clusters.append(best)
        best.members.append(number)
        best.sums += counts
        self._merge(best)
        if len(self.clusters) > MOST_CLUSTERS:
            least = min((c for c in self.clusters if c is not best), key=lambda c: len(c.members))
            self.clusters.remove(least)
        return best

    def remove(self, number: int, binned: Singles) -> None:
        """Take a spectrum out again, by its number and its counts (bins,); nothing happens when it is not here."""
        for cluster in self.clusters:
            if number in cluster.members:
                cluster.members.remove(number)
                cluster.sums -= binned
        self.clusters = [cluster for cluster in self.clusters if cluster.members]

    @staticmethod
    def judge(cluster: Cluster, explanation: Explanation) -> bool:
        """Give a cluster its label, and return whether it is sure enough to be a phase of its own.

        Parameters
        ----------
        cluster : Cluster
        explanation : Explanation
            What of the known explains the cluster's counts best.
        """
        cluster.label = UNKNOWN if explanation.doubt > 0 else explanation.label
        enough = len(cluster.members) >= LEAST_SPECTRA and cluster.sums.sum() >= LEAST_COUNTS
        return bool(enough and explanation.doubt > CERTAINTY)

    def _nearest(self, counts: Floats) -> Cluster | None:
        if not self.clusters:
            return None
        odds = joining_evidence(np.stack([cluster.sums for cluster in self.clusters]), counts)
        odds += np.log([len(cluster.members) for cluster in self.clusters])
        best = int(np.argmax(odds))
        return self.clusters[best] if odds[best] > 0 else None

    def _merge(self, changed: Cluster) -> None:
        others = [cluster for cluster in self.clusters if cluster is not changed]
        if not others:
            return
        odds = joining_evidence(np.stack([cluster.sums for cluster in others]), changed.sums)
        best = int(np.argmax(odds))
        if odds[best] > 0:
            changed.members += others[best].members
            changed.sums += others[best].sums
            self.clusters.remove(others[best])
