"""The simulated objects of EDS-SLADS: phase maps of real and of grown micrographs, measured spectra, its noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.bench._sampling_maps import LabelMap
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.specimen import phantom

COUNTS = 7500.0
NOISE, ILL_NOISE = 2.0, 20.0
OF_A_PIXEL, OF_TRAINING = 12, 24
ILL_PART = 0.009
TRAINING_SEED = 1
CROP = 256


@dataclass(frozen=True, eq=False)
class SimulatedObject:
    """A phase map and the spectra its pixels give.

    The spectrum of a pixel is one of twelve of its phase, about 7,500 counts each, with Poisson noise of mean 2 in
    every channel; a failed one is Poisson noise of mean 20.

    Attributes
    ----------
    labels : (rows, columns) int64
        Phases, 1...
    ill : (rows, columns) bool
        Pixels whose spectra fail.
    templates : (phases, 12, channels) int64
        Spectra that pixels give, counts.
    means : (phases, channels) float64
        What the templates were drawn from: probability per channel.
    seed : int
        Seed of the choice and of the noise.
    """

    labels: LabelMap
    ill: NDArray[np.bool_]
    templates: NDArray[np.int64]
    means: NDArray[np.float64]
    seed: int

    def spectrum(self, row: int, column: int, visit: int = 0) -> NDArray[np.uint16]:
        """Return the spectrum of a pixel, (channels,) uint16: the same in whatever order pixels are measured."""
        key = np.random.Philox(key=[self.seed, 0], counter=[row, column, visit, 0])
        rng = np.random.Generator(key)
        channels = self.means.shape[1]
        if self.ill[row, column]:
            return np.asarray(rng.poisson(ILL_NOISE, channels), np.uint16)
        chosen = self.templates[self.labels[row, column] - 1, rng.integers(OF_A_PIXEL)]
        return np.asarray(chosen + rng.poisson(NOISE, channels), np.uint16)

    def counted(self, classifier: PhaseClassifier) -> CountedObject:
        """Return the same object counted one by one: the noise of a visit is in proportion to its dwell time.

        The unit of dwell time is that of one count of the specimen itself; the noise comes on top.
        """
        channels = self.means.shape[1]
        flat = np.full((1, channels), 1 / channels)
        bright = 1 + NOISE * channels / COUNTS
        return CountedObject(
            "simulated object",
            self.labels,
            self.ill,
            np.append(np.full(len(self.means), bright), ILL_NOISE * channels / COUNTS),
            np.cumsum(np.concatenate([(self.means + NOISE / COUNTS) / bright, flat]), axis=1),
            classifier.log_likelihood(np.eye(channels, dtype=np.uint16)),
        )


def trained_classifier(chemistry: Any, seed: int = 0) -> PhaseClassifier:
    """Return a classifier trained on 24 spectra of each phase, measured apart from those that pixels give."""
    rng = np.random.default_rng([seed, 5])
    spectra = rng.poisson(
        COUNTS * chemistry.training_mean[:, None] + NOISE, _size(chemistry.training_mean, OF_TRAINING)
    )
    labels = np.repeat(np.arange(1, len(spectra) + 1), OF_TRAINING)
    return PhaseClassifier.fit(spectra.reshape(len(labels), -1).astype(np.uint16), labels, seed=seed)


def measured_object(chemistry: Any, seed: int) -> SimulatedObject:
    """Return an object with the phase map of a micrograph and the ill pixels that come with it."""
    return _object(chemistry, chemistry.labels.astype(np.int64), chemistry.ill, seed)


def grown_object(chemistry: Any, kind: str, side: int, seed: int) -> SimulatedObject:
    """Return an object with a generated phase map; 0.9% of its pixels are ill."""
    ill = np.random.default_rng([seed, 6]).random((side, side)) < ILL_PART
    return _object(chemistry, grown_map(chemistry, kind, side, seed), ill, seed)


def grown_map(chemistry: Any, kind: str, side: int, seed: int) -> LabelMap:
    """Return a generated phase map, (side, side) int64, with as many phases as the chemistry has."""
    return phantom(kind, (side, side), seed=seed, phases=len(chemistry.mean)).astype(np.int64)


def crops(whole: LabelMap, most: int) -> Iterator[LabelMap]:
    """Yield squares of a map, as fine as the map itself, in which phases meet."""
    squares = (
        np.ascontiguousarray(whole[row : row + CROP, column : column + CROP])
        for row in range(0, whole.shape[0], CROP)
        for column in range(0, whole.shape[1], CROP)
    )
    varied = [square for square in squares if len(np.unique(square)) > 1]
    yield from varied[:: -(-len(varied) // most)]


def _object(chemistry: Any, labels: LabelMap, ill: NDArray[np.bool_], seed: int) -> SimulatedObject:
    means = chemistry.mean
    templates = np.random.default_rng([seed, 4]).poisson(COUNTS * means[:, None], _size(means, OF_A_PIXEL))
    return SimulatedObject(labels, ill, templates, means, seed)


def _size(means: NDArray[np.float64], number: int) -> tuple[int, int, int]:
    return len(means), number, means.shape[1]
