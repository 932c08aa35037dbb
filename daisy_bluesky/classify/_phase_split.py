"""Whether the spectra of one phase are in truth those of two."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.classify._counts import Floats, Singles
from daisy_bluesky.compilation import compiled

LEAST_CONTRAST = 0.04  # chi-square per count between two phases: about a quarter in the strength of every line
TELLING = 3.0  # chi-square that one spectrum of usual counts must show between two phases
LEAST_GAIN = 12.0  # nats on the half of the spectra that the two means were not fitted to
NOISE_EDGE = 1.5  # how far beyond the largest eigenvalue of pure Poisson noise
LEAST_COUNTS = 300.0
LEAST_SPECTRA = 6
DIRECTIONS = 3
EM_STEPS = 25
SCREENING_STEPS = 8
POWER_STEPS = 200

Mixture = tuple[Floats, Floats]  # means (2, bins) and shares (2,)


def splits(binned: Singles) -> Iterator[NDArray[np.bool_]]:
    """Propose which spectra of a phase are in truth those of a second one, the clearest proposal first.

    Spectra of one phase scatter about their mean by Poisson noise alone. What they scatter beyond it has leading
    directions, even when each spectrum holds a few dozen counts only; from there, a mixture of two mean spectra is
    fitted by expectation maximisation. It is proposed when half of the spectra predict the other half better by it,
    and when one spectrum is enough to tell the two apart.

    Parameters
    ----------
    binned : (n, bins) ndarray of float32
        Counts, in bins of about equal expectation.

    Yields
    ------
    (n,) ndarray of bool
        The spectra of the second phase, the smaller one.
    """
    totals = binned.sum(1, dtype=np.float64)
    mean = _mean(binned)
    pairs = max(float(np.sum(totals * (totals - 1.0))), 1.0)
    moments = scatter_beyond_noise(binned, mean)
    for _ in range(DIRECTIONS):
        direction, excess = leading_direction(moments)
        if excess < NOISE_EDGE * 2.0 * np.sqrt(len(mean) * pairs):
            return
        proposal = _propose(binned, mean, direction / np.sqrt(mean) * np.sqrt(excess / pairs))
        if proposal is not None:
            yield proposal
        moments -= excess * np.outer(direction, direction)


def _propose(binned: Singles, mean: Floats, tilt: Floats) -> NDArray[np.bool_] | None:
    """Return the spectra of a second phase whose mean leans from the first's along a tilt (bins,), if there is one."""
    totals = binned.sum(1, dtype=np.float64)
    means, shares, gain = _best_fit(binned, _starts(mean, tilt))
    usual = float(np.sum(totals**2) / max(totals.sum(), 1.0))
    if gain < LEAST_GAIN or contrast(*means) < max(LEAST_CONTRAST, TELLING / max(usual, 1.0)):
        return None
    second = posterior(binned, means, shares) > 0.5
    if second.sum() > len(second) / 2:
        second = ~second
    enough = second.sum() >= LEAST_SPECTRA and totals[second].sum() >= LEAST_COUNTS
    return second if enough else None


def contrast(first: Floats, second: Floats) -> float:
    """Return the symmetric chi-square per count between two mean spectra (bins,) that sum to 1."""
    return float(np.sum((first - second) ** 2 / np.maximum(first + second, 1e-12)))


def _mean(binned: Singles) -> Floats:
    sums = binned.sum(0, dtype=np.float64) + 0.5
    return np.asarray(sums / sums.sum(), np.float64)


def _starts(mean: Floats, tilt: Floats) -> list[Mixture]:
    """Return mixtures of the mean (bins,) and one that leans from it, either way, as half or a tenth of the spectra."""
    starts = []
    for sign, share in product((1.0, -1.0), (0.5, 0.1)):
        means = np.stack([mean, np.maximum(mean * (1.0 + sign * tilt / np.sqrt(share)), 0.05 * mean)])
        starts.append((means / means.sum(1, keepdims=True), np.array([1.0 - share, share])))
    return starts


def _best_fit(binned: Singles, starts: list[Mixture]) -> tuple[Floats, Floats, float]:
    """Return means and shares fitted to all spectra from the best start, and its gain.

    The gain is what a mixture fitted to one half of the spectra gives on the other, both ways, in nats. A few steps
    tell which start is the best; only that one is followed further.
    """
    halves = [np.ascontiguousarray(binned[turn::2]) for turn in (0, 1)]
    screened = [[expectation_maximisation(half, *start, SCREENING_STEPS) for half in halves] for start in starts]
    best = int(np.argmax([_gain(halves, fits) for fits in screened]))
    rest = EM_STEPS - SCREENING_STEPS
    fits = [expectation_maximisation(half, *fit, rest) for half, fit in zip(halves, screened[best], strict=True)]
    means, shares = expectation_maximisation(binned, *starts[best], EM_STEPS)
    return means, shares, _gain(halves, fits)


