"""One decision from several signs that a spectrum is ill."""

import numpy as np
from scipy.stats import norm

from daisy_bluesky.classify._calibration import CountCurves
from daisy_bluesky.classify._counts import Floats, Spectra, as_spectra, bin_counts, even_bins
from daisy_bluesky.classify._ill_detector import BINS, IllSpectrumDetector
from daisy_bluesky.classify._ill_hypotheses import flat, gain_shifted, low_energy_lost, low_energy_noise
from daisy_bluesky.classify._phase_fit import TOLERANCE, FitStatistics, PhaseFit
from daisy_bluesky.classify._training_spectra import TrainingSpectra

DRAWS = 1000
ILL_DRAWS = 240
MOST_RAISED = 2.0  # how far above the good spectra's quantile the threshold may be raised
SPIKE_SHARE = 0.3


class IllDecision:
    """Joins the variance metric of the neural regression with the goodness of fit.

    Each sign is measured in units in which good spectra have median 0 and the stated false-alarm rate lies at 1, for
    each number of counts; the score is the largest. Where the clearest kinds of ill spectra lie far above the good
    ones, the threshold is raised half way towards them, at most to `MOST_RAISED` times: the false-alarm rate is a
    limit, kept at a few hundred counts and far undercut at thousands.

    Parameters
    ----------
    counts : (levels,) ndarray of float64
        Total counts at which the rest is known.
    medians, limits : (levels, 4) ndarray of float64
        For each sign: the good spectra's median and (1 - false-alarm rate) quantile.
    thresholds : (levels,) ndarray of float64
        Largest score of a good spectrum.
    """

    def __init__(self, counts: Floats, medians: Floats, limits: Floats, thresholds: Floats) -> None:
        self.counts, self.medians, self.limits, self.thresholds = counts, medians, limits, thresholds
        self._curves = CountCurves(counts, np.column_stack([thresholds, medians, limits]))

    @classmethod
    def calibrate(
        cls,
        fit: PhaseFit,
        detector: IllSpectrumDetector,
        held_out: TrainingSpectra,
        *,
        false_alarm_rate: float,
        rng: np.random.Generator,
    ) -> "IllDecision":
        """Return the decision whose false-alarm rate holds for spectra that were not used in training."""
        levels = held_out.levels()
        good = [_signs(fit, detector, held_out.draw_seen(np.full(DRAWS, level), rng)) for level in levels]
        ill = [_signs(fit, detector, draw_ill(held_out.means, np.full(ILL_DRAWS, level), rng)) for level in levels]
        medians = np.array([np.median(values, axis=0) for values in good])
        limits = np.array([np.quantile(values, 1 - false_alarm_rate, axis=0) for values in good])
        limits[:, 1:] = np.maximum(limits[:, 1:], _let_pass(levels, false_alarm_rate))
        decision = cls(levels, medians, limits, np.ones(len(levels)))
        thresholds = np.empty(len(levels))
        for at, (level, well, badly) in enumerate(zip(levels, good, ill, strict=True)):
            limit = float(np.quantile(decision.score(well, np.full(DRAWS, level)), 1 - false_alarm_rate))
            clear = float(np.quantile(decision.score(badly, np.full(ILL_DRAWS, level)), 0.02))
            thresholds[at] = max(limit, min(clear / 2, MOST_RAISED * limit))
        return cls(levels, medians, limits, thresholds)

    def score(self, signs: Floats, totals: Floats) -> Floats:
        """Return the largest sign, (n,), of signs (n, 4), in units of what good spectra reach; above 1 is ill."""
        curves = self._curves(totals)
        medians, limits = np.split(curves[:, 1:], 2, axis=1)
        scaled = (signs - medians) / np.maximum(limits - medians, 1e-12)
        return np.asarray(scaled.max(1) / curves[:, 0], np.float64)

    def excess(self, metric: Floats, statistics: FitStatistics) -> Floats:
        """Return by how much the score exceeds 1, (n,): above 0 is ill; an empty spectrum is ill without doubt."""
        totals = statistics.totals
        score = self.score(np.column_stack([metric, statistics.values]), totals)
        return np.where(totals > 0, score - 1.0, np.inf)


def _let_pass(counts: Floats, false_alarm_rate: float) -> Floats:
    """Return what misfit, ill evidence and spike may reach, (levels, 3), as no training mean is quite the pixel's."""
    evidence = TOLERANCE / 2 * counts
    return np.column_stack([np.full(len(counts), norm.isf(false_alarm_rate)), evidence, evidence])


def draw_ill(means: Floats, counts: Floats, rng: np.random.Generator) -> Spectra:
    """Return simulated ill spectra of clear kinds, (n, channels) uint32 with about `counts` (n,) counts.

    In turn: a spike, flat noise, low-energy part lost, low-energy noise, gain 6% too small and too large.
    """
    kinds = [_clear_kinds(mean) for mean in means]
    turn = np.arange(len(counts))
    shapes = np.stack(
        [kinds[phase][kind] for phase, kind in zip(rng.integers(len(means), size=len(turn)), turn % 6, strict=True)]
    )
    struck = turn[turn % 6 == 0]
    shapes[struck] *= 1.0 - SPIKE_SHARE
    shapes[struck, rng.integers(means.shape[1], size=len(struck))] += SPIKE_SHARE
    return np.asarray(rng.poisson(counts[:, None] * shapes), np.uint32)


def _clear_kinds(mean: Floats) -> Floats:
    """Return a mean spectrum (channels,), and what it becomes in five kinds of ill spectra, (6, channels)."""
    unlike = [flat(len(mean)), low_energy_lost(mean, 0.12), low_energy_noise(mean, 0.015)]
    return np.stack([mean, *unlike, *gain_shifted(mean, np.array([-0.06, 0.06]))])


def _signs(fit: PhaseFit, detector: IllSpectrumDetector, spectra: Spectra) -> Floats:
    counts = as_spectra(spectra)
    metric = detector.binned_metric(bin_counts(counts, *even_bins(counts.shape[1], BINS)))
    return np.column_stack([metric, fit.evaluate(counts).values])
