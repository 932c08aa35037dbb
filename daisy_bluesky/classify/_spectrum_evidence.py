"""Evidence that spectra share one unknown mean spectrum."""

import math

import numpy as np

from daisy_bluesky.classify._counts import Floats
from daisy_bluesky.compilation import compiled

DEPARTURES = (20.0, 60.0)  # counts that an expectation is worth where spectra may depart from it
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


@compiled
def departure(counts: Floats, expected: Floats) -> float:
    """Return by how many nats counts (bins,) are better explained by a mean spectrum that departs from an expectation.

    The multinomial likelihood averaged over Dirichlet priors about `expected` (bins,), which sums to 1, against that of
    `expected` itself: lines where none were expected tell much, and no evidence is lost on what is as expected.
    """
    total, known = counts.sum(), 0.0
    for k in range(len(counts)):
        if counts[k] > 0:
            known += counts[k] * math.log(expected[k])
    evidence = 0.0
    for strength in DEPARTURES:
        averaged = math.lgamma(strength) - math.lgamma(strength + total) - known
        for k in range(len(counts)):
            if counts[k] > 0:
                averaged += math.lgamma(strength * expected[k] + counts[k]) - math.lgamma(strength * expected[k])
        evidence = max(evidence, averaged - math.log(len(DEPARTURES)))
    return evidence
