"""Detection of ill spectra by neural regression onto a straight line."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify._calibration import CountCurves, check_false_alarm_rate
from daisy_bluesky.classify._counts import (
    Floats,
    Integers,
    Singles,
    Spectra,
    as_spectra,
    as_training_spectra,
    bin_counts,
    even_bins,
    total_counts,
)
from daisy_bluesky.classify._network_kernels import dense_layer, unit_amplitudes
from daisy_bluesky.classify._training_spectra import TrainingSpectra
from daisy_bluesky.compilation import compiled

NEURONS = 100
HIDDEN_LAYERS = 5
BINS = 256
STEPS = 250
BATCH = 96
DRAWS = 1000


class IllSpectrumDetector:
    """Tells spectra that no phase gives from the good ones, having seen good ones only.

    A network of five hidden layers learns to project spectra of all phases, at all numbers of counts, onto one
    straight line; what it projects elsewhere is ill. How far good spectra scatter about the line depends on their
    counts, and so does the threshold. Every other training spectrum is that of a probe on a boundary of two phases,
    which is not ill either.

    Parameters
    ----------
    weights : sequence of (in, out) ndarray of float32
        The network's layers.
    threshold : CountCurves
        Largest variance metric of a good spectrum, against its counts.
    channels : int
        Number of energy channels.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), section 2.3.1, eqs. 7-11. The layers have no bias, and the input is the square root
    of the normalised spectrum summed over at most 256 bins.
    """

    def __init__(self, weights: list[Singles], threshold: CountCurves, channels: int) -> None:
        self.weights, self.threshold, self.channels = weights, threshold, channels
        self._bin_of, self._bins = even_bins(channels, BINS)
        self._line = straight_line()

    @classmethod
    def fit(
        cls, spectra: ArrayLike, labels: ArrayLike, *, seed: int = 0, false_alarm_rate: float = 0.01
    ) -> "IllSpectrumDetector":
        """Return a detector trained on one half of the good spectra, its threshold set on the other half.

        Parameters
        ----------
        spectra : (n, channels) array_like
            Whole counts.
        labels : (n,) array_like of int
            Phases 1..L; spectra labelled 0 are left out.
        seed : int
            Seed of the weights and of the drawn spectra.
        false_alarm_rate : float
            Share of good spectra that may be called ill.
        """
        rng = np.random.default_rng([seed, 11])
        training, held_out = TrainingSpectra(*as_training_spectra(spectra, labels)).halves(rng)
        return cls.from_halves(training, held_out, seed=seed, false_alarm_rate=false_alarm_rate)

    @classmethod
    def from_halves(
        cls, training: TrainingSpectra, held_out: TrainingSpectra, *, seed: int, false_alarm_rate: float
    ) -> "IllSpectrumDetector":
        """Return a detector trained on one set of spectra, its threshold set on another."""
        check_false_alarm_rate(false_alarm_rate)
        from daisy_bluesky.classify._torch_training import train_projection

        channels = training.spectra.shape[1]
        bin_of, bins = even_bins(channels, BINS)
        coarse = training.binned(bin_of, bins)
        rng = np.random.default_rng([seed, 12])
        levels = training.levels()
        lowest, highest = math.log(levels[0]), math.log(levels[-1])

        def batch() -> tuple[Singles, Integers]:
            drawn = coarse.draw_seen(np.exp(rng.uniform(lowest, highest, BATCH)), rng)
            return unit_amplitudes(drawn.astype(np.float32)), np.ones(BATCH, np.int64)

        widths = (bins, *[NEURONS] * (HIDDEN_LAYERS + 1))
        weights = train_projection(batch, widths, straight_line(), STEPS, seed)
        metric = cls(weights, CountCurves(levels, np.zeros((len(levels), 1))), channels).metric
        good = [metric(held_out.draw_seen(np.full(DRAWS, level), rng)) for level in levels]
        limits = [[np.quantile(values, 1 - false_alarm_rate)] for values in good]
        return cls(weights, CountCurves(levels, limits), channels)

    def metric(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return the variance metric sigma^2, (n,), of spectra (n, channels): large for ill ones (eqs. 8-10)."""
        return self.binned_metric(bin_counts(as_spectra(spectra, self.channels), self._bin_of, self._bins))

    def binned_metric(self, binned: Singles) -> Floats:
        """Return the variance metric of spectra already summed over the detector's bins, (n, bins) float32."""
        values = unit_amplitudes(binned)
        nothing = np.zeros(NEURONS, np.float32)
        for layer, weights in enumerate(self.weights):
            values = dense_layer(values, weights, nothing, layer < HIDDEN_LAYERS)
        return _variance_of_distance(values, self._line)

    def detect(self, spectra: ArrayLike) -> NDArray[np.bool_]:
        """Return which of the spectra (n, channels) are ill, (n,) (eq. 11)."""
        counts: Spectra = as_spectra(spectra, self.channels)
        return np.asarray(self.metric(counts) > self.threshold(total_counts(counts))[:, 0], np.bool_)


def straight_line() -> Singles:
    """Return the pre-set line that good spectra are projected onto, (100,) float32."""
    return np.linspace(0.0, 1.0, NEURONS, dtype=np.float32)


@compiled
def _variance_of_distance(values: Singles, line: Singles) -> Floats:
    """Return the variance of how far the elements of each row (n, neurons) lie from those of a line (neurons,)."""
    variances = np.empty(len(values))
    for row in range(len(values)):
        total, squares = 0.0, 0.0
        for neuron in range(len(line)):
            total += abs(line[neuron] - values[row, neuron])
        mean = total / len(line)
        for neuron in range(len(line)):
            squares += (abs(line[neuron] - values[row, neuron]) - mean) ** 2
        variances[row] = squares / len(line)
    return variances
