"""Spectra drawn count by count, and the log-likelihoods they amount to: visits of a fraction of a count are honest."""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def draw_counts(
    kind: Integers, mean_counts: NDArray[np.float64], cumulative: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Integers, Integers]:
    """Return the counts of Poisson spectra.

    Parameters
    ----------
    kind : (n,) int64
        Which mean spectrum each comes from.
    mean_counts : (n,) float64
        Mean counts of each.
    cumulative : (kinds, channels) float64
        Cumulative mean spectra.
    rng : numpy.random.Generator
        Draws the number of counts of each spectrum, and the channel of each count.

    Returns
    -------
    spectrum, channel : (counts,) int64
        Which spectrum each count belongs to, and its channel.
    """
    spectrum = np.repeat(np.arange(len(kind)), rng.poisson(mean_counts))
    drawn, channel = rng.random(len(spectrum)), np.empty(len(spectrum), np.int64)
    for each in np.unique(kind):
        mine = kind[spectrum] == each
        channel[mine] = np.searchsorted(cumulative[each], drawn[mine] * cumulative[each, -1])
    return spectrum, channel


def draw_evidence(
    kind: Integers,
    mean_counts: NDArray[np.float64],
    cumulative: NDArray[np.float64],
    told: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the log-likelihoods of Poisson spectra, (n, phases), nats.

    Parameters
    ----------
    kind, mean_counts, cumulative, rng
        As for `draw_counts`.
    told : (channels, phases) float64
        What a count in each channel adds to the log-likelihoods, nats.
    """
    spectrum, channel = draw_counts(kind, mean_counts, cumulative, rng)
    evidence = np.empty((len(kind), told.shape[1]))
    for phase in range(told.shape[1]):
        evidence[:, phase] = np.bincount(spectrum, told[channel, phase], len(kind))
    return evidence
