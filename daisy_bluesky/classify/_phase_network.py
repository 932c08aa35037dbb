"""The convolutional network that names the phase of a spectrum."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify._counts import (
    Integers,
    Singles,
    as_spectra,
    as_training_spectra,
    bin_counts,
    even_bins,
)
from daisy_bluesky.classify._network_kernels import convolution_layer, dense_layer, max_pool, unit_amplitudes
from daisy_bluesky.classify._network_shape import NetworkShape
from daisy_bluesky.classify._training_spectra import TrainingSpectra

BINS = 512
LEAST_BINS = 160  # what two convolutions and two poolings leave something of
STEPS = 250
BATCH = 96
SHAPE = NetworkShape()


class PhaseNetwork:
    """Two convolution and max-pool layers, three fully connected layers and a soft-max.

    Parameters
    ----------
    weights : sequence of ndarray of float32
        Kernel and bias of each of the five layers, in turn.
    channels : int
        Number of energy channels.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), section 2.3.2, eqs. 12-13. Here the spectrum is first summed over at most 512 bins,
    each still narrower than a line, and its square root taken.
    """

    def __init__(self, weights: list[Singles], channels: int) -> None:
        self.weights, self.channels = weights, channels
        self._bin_of, _ = even_bins(channels, BINS)
        self._bins = input_bins(channels)

    @classmethod
    def fit(cls, spectra: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> "PhaseNetwork":
        """Return a network trained on labelled spectra (n, channels) thinned to a range of counts."""
        return cls.from_training(TrainingSpectra(*as_training_spectra(spectra, labels)), seed=seed)

    @classmethod
    def from_training(cls, training: TrainingSpectra, *, seed: int) -> "PhaseNetwork":
        """Return a network trained on the spectra given, at 20 to 10,000 counts."""
        from daisy_bluesky.classify._torch_training import phase_network, train_classifier

        channels = training.spectra.shape[1]
        bin_of, filled = even_bins(channels, BINS)
        bins = input_bins(channels)
        coarse = training.binned(bin_of, filled)
        rng = np.random.default_rng([seed, 21])
        levels = training.levels()
        lowest, highest = math.log(levels[0]), math.log(levels[-1])

        def batch() -> tuple[Singles, Integers]:
            drawn, marks = coarse.draw(np.exp(rng.uniform(lowest, highest, BATCH)), rng)
            padded = np.pad(drawn.astype(np.float32), ((0, 0), (0, bins - filled)))
            return unit_amplitudes(padded), marks

        trained = train_classifier(lambda: phase_network(bins, SHAPE, training.phases), batch, STEPS, seed)
        return cls(plain_weights([value.detach().numpy() for value in trained.parameters()]), channels)

    def scores(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return what enters the soft-max, (n, phases), for spectra (n, channels)."""
        binned = bin_counts(as_spectra(spectra, self.channels), self._bin_of, self._bins)
        values = unit_amplitudes(binned)[:, :, None]
        weights = self.weights
        for layer in (0, 2):
            values = convolution_layer(values, weights[layer], weights[layer + 1], SHAPE.stride)
            values = max_pool(values, SHAPE.width, SHAPE.stride)
        values = values.reshape(len(values), -1)
        for layer in (4, 6, 8):
            values = dense_layer(values, weights[layer], weights[layer + 1], layer < 8)
        return values.astype(np.float64)

    def predict_proba(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each phase, (n, phases), for spectra (n, channels) (eq. 12)."""
        scores = self.scores(spectra)
        odds = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(odds / odds.sum(1, keepdims=True), np.float64)


def input_bins(channels: int) -> int:
    """Return the length of the network's input for a number of channels."""
    return max(even_bins(channels, BINS)[1], LEAST_BINS)


def plain_weights(parameters: list[Singles]) -> list[Singles]:
    """Return torch parameters as the compiled layers read them: features last, output features innermost."""
    first, first_bias, second, second_bias, *dense = parameters
    third = dense[0].reshape(dense[0].shape[0], SHAPE.features[1], -1)
    dense[0] = third.transpose(0, 2, 1).reshape(len(third), -1)
    kernels = [first.transpose(2, 1, 0), first_bias, second.transpose(2, 1, 0), second_bias]
    layers = [values.T if values.ndim == 2 else values for values in dense]
    return [np.ascontiguousarray(values, np.float32) for values in (*kernels, *layers)]
