"""What measuring a pixel is expected to bring: a regression on its features."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import FEATURES, features
from daisy_bluesky.sampling._field import NEVER, SHIFT
from daisy_bluesky.sampling._neighbours import squared_distance

PRODUCTS = 1 + FEATURES + FEATURES * (FEATURES + 1) // 2
UNITS = 16


class Regression(NamedTuple):
    """Coefficients of a small network, or of least squares on feature products where there is no hidden unit.

    Attributes
    ----------
    hidden : (FEATURES, units) float64
        Weights of the rectified hidden units.
    bias : (units,) float64
        Their offsets.
    output : (2, units) float64, or (2, PRODUCTS) float64 without hidden units
        Weights of the two predictions: reduction in distortion per squared distance to the nearest measurement, and
        probability that the pixel's label is wrong.
    offset : (2,) float64
        Their offsets.
    exploration : float
        Added to the first prediction, so that no empty region is left alone for ever.
    """

    hidden: NDArray[np.float64]
    bias: NDArray[np.float64]
    output: NDArray[np.float64]
    offset: NDArray[np.float64]
    exploration: float


@compiled
def expand(inputs: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill the first PRODUCTS of `out` with 1, the inputs, and their second-order products."""
    out[0] = 1.0
    slot = 1
    for first in range(FEATURES):
        out[slot] = inputs[first]
        slot += 1
    for first in range(FEATURES):
        for second in range(first, FEATURES):
            out[slot] = inputs[first] * inputs[second]
            slot += 1


@compiled
def _activate(
    hidden: NDArray[np.float64], bias: NDArray[np.float64], inputs: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Fill the first entries of `out` with the hidden units' activations."""
    units = len(bias)
    for unit in range(units):
        out[unit] = bias[unit]
    for feature in range(FEATURES):
        for unit in range(units):
            out[unit] += hidden[feature, unit] * inputs[feature]
    for unit in range(units):
        out[unit] = max(out[unit], 0.0)


@compiled
def rate(
    pixels: NDArray[Any],
    row: int,
    column: int,
    regression: Regression,
    inputs: NDArray[np.float64],
    terms: NDArray[np.float64],
) -> None:
    """Bring the score and doubt of a pixel up to date.

    `inputs`, (FEATURES,), and `terms`, (PRODUCTS,), are scratch.
    """
    pixel = pixels[row, column]
    pixel.score = NEVER
    if pixel.sample != 0 or pixel.neighbours[0] < 0:
        pixel.doubt = 0.0 if pixel.sample != 0 else 1.0
        return
    features(pixels, row, column, inputs)
    if len(regression.bias) == 0:
        expand(inputs, terms)
    else:
        _activate(regression.hidden, regression.bias, inputs, terms)
    reduction, doubt = regression.offset[0], regression.offset[1]
    for term in range(regression.output.shape[1]):
        reduction += regression.output[0, term] * terms[term]
        doubt += regression.output[1, term] * terms[term]
    pixel.doubt = min(max(doubt, 0.0), 1.0)
    if not pixel.closed:
        area = squared_distance((row << SHIFT) + column, pixel.neighbours[0])
        pixel.score = area * (max(reduction, 0.0) + regression.exploration)


@compiled
def expand_all(inputs: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill `out`, (n, PRODUCTS), with the terms of `inputs`, (n, FEATURES)."""
    for number in range(len(inputs)):
        expand(inputs[number], out[number])
