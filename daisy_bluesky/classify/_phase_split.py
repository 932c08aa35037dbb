"""Whether the spectra of one phase are in truth those of two."""

from collections.abc import Iterator

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
POWER_STEPS = 200


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
    fits = [_two_means(binned, mean, tilt * sign, share) for sign in (1.0, -1.0) for share in (0.5, 0.1)]
    means, shares, gain = max(fits, key=lambda fit: fit[2])
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


def _two_means(binned: Singles, mean: Floats, tilt: Floats, share: float) -> tuple[Floats, Floats, float]:
    """Fit two means to all spectra; the gain is what those of one half give on the other, both ways, in nats."""
    started = np.stack([mean, np.maximum(mean * (1.0 + tilt / np.sqrt(share)), 0.05 * mean)])
    started /= started.sum(1, keepdims=True)
    shares = np.array([1.0 - share, share])
    gain = 0.0
    for turn in (0, 1):
        fitted, weights = expectation_maximisation(binned[turn::2], started, shares, EM_STEPS)
        other = binned[1 - turn :: 2]
        gain += mixture_gain(other, fitted, weights, _mean(binned[turn::2]))
    means, weights = expectation_maximisation(binned, started, shares, EM_STEPS)
    return means, weights, gain


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
        product = np.zeros(bins)
        for j in range(bins):
            product += moments[j] * vector[j]
        largest = np.sum(product * vector) / np.sum(vector * vector)
        product += shift * vector
        vector = product / np.sqrt(np.sum(product * product))
    return vector, largest


@compiled
def posterior(binned: Singles, means: Floats, shares: Floats) -> Floats:
    """Return the probability that each spectrum (n, bins) is of the second of two means (2, bins)."""
    ratio = np.log(means[1]) - np.log(means[0])
    odds = np.log(shares[1]) - np.log(shares[0])
    second = np.empty(binned.shape[0])
    for row in range(binned.shape[0]):
        evidence = odds
        for k in range(binned.shape[1]):
            evidence += binned[row, k] * ratio[k]
        second[row] = 1.0 / (1.0 + np.exp(-min(max(evidence, -50.0), 50.0)))
    return second


@compiled
def expectation_maximisation(binned: Singles, means: Floats, shares: Floats, steps: int) -> tuple[Floats, Floats]:
    """Return two mean spectra (2, bins) and their shares (2,) after some steps from a start."""
    rows, bins = binned.shape
    for _ in range(steps):
        second = posterior(binned, means, shares)
        sums = np.full((2, bins), 0.5)
        for row in range(rows):
            for k in range(bins):
                count = binned[row, k]
                sums[1, k] += second[row] * count
                sums[0, k] += (1.0 - second[row]) * count
        means = np.empty((2, bins))
        for component in range(2):
            means[component] = sums[component] / np.sum(sums[component])
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
