"""What measuring a pixel is expected to bring: a regression on its features."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import FEATURES, features
from daisy_bluesky.sampling._field import NEVER, SHIFT
from daisy_bluesky.sampling._neighbours import squared_distance

PRODUCTS = 1 + FEATURES + FEATURES * (FEATURES + 1) // 2
REDUCTION, DOUBT = 0, 1


class Regression(NamedTuple):
    """Least squares on the second-order products of the features.

    Attributes
    ----------
    coefficients : (2, PRODUCTS) float64
        Of the reduction in distortion over squared distance to the nearest measurement, and of the probability that
        the pixel's label is wrong.
    exploration : float
        Added to the first prediction, so that no empty region is left alone for ever.
    """

    coefficients: NDArray[np.float64]
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
def rate(
    pixels: NDArray[Any],
    row: int,
    column: int,
    regression: Regression,
    inputs: NDArray[np.float64],
    terms: NDArray[np.float64],
) -> None:
    """Bring the score and doubt of a pixel up to date.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field; lists and labels up to date.
    row, column : int
        The pixel.
    regression : Regression
        What was learned.
    inputs : (FEATURES,) float64, terms : (PRODUCTS,) float64
        Scratch.
    """
    pixel = pixels[row, column]
    pixel.score = NEVER
    if pixel.sample != 0 or pixel.neighbours[0] < 0:
        pixel.doubt = 0.0 if pixel.sample != 0 else 1.0
        return
    features(pixels, row, column, inputs)
    expand(inputs, terms)
    reduction, doubt = 0.0, 0.0
    for term in range(PRODUCTS):
        reduction += regression.coefficients[REDUCTION, term] * terms[term]
        doubt += regression.coefficients[DOUBT, term] * terms[term]
    pixel.doubt = min(max(doubt, 0.0), 1.0)
    if not pixel.closed:
        area = squared_distance((row << SHIFT) + column, pixel.neighbours[0])
        pixel.score = area * (max(reduction, 0.0) + regression.exploration)


@compiled
def expand_all(inputs: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill `out`, (n, PRODUCTS), with the terms of `inputs`, (n, FEATURES)."""
    for number in range(len(inputs)):
        expand(inputs[number], out[number])
