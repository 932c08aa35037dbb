"""SLADS as published, by least squares and as SLADS-Net, re-implemented on exact neighbour lists."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from daisy_bluesky.bench._sampling_maps import Case, LabelMap
from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling import patterns
from daisy_bluesky.sampling._features import FEATURES, NEAREST_DISTANCE, SPACING, features
from daisy_bluesky.sampling._field import MASK, SHIFT, Field, Summary
from daisy_bluesky.sampling._neighbours import squared_distance
from daisy_bluesky.sampling._summary import mark, summarise
from daisy_bluesky.sampling._training import BLANK
from daisy_bluesky.sampling._training_set import _windowed_sum, sampled_field
from daisy_bluesky.sampling._update import enqueue, update_lists

PUBLISHED_FEATURES = 6
DENSITIES = (0.05, 0.1, 0.2, 0.4, 0.8)
WINDOWS = (2.0, 4.0, 8.0, 16.0)
PIXELS_PER_STATE = 1500
START = 0.01
RBF_COMPONENTS, RBF_GAMMA = 100, 0.01
HIDDEN_LAYERS, HIDDEN_UNITS = 5, 50
PASSES, BATCH, RATE = 30, 256, 1e-3
CHOSEN_AT = (0.05, 0.1, 0.2)


class Predictor(Protocol):
    """Predicts the expected reduction in distortion from the published features."""

    def __call__(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions, (n,) float64, for features, (n, 6) float64."""
        ...


