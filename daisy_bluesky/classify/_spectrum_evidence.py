"""Evidence that spectra share one unknown mean spectrum."""

import math

import numpy as np

from daisy_bluesky.classify._counts import Floats
from daisy_bluesky.compilation import compiled

PRIOR = 0.3  # counts per bin: spectra are a little peakier than Jeffreys' 0.5 has it


@compiled
def log_evidence(counts: Floats) -> float:
    """Return the log-probability, nats, of binned counts (bins,) whose mean spectrum is unknown.

    The multinomial likelihood averaged over a Dirichlet prior of the mean, less the term that does not depend
    on the mean; so it compares with ``sum(counts * log(mean))`` of a mean that is known.
    """
    prior = PRIOR * len(counts)
    total = 0.0
    evidence = 0.0
    for count in counts:
        if count > 0:
            evidence += math.lgamma(PRIOR + count) - math.lgamma(PRIOR)
            total += count
    result: float = evidence + math.lgamma(prior) - math.lgamma(prior + total)
    return result


@compiled
def joining_evidence(sums: Floats, counts: Floats) -> Floats:
    """Return, for each cluster, the log-odds that counts (bins,) share its mean against having one of their own.

    `sums` (clusters, bins) are the clusters' summed counts.
    """
    alone = log_evidence(counts)
    odds = np.empty(len(sums))
    for cluster in range(len(sums)):
        odds[cluster] = log_evidence(sums[cluster] + counts) - log_evidence(sums[cluster]) - alone
    return odds
