"""An object whose spectra are drawn count by count, so that visits of a fraction of a count are honest and cheap."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.sampling import draw_counts, draw_evidence, total_distortion

TRAINING = 24
COUNTS = 7500.0
ILL_COUNTS = 20.0


@dataclass(frozen=True)
class CountedObject:
    """Poisson spectra of a phase map, as the log-likelihoods a classifier trained on other spectra gives them.

    The unit of dwell time is that in which one count is recorded on average. A spectrum is drawn as its counts, one by
    one: their number from a Poisson distribution, the channel of each from the phase's mean spectrum. Ill spectra are
    flat, brighter than the others, and are not told apart from them.

    Attributes
    ----------
    name : str
        Name of the object.
    labels : (rows, columns) int
        Phases, 1...
    ill : (rows, columns) bool
        Pixels with ill spectra, which distortion does not count.
    brightness : (phases + 1,) float64
        Counts per unit of dwell time; the last is that of an ill spectrum.
    cumulative : (phases + 1, channels) float64
        Cumulative mean spectra.
    told : (channels, phases) float64
        What a count in each channel adds to the log-likelihoods, nats.
    """

    name: str
    labels: NDArray[np.int64]
    ill: NDArray[np.bool_]
    brightness: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    told: NDArray[np.float64]

    @classmethod
    def load(cls, objects: Any, name: str) -> "CountedObject":
        """Return an object of the public measurements, its classifier trained on its training spectra."""
        sample = objects.load(name)
        spectra, labels = sample.training_set(TRAINING, counts=COUNTS)
        classifier = PhaseClassifier.fit(spectra[labels > 0], labels[labels > 0], seed=0)
        channels = sample.mean.shape[1]
        flat = np.full((1, channels), 1 / channels)
        return cls(
            name,
            sample.labels.astype(np.int64),
            sample.ill,
            np.append(np.ones(len(sample.mean)), ILL_COUNTS * channels / COUNTS),
            np.cumsum(np.concatenate([sample.mean, flat]), axis=1),
            classifier.log_likelihood(np.eye(channels, dtype=np.uint16)),
        )

    @property
    def phases(self) -> int:
        """Number of phases."""
        return int(self.told.shape[1])

    def measure(self, positions: NDArray[np.int64], dwell: ArrayLike, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the log-likelihoods of the spectra of visits to pixels, (n, phases), nats."""
        return draw_evidence(*self._drawn(positions, dwell), self.cumulative, self.told, rng)

    def spectra(self, positions: NDArray[np.int64], dwell: ArrayLike, rng: np.random.Generator) -> NDArray[np.uint16]:
        """Return the spectra of visits to pixels, (n, channels) uint16, counts."""
        visit, channel = draw_counts(*self._drawn(positions, dwell), self.cumulative, rng)
        spectra = np.zeros((len(positions), self.told.shape[0]), np.uint16)
        np.add.at(spectra, (visit, channel), 1)
        return spectra

    def _drawn(self, positions: NDArray[np.int64], dwell: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return which mean spectrum each of some visits draws from, and how many counts it can expect."""
        rows, columns = positions.T
        kind = np.where(self.ill[rows, columns], len(self.brightness) - 1, self.labels[rows, columns] - 1)
        return kind, self.brightness[kind] * np.asarray(dwell)

    def distortion(self, labels: NDArray[np.int64]) -> float:
        """Return the total distortion of a map."""
        return total_distortion(labels, self.labels, self.ill)
