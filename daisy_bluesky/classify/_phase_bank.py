"""The phases known at one moment of a run: those trained, and those discovered since."""

from copy import copy

import numpy as np

from daisy_bluesky.classify._counts import Floats, Integers, Spectra, even_bins, total_counts
from daisy_bluesky.classify._fit_kernels import FINE_MIXING_STEPS, mixture, mixture_evidence
from daisy_bluesky.classify._ill_hypotheses import FINE_GAINS, flat, ill_components
from daisy_bluesky.classify._likelihood import PhaseLikelihood, smoothed_means
from daisy_bluesky.classify._phase_classifier import PhaseClassifier
from daisy_bluesky.classify._phase_fit import PhaseFit
from daisy_bluesky.classify._spectrum_evidence import departure, joining_evidence, log_evidence
from daisy_bluesky.classify._spectrum_store import SpectrumStore
from daisy_bluesky.classify._unknown_phases import BINS, CERTAINTY, ILL, MODEL_ERROR, Explanation

NO_FIT = -1
PLACE_GAIN = 0.03
AS_COUNTED = 0.01  # of the counts, spread evenly, so that no bin is impossible
LIMITS = np.array([3.1, 7.0, 5.0])  # of misfit, ill evidence and spike: about one good spectrum in a thousand


class PhaseBank:
    """Tells whether spectra fit a trained or a discovered phase, and which.

    Parameters
    ----------
    classifier : PhaseClassifier or None
        The phases known beforehand.
    channels : int
        Number of energy channels.

    Attributes
    ----------
    phases : list of str
        Names; discovered phases follow the trained ones.
    trained : int
        Number of phases known beforehand.
    """

    def __init__(self, classifier: PhaseClassifier | None, channels: int) -> None:
        self.channels = channels
        self.phases = list(classifier.phases) if classifier else []
        self.trained = len(self.phases)
        self._classifier = classifier
        self._fixed = classifier.likelihood.means if classifier else np.zeros((0, channels))
        self._fit: PhaseFit | None = None
        self.bin_of, self.bins = even_bins(channels, BINS)
        self.means = self._fixed
        self._known: Floats | None = None
        self._sums = np.zeros((0, self.bins))
        self._abundance = np.zeros(len(self.phases))

    @property
    def discovered(self) -> int:
        """Number of phases discovered in this run."""
        return len(self.phases) - self.trained

    def discover(self) -> int:
        """Make room for one more phase and return its label; `refresh` gives it its mean spectrum."""
        number = len(self.phases) + 1
        while f"phase {number}" in self.phases:
            number += 1
        self.phases.append(f"phase {number}")
        return len(self.phases)

    def refresh(self, sums: Floats, visits: Integers) -> None:
        """Take in what the phases' spectra sum up to.

        Parameters
        ----------
        sums : (phases, channels) ndarray of float64
            Summed counts, from which the discovered phases get their mean spectra.
        visits : (phases,) ndarray of int
            Number of spectra, which weighs where a few counts leave open what discovered phases they are of.
        """
        found = sums[self.trained :]
        self.means = np.concatenate([self._fixed, smoothed_means(found)]) if len(found) else self._fixed
        counts = np.concatenate([np.full(self.trained, np.inf), found.sum(1)])
        self._fit = PhaseFit(self.means, counts) if len(found) else None
        self._sums = _binned(found, self.bin_of, self.bins)
        self._known = None
        self._abundance = np.log((visits + 1.0) / (visits.sum() + len(visits)))

    def assess(self, counts: Spectra) -> tuple[Integers, Floats]:
        """Return labels (n,), -1 where no phase fits and 0 where nothing was counted, and evidence (n, phases)."""
        totals = total_counts(counts)
        fits, evidence = np.zeros(len(counts), bool), np.zeros((len(counts), len(self.phases)))
        if self._classifier is not None:
            excess, evidence = self._classifier.assess(counts)
            fits |= excess <= 0
        if self._fit is not None:
            statistics = self._fit.evaluate(counts)
            evidence = statistics.log_likelihood + self._abundance
            limits = LIMITS + statistics.let_pass[:, None] * np.array([0.0, 1.0, 1.0])
            fits |= np.all(statistics.values <= limits, axis=1)
        best = 1 + np.argmax(evidence, axis=1) if self.phases else np.zeros(len(counts), np.int64)
        return np.where(totals == 0, 0, np.where(fits, best, NO_FIT)), evidence

    def relabel(self, store: SpectrumStore, numbers: Integers) -> Integers:
        """Return the likeliest phase, 1..L, of kept spectra that are of one, (n,)."""
        table = np.ascontiguousarray(np.log(self.means).T)
        return np.asarray(1 + np.argmax(store.project(numbers, table) + self._abundance, axis=1), np.int64)

    def log_likelihood(self, counts: Spectra) -> Floats:
        """Return the log-likelihood of each phase, (n, phases), nats, up to a term all phases share."""
        if not self.phases:
            return np.zeros((len(counts), 0))
        return PhaseLikelihood(self.means).log_likelihood(counts)

    def explain(self, sums: Floats, *, common: bool = False) -> Explanation:
        """Return what explains the summed counts of some spectra, (bins,), best, and how well.

        Candidates are the phases, their best mixture, flat noise and the ill forms of every phase; where none of them
        will do, the best mixture of them all. A discovered phase is also compared by the evidence of one shared mean,
        as its own is known from counts only.

        Parameters
        ----------
        sums : (bins,) ndarray of float64
            Counts.
        common : bool
            Whether the spectra are too many for a gain that jumped to explain them: another element does.
        """
        known, phases = self._explanations(), len(self.phases)
        if common and phases:
            known = known[: -phases * len(FINE_GAINS)]
        own, let_pass = log_evidence(sums), MODEL_ERROR * float(sums.sum())
        evidence = np.log(known) @ sums + let_pass
        if phases:
            best = int(np.argmax(evidence[:phases]))
            evidence[best] = max(evidence[best], mixture_evidence(sums, known[:phases], best) + let_pass)
        if self.discovered:
            shared = own + joining_evidence(self._sums, sums)
            evidence[self.trained : phases] = np.maximum(evidence[self.trained : phases], shared)
        likeliest = int(np.argmax(evidence))
        doubt = own - float(evidence[likeliest])
        if doubt > CERTAINTY:
            return Explanation(ILL, own - let_pass - mixture_evidence(sums, known, likeliest))
        return Explanation(likeliest + 1 if self.trained <= likeliest < phases else ILL, doubt)

    def known_means(self) -> Floats:
        """Return the phases' binned mean spectra and flat noise, (means, bins); of discovered ones also as counted."""
        rows = np.concatenate([self.means, flat(self.channels)[None]])
        counted = self._sums + AS_COUNTED * np.maximum(self._sums.sum(1, keepdims=True), 1.0) / self.bins
        counted /= counted.sum(1, keepdims=True)
        return np.concatenate([_binned(rows, self.bin_of, self.bins), counted])

    def strangeness(self, sums: Floats) -> float:
        """Return by how many nats pooled counts (bins,) depart from the best mixture of all that is known.

        Mean spectra may be wrong by `MODEL_ERROR` nats per count. Ill forms count as known, but for a gain that jumped
        by more than `PLACE_GAIN`: visits of many times do not share one, and it would turn one element into another.
        """
        explanations = self._explanations()
        kept = np.ones(len(explanations), bool)
        kept[len(kept) - len(self.phases) * len(FINE_GAINS) :] = np.tile(
            np.abs(FINE_GAINS) <= PLACE_GAIN, len(self.phases)
        )
        known = np.concatenate([self.known_means(), explanations[kept]])
        likeliest = int(np.argmax(np.log(known) @ sums))
        blend = mixture(sums, known, likeliest, FINE_MIXING_STEPS)[: len(sums)]
        return departure(sums, blend / blend.sum()) - MODEL_ERROR * float(sums.sum())

    def parted(self, label: int, sums: Floats, visits: Integers) -> "PhaseBank":
        """Return the bank that would be if a discovered phase had other summed counts; trained phases stay.

        Parameters
        ----------
        label : int
            The phase.
        sums : (phases, channels) ndarray of float64
            Summed counts of all phases.
        visits : (phases,) ndarray of int
            Number of spectra.
        """
        if label <= self.trained:
            return self
        other = copy(self)
        other.refresh(sums, visits)
        return other

    def _explanations(self) -> Floats:
        """Return the mean spectra of the phases and of what else is known, (explanations, bins)."""
        if self._known is None:
            rows = [self.means, ill_components(self.means)] if self.phases else [flat(self.channels)[None]]
            self._known = _binned(np.concatenate(rows), self.bin_of, self.bins)
        return self._known


def _binned(means: Floats, bin_of: Integers, bins: int) -> Floats:
    return np.add.reduceat(means, np.searchsorted(bin_of, np.arange(bins)), axis=1)
