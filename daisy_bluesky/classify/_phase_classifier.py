"""From a spectrum to a phase, or to the verdict that it is ill."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify._archive import Arrays, digest, pack, unpack
from daisy_bluesky.classify._calibration import CountCurves, check_false_alarm_rate
from daisy_bluesky.classify._counts import Floats, Spectra, as_spectra, as_training_spectra, phase_names
from daisy_bluesky.classify._ill_decision import IllDecision
from daisy_bluesky.classify._ill_detector import HIDDEN_LAYERS, IllSpectrumDetector
from daisy_bluesky.classify._likelihood import PhaseLikelihood
from daisy_bluesky.classify._phase_fit import PhaseFit
from daisy_bluesky.classify._phase_network import PhaseNetwork
from daisy_bluesky.classify._training_spectra import TrainingSpectra

KIND = "phase classifier"
SHARPNESS = 8.0  # steepness of the probability of being ill about the threshold
SIGNS = 4
DRAWS = 600
CLEARLY = 3.0  # standard deviations by which the network must err less to be preferred
_NETWORK = 10  # weights and biases of two convolution and three fully connected layers
_ARRAYS = {
    *("phases", "means", "crossover", "detector_threshold", "decision"),
    *(f"layer_{i:02d}" for i in range(HIDDEN_LAYERS + 1)),
    *(f"network_{i:02d}" for i in range(_NETWORK)),
}


class PhaseClassifier:
    """Names the phase of a spectrum in two steps: is it ill, and if not, which phase is it.

    Whether it is ill follows from the variance metric of a neural regression together with the goodness of fit under
    the best mixture of phases. The phase follows from the Poisson likelihood of the phases' mean spectra; from the
    number of counts on at which the convolutional network errs clearly less on held-out spectra, from the network.

    Attributes
    ----------
    phases : tuple of str
        Names of the phases 1..L.
    channels : int
        Number of energy channels.
    likelihood : PhaseLikelihood
    network : PhaseNetwork
    detector : IllSpectrumDetector
        The neural regression on its own.
    network_from : float
        Counts from which the network decides; infinite when it never does.

    Notes
    -----
    Which of the two names the phase is measured in `fit`, not assumed. On the four minerals of the virtual specimen the
    likelihood names 1 in 2,000 spectra of 50 counts wrongly and none of 100; the network 1 in 16 and 1 in 50, and none
    from 1,000 counts on, where the likelihood has nothing left to improve: it decides at every number of counts.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), section 2.3.
    """

    def __init__(
        self,
        phases: tuple[str, ...],
        likelihood: PhaseLikelihood,
        network: PhaseNetwork,
        detector: IllSpectrumDetector,
        decision: IllDecision,
        network_from: float,
    ) -> None:
        self.phases, self.channels = phases, likelihood.channels
        self.likelihood, self.network, self.detector = likelihood, network, detector
        self.network_from = network_from
        self.decision = decision
        self._fit = PhaseFit(likelihood.means)

    @classmethod
    def fit(
        cls,
        spectra: ArrayLike,
        labels: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        seed: int = 0,
        false_alarm_rate: float = 0.01,
    ) -> "PhaseClassifier":
        """Return a classifier trained from spectra of the phases.

        Parameters
        ----------
        spectra : (n, channels) array_like
            Whole counts.
        labels : (n,) array_like of int
            Phases, 1..L. Spectra labelled 0 are left out: ill spectra are recognised by not being good.
        names : sequence of str, optional
            Names of the phases.
        seed : int
            Seed of everything drawn; the same seed gives the same classifier.
        false_alarm_rate : float
            Largest share of good spectra called ill.

        Raises
        ------
        ValueError
            When the spectra are not whole counts, a phase has none, or names or rate do not fit.
        """
        training = TrainingSpectra(*as_training_spectra(spectra, labels))
        given = phase_names(names, training.phases)
        rate = check_false_alarm_rate(false_alarm_rate)
        rng = np.random.default_rng([seed, 31])
        first, second = training.halves(rng)
        detector = IllSpectrumDetector.from_halves(first, second, seed=seed, false_alarm_rate=rate)
        network = PhaseNetwork.from_training(first, seed=seed)
        decision = IllDecision.calibrate(PhaseFit(first.means), detector, second, false_alarm_rate=rate, rng=rng)
        network_from = _network_from(PhaseLikelihood(first.means), network, second, rng)
        return cls(given, PhaseLikelihood(training.means), network, detector, decision, network_from)

    def predict_proba(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of being ill (column 0) and of each phase, (n, phases + 1); rows sum to 1.

        Column 0 passes 0.5 where the ill score passes its threshold; it is no calibrated frequency, as nobody knows
        how often spectra are ill. A spectrum without any counts is ill.

        Raises
        ------
        ValueError
            When the spectra have another number of channels than the training spectra.
        """
        excess, evidence = self.assess(as_spectra(spectra, self.channels))
        ill = 1.0 / (1.0 + np.exp(-np.clip(SHARPNESS * excess, -40.0, 40.0)))
        odds = np.exp(evidence - evidence.max(1, keepdims=True))
        return np.column_stack([ill, odds / odds.sum(1, keepdims=True) * (1.0 - ill[:, None])])

    def predict(self, spectra: ArrayLike) -> NDArray[np.int64]:
        """Return the label of each spectrum, (n,): 0 when it is more likely ill than not, else its likeliest phase."""
        probabilities = self.predict_proba(spectra)
        return np.where(probabilities[:, 0] > 0.5, 0, 1 + np.argmax(probabilities[:, 1:], axis=1))

    def assess(self, counts: Spectra) -> tuple[Floats, Floats]:
        """Return (excess (n,), evidence (n, phases)) of spectra (n, channels) uint32 or float32.

        A positive excess of the ill score over its threshold means ill; the evidence, log-likelihoods or from
        `network_from` counts on the network's scores, is largest for the likeliest phase.
        """
        statistics = self._fit.evaluate(counts)
        evidence = statistics.log_likelihood
        by_network = statistics.totals >= self.network_from
        if by_network.any():
            evidence[by_network] = self.network.scores(counts[by_network])
        return self.decision.excess(self.detector.metric(counts), statistics), evidence

    def log_likelihood(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return the log-likelihood of each phase, (n, phases), nats, up to a term all phases share."""
        return self.likelihood.log_likelihood(spectra)

    def arrays(self) -> Arrays:
        """Return everything the classifier consists of as plain arrays."""
        decision = self.decision
        stored: Arrays = {
            "kind": np.array(KIND),
            "phases": np.array(self.phases),
            "means": self.likelihood.means,
            "crossover": np.array(self.network_from),
        }
        stored["detector_threshold"] = np.column_stack([self.detector.threshold.counts, self.detector.threshold.values])
        stored["decision"] = np.column_stack([decision.counts, decision.thresholds, decision.medians, decision.limits])
        stored |= {f"layer_{i:02d}": weights for i, weights in enumerate(self.detector.weights)}
        return stored | {f"network_{i:02d}": weights for i, weights in enumerate(self.network.weights)}

    @property
    def digest(self) -> str:
        """SHA-256 of the classifier's content, hexadecimal."""
        return digest(self.arrays())

    def to_bytes(self) -> bytes:
        """Return the classifier as an .npz archive without pickled objects."""
        return pack(self.arrays())

    @classmethod
    def from_bytes(cls, blob: bytes) -> "PhaseClassifier":
        """Return the classifier stored by `to_bytes`.

        Raises
        ------
        ValueError
            When the bytes hold no classifier.
        """
        stored = unpack(blob, KIND)
        if missing := sorted(_ARRAYS - stored.keys()):
            raise ValueError(f"not a stored phase classifier: the archive lacks {', '.join(missing)}")
        channels = int(stored["means"].shape[1])
        decision, threshold = stored["decision"], stored["detector_threshold"]
        if decision.shape[1:] != (2 + 2 * SIGNS,) or threshold.shape != (len(decision), 2):
            raise ValueError("not a stored phase classifier: its thresholds have another shape")
        weights = {part: [stored[n] for n in sorted(stored) if n.startswith(part)] for part in ("layer_", "network_")}
        return cls(
            tuple(str(name) for name in stored["phases"]),
            PhaseLikelihood(stored["means"]),
            PhaseNetwork(weights["network_"], channels),
            IllSpectrumDetector(weights["layer_"], CountCurves(threshold[:, 0], threshold[:, 1:]), channels),
            IllDecision(decision[:, 0], decision[:, 2 : 2 + SIGNS], decision[:, 2 + SIGNS :], decision[:, 1]),
            float(stored["crossover"]),
        )

    def save(self, path: str | Path) -> None:
        """Write the classifier to a .npz file."""
        Path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> "PhaseClassifier":
        """Return the classifier in a .npz file.

        Raises
        ------
        ValueError
            When the file holds no classifier.
        """
        try:
            return cls.from_bytes(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _network_from(
    likelihood: PhaseLikelihood, network: PhaseNetwork, held_out: TrainingSpectra, rng: np.random.Generator
) -> float:
    """Return the counts from which on the network errs clearly less than the likelihood on held-out spectra."""
    first = np.inf
    for level in held_out.levels()[::-1]:
        drawn, labels = held_out.draw(np.full(DRAWS, level), rng)
        counts = as_spectra(drawn)
        by_likelihood = np.sum(np.argmax(likelihood.log_likelihood(counts), 1) + 1 != labels)
        by_network = np.sum(np.argmax(network.scores(counts), 1) + 1 != labels)
        if by_likelihood - by_network <= CLEARLY * np.sqrt(by_likelihood + by_network + 1.0):
            break
        first = float(level)
    return float(first)
