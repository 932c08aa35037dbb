"""Whether spectra fit any phase at all: goodness of fit, ill alternatives and spikes."""

from typing import NamedTuple

import numpy as np

from daisy_bluesky.classify._counts import Floats, Spectra, project_counts, total_counts
from daisy_bluesky.classify._fit_kernels import WINDOW, fit_statistics
from daisy_bluesky.classify._ill_hypotheses import ill_hypotheses

RESOLUTIONS = (8, 16, 32, 64)  # bins; the more counts, the finer
COUNTS_PER_BIN = 6.0
TOLERANCE = 0.015  # chi-square per count between a spectrum's true mean and its phase's that is let pass
STATISTICS = ("misfit", "ill_evidence", "spike")


class FitStatistics(NamedTuple):
    """How spectra fit a set of phases.

    Attributes
    ----------
    log_likelihood : (n, phases) ndarray of float64
        In nats, up to a term all phases share.
    values : (n, 3) ndarray of float64
        `misfit`, standard normal deviate of the binned chi-square under the best mixture of phases;
        `ill_evidence`, log-likelihood ratio of the best ill hypothesis to that mixture, nats;
        `spike`, evidence for counts heaped in a few neighbouring channels, nats.
    totals : (n,) ndarray of float64
        Counts in each spectrum.
    let_pass : (n,) ndarray of float64
        Evidence against the best phase that its imperfect mean accounts for, nats.
    """

    log_likelihood: Floats
    values: Floats
    totals: Floats
    let_pass: Floats


class PhaseFit:
    """Statistics that are small for spectra of the phases, and of mixtures of them, and large for others.

    The chi-square is taken over bins in which the best phase expects equal counts, eight bins at 50 counts and 64 at
    500 and more, so that it keeps its meaning where nearly all channels are empty. A mean spectrum is never exactly
    that of the pixel (thickness, absorption, its own shot noise): a chi-square of `TOLERANCE` per count is let pass.

    Parameters
    ----------
    means : (phases, channels) ndarray of float64
        Mean spectra, positive, rows sum to 1.
    mean_counts : (phases,) ndarray of float64, optional
        Counts behind each mean: where they are few, its own shot noise is let pass too.
    """

    def __init__(self, means: Floats, mean_counts: Floats | None = None) -> None:
        self.means = means
        phases, channels = means.shape
        self._tolerance = np.full(phases, TOLERANCE)
        if mean_counts is not None:
            self._tolerance += RESOLUTIONS[-1] / np.maximum(mean_counts, 1.0)
        alternatives = ill_hypotheses(means)
        self._logarithms = np.ascontiguousarray(np.log(np.concatenate([means, alternatives])).T)
        self._bin_of = np.zeros((len(RESOLUTIONS), phases, channels), np.int64)
        self._expected = np.zeros((len(RESOLUTIONS), phases, phases, max(RESOLUTIONS)))
        for level, bins in enumerate(RESOLUTIONS):
            for phase, mean in enumerate(means):
                bin_of = np.minimum((np.cumsum(mean) - mean / 2) * bins, bins - 1).astype(np.int64)
                self._bin_of[level, phase] = bin_of
                for other in range(phases):
                    self._expected[level, phase, other, :bins] = np.bincount(bin_of, means[other], bins)
        window = np.ones(2 * WINDOW + 1)
        self._windowed = np.stack([np.convolve(mean, window, "same") for mean in means])

    def evaluate(self, spectra: Spectra) -> FitStatistics:
        """Return the statistics of spectra (n, channels), as `as_spectra` gives them; bits do not depend on n."""
        totals = total_counts(spectra)
        projected = project_counts(spectra, self._logarithms)
        phases = len(self.means)
        levels = np.searchsorted(COUNTS_PER_BIN * np.array(RESOLUTIONS[1:]), totals, side="right")
        values = fit_statistics(
            spectra, totals, projected, levels, self._bin_of, self._expected, self._windowed, self._tolerance
        )
        evidence = np.ascontiguousarray(projected[:, :phases])
        let_pass = totals * self._tolerance[np.argmax(evidence, axis=1)] / 2
        return FitStatistics(evidence, values, totals, let_pass)
