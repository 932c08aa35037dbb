"""Compiled parts of the goodness of fit."""

import math

import numpy as np

from daisy_bluesky.classify._counts import Floats, Integers, Spectra
from daisy_bluesky.compilation import compiled

WINDOW = 1  # a spike is looked for in 2 * WINDOW + 1 channels
MIXING_STEPS = 8
FINE_MIXING_STEPS = 60
SPIKE_MARGIN = 1.25  # how far above the mean a line may honestly stand


@compiled
def mixture(binned: Floats, expected: Floats, best: int, steps: int) -> Floats:
    """Return the expectation (bins,) and weights (phases,) of the mixture that explains binned counts best, by EM.

    `expected` is (phases, bins), rows sum to 1; it starts from nine parts of phase `best`. One array holds both.
    """
    phases, bins = expected.shape
    weights = np.full(phases, 0.1 / max(phases - 1, 1))
    weights[best] = 0.9 if phases > 1 else 1.0
    total = max(binned.sum(), 1.0)
    blend, shares = np.zeros(bins), np.empty(phases)
    by_bin = expected.T.copy()
    for step in range(steps + 1):
        blend[:] = 1e-12
        for phase in range(phases):
            for k in range(bins):
                blend[k] += weights[phase] * expected[phase, k]
        if step < steps and phases > 1:
            shares[:] = 0.0
            for k in range(bins):
                for phase in range(phases):  # in the inner loop, as sums of their own are computed side by side
                    shares[phase] += binned[k] * by_bin[k, phase] / blend[k]
            for phase in range(phases):
                weights[phase] *= shares[phase] / total
    return np.concatenate((blend, weights))


@compiled
def mixture_evidence(binned: Floats, expected: Floats, best: int) -> float:
    """Return the log-likelihood, nats, of binned counts (bins,) under the best mixture of means (means, bins)."""
    blend = mixture(binned, expected, best, FINE_MIXING_STEPS)[: len(binned)]
    total = np.sum(blend)
    evidence = 0.0
    for k in range(len(binned)):
        evidence += binned[k] * math.log(blend[k] / total)
    return evidence


@compiled
def misfit_score(binned: Floats, blend: Floats, total: float, tolerance: float) -> float:
    """Return the normal deviate of the chi-square of binned counts, less what is let pass (Wilson and Hilferty)."""
    chi_square, filled = 0.0, 0
    for k in range(len(binned)):
        mean = total * blend[k]
        if blend[k] > 1e-9:
            chi_square += (binned[k] - mean) ** 2 / mean
            filled += 1
    freedom = max(filled - 1, 1)
    spread = 2.0 / (9.0 * freedom)
    excess = max(chi_square - tolerance * total, 0.0)
    score: float = ((excess / freedom) ** (1.0 / 3.0) - 1.0 + spread) / math.sqrt(spread)
    return score


@compiled
def spike_evidence(spectrum: Spectra, total: float, weights: Floats, windowed: Floats) -> float:
    """Return the largest Poisson log-likelihood ratio of more counts in a window than expected, less log(channels)."""
    channels = len(spectrum)
    largest = 0.0
    for channel in range(WINDOW, channels - WINDOW):
        if spectrum[channel] > 1:
            count = 0.0
            for near in range(channel - WINDOW, channel + WINDOW + 1):
                count += spectrum[near]
            mean = 0.0
            for phase in range(len(weights)):
                mean += weights[phase] * windowed[phase, channel]
            mean *= SPIKE_MARGIN * total
            if count > mean:
                largest = max(largest, count * math.log(count / mean) - count + mean)
    return largest - math.log(channels)


@compiled
def fit_statistics(
    spectra: Spectra,
    totals: Floats,
    projected: Floats,
    levels: Integers,
    bin_of: Integers,
    expected: Floats,
    windowed: Floats,
    tolerance: Floats,
) -> Floats:
    """Return (misfit, ill evidence, spike) of every spectrum, (n, 3)."""
    phases = windowed.shape[0]
    values = np.zeros((spectra.shape[0], 3))
    for row in range(spectra.shape[0]):
        if totals[row] == 0:
            continue
        best = int(np.argmax(projected[row, :phases]))
        binning, bins = bin_of[levels[row], best], 8 << levels[row]
        binned = np.zeros(bins)
        for channel in range(spectra.shape[1]):
            if spectra[row, channel] != 0:
                binned[binning[channel]] += spectra[row, channel]
        means = expected[levels[row], best, :, :bins].copy()
        fitted = mixture(binned, means, best, MIXING_STEPS)
        blend, weights = fitted[:bins], fitted[bins:]
        explained = projected[row, best]
        for k in range(bins):
            if binned[k] > 0:
                explained += binned[k] * math.log(blend[k] / (means[best, k] + 1e-12))
        values[row, 0] = misfit_score(binned, blend, totals[row], tolerance[best])
        values[row, 1] = np.max(projected[row, phases:]) - explained
        values[row, 2] = spike_evidence(spectra[row], totals[row], weights, windowed)
    return values
