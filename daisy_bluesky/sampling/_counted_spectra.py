"""Spectra drawn count by count, as the log-likelihoods they amount to: visits of a fraction of a count are honest."""

import numpy as np
from numpy.typing import NDArray


def draw_evidence(
    kind: NDArray[np.int64],
    mean_counts: NDArray[np.float64],
    cumulative: NDArray[np.float64],
    told: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the log-likelihoods of Poisson spectra, (n, phases), nats.

    Parameters
    ----------
    kind : (n,) int64
        Which mean spectrum each comes from.
    mean_counts : (n,) float64
        Mean counts of each.
    cumulative : (kinds, channels) float64
        Cumulative mean spectra.
    told : (channels, phases) float64
        What a count in each channel adds to the log-likelihoods, nats.
    rng : numpy.random.Generator
        Draws the number of counts of each spectrum, and the channel of each count.
    """
    counts = rng.poisson(mean_counts)
    visit = np.repeat(np.arange(len(kind)), counts)
    drawn, evidence = rng.random(len(visit)), np.zeros((len(kind), told.shape[1]))
    for each in np.unique(kind):
        mine = kind[visit] == each
        channel = np.searchsorted(cumulative[each], drawn[mine] * cumulative[each, -1])
        for phase in range(told.shape[1]):
            evidence[:, phase] += np.bincount(visit[mine], told[channel, phase], len(kind))
    return evidence
