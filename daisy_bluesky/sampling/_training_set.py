"""Features and targets for the regression, collected from maps whose truth is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import FEATURES, features
from daisy_bluesky.sampling._field import MASK, SHIFT, Field, empty_field
from daisy_bluesky.sampling._neighbours import squared_distance
from daisy_bluesky.sampling._regression import Regression
from daisy_bluesky.sampling._update import best_place, measure, rebuild

LabelMap = NDArray[np.int64]
# The Gaussian window is cut where it has fallen to 1%.
WINDOW_RADIUS = 3.0


@dataclass(frozen=True)
class TrainingSet:
    """What the regression is fitted to.

    Attributes
    ----------
    inputs : (n, FEATURES) float64
        Features of unmeasured pixels.
    reduction : (n, windows) float64
        Approximate reduction in distortion over squared distance to the nearest measurement, for each window.
    wrong : (n,) float64
        1 where the pixel's label was wrong.
    """

    inputs: NDArray[np.float64]
    reduction: NDArray[np.float64]
    wrong: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: list["TrainingSet"]) -> "TrainingSet":
        """Return several sets as one."""
        return cls(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("inputs", "reduction", "wrong"))
        )


def sampled_field(truth: LabelMap, places: NDArray[np.int64], regression: Regression) -> Field:
    """Return the state of a field after measuring the pixels `places`, (n,) int64 row-major numbers."""
    field = empty_field((truth.shape[0], truth.shape[1]))
    field.pixels.reshape(-1)["sample"][places] = truth.ravel()[places]
    field.pixels.reshape(-1)["closed"][places] = True
    rebuild(field.pixels, field.tiles, regression)
    return field


@compiled
def sample_on(
    pixels: NDArray[Any],
    tiles: NDArray[Any],
    queue: NDArray[np.int32],
    regression: Regression,
    truth: NDArray[np.int64],
    n: int,
) -> None:
    """Measure the n next pixels of largest score."""
    for _ in range(n):
        place = best_place(tiles)
        if place < 0:
            break
        row, column = place >> SHIFT, place & MASK
        measure(pixels, tiles, queue, regression, row, column, truth[row, column], True)


def collect(field: Field, truth: LabelMap, windows: tuple[float, ...], n: int, rng: np.random.Generator) -> TrainingSet:
    """Return features and targets of up to n unmeasured pixels of a field.

    The target is the sum of the wrong labels around the pixel under a Gaussian window of standard deviation d / window,
    over d squared, where d is the distance to the nearest measurement.

    References
    ----------
    Godaliyadda et al., "A supervised learning approach for dynamic sampling" (SLADS): approximate reduction in
    distortion.
    """
    places = np.argwhere(field.pixels["sample"] == 0)
    places = places[rng.permutation(len(places))[:n]]
    inputs = np.empty((len(places), FEATURES))
    reduction = np.empty((len(places), len(windows)))
    wrong = (field.pixels["label"] != truth) & (field.pixels["sample"] == 0)
    _describe(field.pixels, wrong, places, np.array(windows), inputs, reduction)
    return TrainingSet(inputs, reduction, wrong[places[:, 0], places[:, 1]].astype(np.float64))


@compiled
def _describe(
    pixels: NDArray[Any],
    wrong: NDArray[np.bool_],
    places: NDArray[np.int64],
    windows: NDArray[np.float64],
    inputs: NDArray[np.float64],
    reduction: NDArray[np.float64],
) -> None:
    """Fill the features, (n, FEATURES), and targets, (n, windows), of places, (n, 2)."""
    for number in range(len(places)):
        row, column = places[number, 0], places[number, 1]
        features(pixels, row, column, inputs[number])
        nearest = squared_distance((row << SHIFT) + column, pixels[row, column].neighbours[0])
        for window in range(len(windows)):
            variance = nearest / windows[window] ** 2
            reduction[number, window] = _windowed_sum(wrong, row, column, variance) / nearest


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