class LeastSquares:
    """Least squares on the 28 second-order products of the six features.

    References
    ----------
    Godaliyadda et al., "A supervised learning approach for dynamic sampling" (SLADS).
    """

    def __init__(self, inputs: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        self._coefficients = np.linalg.lstsq(self._products(inputs), target, rcond=None)[0]

    @staticmethod
    def _products(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        first, second = np.triu_indices(PUBLISHED_FEATURES)
        return np.hstack([np.ones((len(inputs), 1)), inputs, inputs[:, first] * inputs[:, second]])

    def __call__(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions, (n,) float64."""
        return np.asarray(self._products(inputs) @ self._coefficients)


class SladsNet:
    """Five layers of 50 rectified units on 100 random Fourier features of a Gaussian kernel, squared error, Adam.

    References
    ----------
    Y. Zhang, G. M. D. Godaliyadda et al., "SLADS-Net: supervised learning approach for dynamic sampling using deep
    neural networks" (2018); EDS-SLADS (Zhang et al. 2018) uses the same.
    """

    def __init__(self, inputs: NDArray[np.float64], target: NDArray[np.float64], seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self._waves = np.sqrt(2 * RBF_GAMMA) * rng.standard_normal((PUBLISHED_FEATURES, RBF_COMPONENTS))
        self._phases = rng.uniform(0, 2 * np.pi, RBF_COMPONENTS)
        torch.manual_seed(seed)
        sizes = [RBF_COMPONENTS, *[HIDDEN_UNITS] * HIDDEN_LAYERS, 1]
        layers = [
            part for before, after in pairwise(sizes) for part in (torch.nn.Linear(before, after), torch.nn.ReLU())
        ]
        network = torch.nn.Sequential(*layers[:-1])
        self._train(network, torch.from_numpy(self._mapped(inputs)), torch.from_numpy(target.astype(np.float32)))
        weights = [parameter.detach().numpy() for parameter in network.parameters()]
        self._layers = list(zip(weights[::2], weights[1::2], strict=True))

    def _mapped(self, inputs: NDArray[np.float64]) -> NDArray[np.float32]:
        waves = np.cos(inputs @ self._waves + self._phases)
        return np.asarray(np.sqrt(2.0 / RBF_COMPONENTS) * waves, np.float32)

    @staticmethod
    def _train(network: torch.nn.Module, inputs: torch.Tensor, target: torch.Tensor) -> None:
        optimiser = torch.optim.Adam(network.parameters(), RATE, weight_decay=1e-4 / len(inputs))
        for _ in range(PASSES):
            for chosen in torch.randperm(len(inputs)).chunk(-(-len(inputs) // BATCH)):
                optimiser.zero_grad()
                loss = ((network(inputs[chosen])[:, 0] - target[chosen]) ** 2).mean()
                loss.backward()
                optimiser.step()

    def __call__(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions, (n,) float64."""
        values = self._mapped(inputs)
        for weight, bias in self._layers[:-1]:
            values = np.maximum(values @ weight.T + bias, 0)
        weight, bias = self._layers[-1]
        return np.asarray((values @ weight.T + bias)[:, 0], np.float64)


def learn(maps: Sequence[LabelMap], seed: int = 0) -> dict[str, Predictor]:
    """Return both peers, trained as published: random masks, and the window that samples the training maps best."""
    rng = np.random.default_rng(seed)
    parts = [_described(truth, density, rng) for truth in maps for density in DENSITIES]
    inputs, targets = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    candidates = [LeastSquares(inputs, target) for target in targets.T]
    best = int(np.argmin([_score(candidate, maps[:2]) for candidate in candidates]))
    return {"least squares": candidates[best], "SLADS-Net": SladsNet(inputs, targets[:, best])}


def _score(predictor: Predictor, maps: Sequence[LabelMap]) -> float:
    none = [np.zeros(truth.shape, bool) for truth in maps]
    cases = [Case(truth, ill, number) for number, (truth, ill) in enumerate(zip(maps, none, strict=True))]
    return float(
        np.mean([(labels != case.truth).mean() for case in cases for labels, _ in sampled(case, predictor, CHOSEN_AT)])
    )


def _described(
    truth: LabelMap, density: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    field = sampled_field(truth, rng.permutation(truth.size)[: round(density * truth.size)], BLANK)
    places = np.argwhere(field.pixels["sample"] == 0)
    places = places[rng.permutation(len(places))[:PIXELS_PER_STATE]]
    inputs, targets = np.empty((len(places), FEATURES)), np.empty((len(places), len(WINDOWS)))
    _describe_all(field.pixels, field.pixels["label"] != truth, places, np.array(WINDOWS), inputs, targets)
    return _published(inputs), targets


@compiled
def _describe_all(
    pixels: NDArray[Any],
    wrong: NDArray[np.bool_],
    places: NDArray[np.int64],
    windows: NDArray[np.float64],
    inputs: NDArray[np.float64],
    targets: NDArray[np.float64],
) -> None:
    for number in range(len(places)):
        row, column = places[number, 0], places[number, 1]
        features(pixels, row, column, inputs[number])
        nearest = squared_distance((row << SHIFT) + column, pixels[row, column].neighbours[0])
        for window in range(len(windows)):
            targets[number, window] = _windowed_sum(wrong, row, column, nearest / windows[window] ** 2)


def _published(inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the six published features, (n, 6): distances themselves where ours are logarithms."""
    six = inputs[:, :PUBLISHED_FEATURES].copy()
    six[:, [NEAREST_DISTANCE, SPACING]] = np.exp(six[:, [NEAREST_DISTANCE, SPACING]])
    return six


def sampled(
    case: Case, predictor: Predictor, fractions: Sequence[float]
) -> Iterator[tuple[LabelMap, NDArray[np.bool_]]]:
    """Sample a map one pixel at a time; give the vote of the neighbours and what was measured at every fraction."""
    truth, found = case.truth, case.found
    start = patterns.sobol((truth.shape[0], truth.shape[1]), START, case.seed)
    field = sampled_field(found, start[:, 0] * truth.shape[1] + start[:, 1], BLANK)
    inputs = np.empty((truth.size, FEATURES))
    score = np.full(truth.size, -np.inf)
    open_places = np.argwhere(~field.pixels["closed"])
    _describe_places(field.pixels, open_places, inputs)
    score[open_places @ (truth.shape[1], 1)] = predictor(_published(inputs[: len(open_places)]))
    done = len(start)
    for fraction in fractions:
        wanted = round(fraction * truth.size)
        for _ in range(wanted - done):
            _next(field, found, predictor, inputs, score)
        done = max(wanted, done)
        yield field.pixels["label"].astype(np.int64), field.pixels["closed"].copy()


def _next(
    field: Field, found: LabelMap, predictor: Predictor, inputs: NDArray[np.float64], score: NDArray[np.float64]
) -> None:
    row, column = divmod(int(np.argmax(score)), found.shape[1])
    score[row * found.shape[1] + column] = -np.inf
    count = _advance(field.pixels, field.summary, field.queue, row, column, found[row, column], inputs)
    touched = field.queue[:count]
    score[(touched >> SHIFT) * found.shape[1] + (touched & MASK)] = predictor(_published(inputs[:count]))


@compiled
def _describe_places(pixels: NDArray[Any], places: NDArray[np.int64], inputs: NDArray[np.float64]) -> None:
    for number in range(len(places)):
        features(pixels, places[number, 0], places[number, 1], inputs[number])


@compiled
def _advance(
    pixels: NDArray[Any],
    summary: Summary,
    queue: NDArray[np.int32],
    row: int,
    column: int,
    label: int,
    inputs: NDArray[np.float64],
) -> int:
    """Measure a pixel; leave the open places it has touched in the queue, and their features; return how many."""
    pixels[row, column].closed = True
    if label == 0:
        return 0
    pixels[row, column].sample = label
    count = enqueue(pixels, row, column, queue, 0)
    count = update_lists(pixels, summary, row, column, 0, queue, count)
    kept = 0
    touched = queue[:count].copy()
    for place in touched:
        r, c = place >> SHIFT, place & MASK
        pixels[r, c].queued = False
        mark(summary, r, c)
        if not pixels[r, c].closed:
            features(pixels, r, c, inputs[kept])
            queue[kept] = place
            kept += 1
    summarise(pixels, summary, touched)
    return kept
