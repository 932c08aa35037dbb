"""Descriptions of pixels and targets for the network, collected from maps whose truth is known."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import FEATURES
from daisy_bluesky.sampling._field import MASK, SHIFT, Field, Summary, empty_field
from daisy_bluesky.sampling._geometry import INPUTS, describe
from daisy_bluesky.sampling._neighbours import squared_distance
from daisy_bluesky.sampling._reconstruction import reconstruct
from daisy_bluesky.sampling._regression import Regression
from daisy_bluesky.sampling._summary import best_place
from daisy_bluesky.sampling._surprise import take_note
from daisy_bluesky.sampling._update import measure, rebuild

LabelMap = NDArray[np.int64]
# The Gaussian window is cut where it has fallen to 1%.
WINDOW_RADIUS = 3.0
# Pixels beside each other tell nearly the same: no more than one in so many is described.
THINNING = 7
# As likely as this is every pixel taken for wrong at least, so that one can be chosen where nothing is in doubt.
LEAST_DOUBT = 1e-12


@dataclass(frozen=True)
class TrainingSet:
    """What the network is fitted to.

    Attributes
    ----------
    inputs : (n, INPUTS) float32
        Descriptions of unmeasured pixels.
    reduction : (n,) float32
        Approximate reduction in distortion over squared distance to the nearest measurement.
    surprise : (n,) float32
        1 where the neighbours' vote was wrong.
    doubt : (n,) float32
        1 where the reconstruction was wrong.
    """

    inputs: NDArray[np.float32]
    reduction: NDArray[np.float32]
    surprise: NDArray[np.float32]
    doubt: NDArray[np.float32]

    @classmethod
    def joined(cls, parts: list["TrainingSet"]) -> "TrainingSet":
        """Return several sets as one."""
        return cls(*(np.concatenate([getattr(part, part_of.name) for part in parts]) for part_of in fields(cls)))


def sampled_field(truth: LabelMap, places: NDArray[np.int64], regression: Regression) -> Field:
    """Return the state of a field after measuring the pixels `places`, (n,) int64 row-major numbers."""
    field = empty_field((truth.shape[0], truth.shape[1]))
    field.pixels.reshape(-1)["sample"][places] = truth.ravel()[places]
    field.pixels.reshape(-1)["closed"][places] = True
    rebuild(field.pixels, field.summary, regression)
    return field


@compiled
def sample_on(
    pixels: NDArray[Any],
    summary: Summary,
    queue: NDArray[np.int32],
    regression: Regression,
    tally: NDArray[np.float64],
    truth: NDArray[np.int64],
    n: int,
) -> None:
    """Measure the n next pixels of largest score, and keep the tally of surprises."""
    for _ in range(n):
        place = best_place(summary)
        if place < 0:
            break
        row, column = place >> SHIFT, place & MASK
        take_note(pixels, row, column, truth[row, column], regression, tally)
        measure(pixels, summary, queue, regression, row, column, truth[row, column], True)


def reconstruction_of(field: Field) -> LabelMap:
    """Return the map that `reconstruct` makes of a field's samples, (rows, columns) int64."""
    samples = field.pixels["sample"]
    places = np.argwhere(samples)
    return reconstruct(samples.shape, places, samples[places[:, 0], places[:, 1]])


def collect(field: Field, truth: LabelMap, window: float, n: int, rng: np.random.Generator) -> TrainingSet:
    """Return descriptions and targets of up to n unmeasured pixels of a field.

    The reduction is the sum of what is wrong in the reconstruction around the pixel under a Gaussian window of standard
    deviation d / window, over d squared, where d is the distance to the nearest measurement.

    References
    ----------
    Godaliyadda et al., "A supervised learning approach for dynamic sampling" (SLADS): approximate reduction in
    distortion.
    """
    places = _chosen(field, n, rng)
    inputs = np.empty((len(places), INPUTS), np.float32)
    reduction = np.empty(len(places), np.float32)
    wrong = reconstruction_of(field) != truth
    _describe(field.pixels, wrong, places, window, inputs, reduction)
    where = (places[:, 0], places[:, 1])
    return TrainingSet(
        inputs,
        reduction,
        (field.pixels["label"] != truth)[where].astype(np.float32),
        wrong[where].astype(np.float32),
    )


def _chosen(field: Field, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return up to n unmeasured pixels, (m, 2): half of them anywhere, the others in proportion to their doubt.

    On a large map of smooth boundaries few pixels anywhere would lie at one. Which pixels are described does not bias
    what is learned of them, because doubt is itself predicted from their descriptions.

    References
    ----------
    P. Efraimidis and P. Spirakis, "Weighted random sampling with a reservoir", Inf. Process. Lett. 97, 181 (2006).
    """
    places = np.argwhere(field.pixels["sample"] == 0)
    order = rng.permutation(len(places))
    count = min(n, len(places) // THINNING + 1)
    anywhere, rest = np.split(places[order], [count // 2])
    doubt = field.pixels["doubt"][rest[:, 0], rest[:, 1]].astype(np.float64)
    keys = rng.exponential(size=len(rest)) / np.maximum(doubt, LEAST_DOUBT)
    return np.concatenate([anywhere, rest[np.argsort(keys, kind="stable")[: count - count // 2]]])


@compiled
def _describe(
    pixels: NDArray[Any],
    wrong: NDArray[np.bool_],
    places: NDArray[np.int64],
    window: float,
    inputs: NDArray[np.float32],
    reduction: NDArray[np.float32],
) -> None:
    """Fill the descriptions, (n, INPUTS), and reductions, (n,), of places, (n, 2)."""
    features = np.empty(FEATURES, np.float64)
    for number in range(len(places)):
        row, column = places[number, 0], places[number, 1]
        describe(pixels, row, column, features, inputs[number])
        nearest = squared_distance((row << SHIFT) + column, pixels[row, column].neighbours[0])
        reduction[number] = _windowed_sum(wrong, row, column, nearest / window**2) / nearest


@compiled
def _windowed_sum(wrong: NDArray[np.bool_], row: int, column: int, variance: float) -> float:
    """Return the sum of a mask around a pixel under a Gaussian window."""
    radius = int(WINDOW_RADIUS * np.sqrt(variance)) + 1
    total = 0.0
    for r in range(max(row - radius, 0), min(row + radius + 1, wrong.shape[0])):
        for c in range(max(column - radius, 0), min(column + radius + 1, wrong.shape[1])):
            if wrong[r, c]:
                total += np.exp(-((r - row) ** 2 + (c - column) ** 2) / (2.0 * variance))
    return total