def _gain(halves: list[Singles], fits: list[Mixture]) -> float:
    return sum(mixture_gain(halves[1 - turn], *fits[turn], _mean(halves[turn])) for turn in (0, 1))


@compiled
def scatter_beyond_noise(binned: Singles, mean: Floats) -> Floats:
    """Return how counts (n, bins) scatter about a mean (bins,) beyond Poisson noise, (bins, bins).

    The sum over spectra of the factorial second moments less those of a single mean, in units of the square root of
    the mean: free of Poisson noise on average, whatever the counts.
    """
    rows, bins = binned.shape
    moments = np.zeros((bins, bins))
    pairs = 0.0
    for row in range(rows):
        total = np.sum(binned[row].astype(np.float64))
        pairs += total * (total - 1.0)
        for j in range(bins):
            count = binned[row, j]
            if count > 0:
                moments[j, j] -= count
                for k in range(bins):
                    moments[j, k] += count * binned[row, k]
    root = np.sqrt(mean)
    for j in range(bins):
        for k in range(bins):
            moments[j, k] = moments[j, k] / (root[j] * root[k]) - pairs * root[j] * root[k]
    return moments


@compiled
def leading_direction(moments: Floats) -> tuple[Floats, float]:
    """Return the eigenvector (bins,) of the largest eigenvalue of a symmetric matrix, and that value."""
    bins = len(moments)
    shift = 0.0
    for j in range(bins):
        shift = max(shift, 0.1 * np.sum(np.abs(moments[j])))
    vector = np.cos(np.arange(bins) * 2.399963)
    largest = 0.0
    for _ in range(POWER_STEPS):
        turned = np.zeros(bins)
        for j in range(bins):
            for k in range(bins):
                turned[k] += moments[j, k] * vector[j]
        largest = np.sum(turned * vector) / np.sum(vector * vector)
        turned += shift * vector
        vector = turned / np.sqrt(np.sum(turned * turned))
    return vector, largest


@compiled
def posterior(binned: Singles, means: Floats, shares: Floats) -> Floats:
    """Return the probability that each spectrum (n, bins) is of the second of two means (2, bins)."""
    return _second(np.ascontiguousarray(binned.T), means, shares)


@compiled
def _second(by_bin: Singles, means: Floats, shares: Floats) -> Floats:
    """Do the same for counts by bin, (bins, n), over which the additions run in vectors."""
    ratio = np.log(means[1]) - np.log(means[0])
    evidence = np.full(by_bin.shape[1], np.log(shares[1]) - np.log(shares[0]))
    for k in range(by_bin.shape[0]):
        for row in range(by_bin.shape[1]):
            evidence[row] += by_bin[k, row] * ratio[k]
    for row in range(by_bin.shape[1]):
        evidence[row] = 1.0 / (1.0 + np.exp(-min(max(evidence[row], -50.0), 50.0)))
    return evidence


@compiled
def expectation_maximisation(binned: Singles, means: Floats, shares: Floats, steps: int) -> tuple[Floats, Floats]:
    """Return two mean spectra (2, bins) and their shares (2,) after some steps from a start."""
    rows, bins = binned.shape
    by_bin = np.ascontiguousarray(binned.T)
    for _ in range(steps):
        second = _second(by_bin, means, shares)
        of_first, of_second = np.full(bins, 0.5), np.full(bins, 0.5)
        for row in range(rows):
            weight = second[row]
            for k in range(bins):
                of_second[k] += weight * binned[row, k]
                of_first[k] += (1.0 - weight) * binned[row, k]
        means = np.empty((2, bins))
        means[0] = of_first / np.sum(of_first)
        means[1] = of_second / np.sum(of_second)
        share = min(max(np.sum(second) / rows, 1e-4), 1.0 - 1e-4)
        shares = np.array([1.0 - share, share])
    return means, shares


@compiled
def mixture_gain(binned: Singles, means: Floats, shares: Floats, alone: Floats) -> float:
    """Return by how many nats a mixture of two means explains spectra (n, bins) better than one mean `alone`."""
    ratios = np.log(means) - np.log(alone)
    gain = 0.0
    for row in range(binned.shape[0]):
        first, second = np.log(shares[0]), np.log(shares[1])
        for k in range(binned.shape[1]):
            first += binned[row, k] * ratios[0, k]
            second += binned[row, k] * ratios[1, k]
        larger = max(first, second)
        gain += larger + np.log(np.exp(first - larger) + np.exp(second - larger))
    return gain
