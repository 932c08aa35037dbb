"""What measuring a pixel is expected to bring: a small network on what its neighbours say."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._features import FEATURES
from daisy_bluesky.sampling._field import NEVER, SHIFT
from daisy_bluesky.sampling._geometry import INPUTS, describe
from daisy_bluesky.sampling._neighbours import squared_distance

# Inputs and hidden layers are multiples of eight.
FIRST, SECOND, OUTPUTS = 64, 32, 3
SIZES = (INPUTS, FIRST, SECOND, OUTPUTS)
REDUCTION, SURPRISE, DOUBT = range(OUTPUTS)
WEIGHTS = (INPUTS + 1) * FIRST + (FIRST + 1) * SECOND + (SECOND + 1) * OUTPUTS
# Where an output is a logarithm it stops here, so that no weights can make it overflow.
STEEPEST = 30.0
Singles = NDArray[np.float32]


class Regression(NamedTuple):
    """A network of two hidden layers of rectified units.

    Attributes
    ----------
    weights : (WEIGHTS,) float32
        The layers one after the other, each (inputs + 1, outputs) with the constants last. The outputs are the
        logarithm of the expected reduction in distortion over squared distance to the nearest measurement, and the
        logits of the probabilities that the neighbours' vote is wrong and that the reconstruction is.
    exploration : float
        Added to the first prediction, so that no empty region is left alone for ever.
    """

    weights: NDArray[np.float32]
    exploration: float


class Scratch(NamedTuple):
    """What a prediction needs to write to."""

    features: NDArray[np.float64]
    inputs: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    outputs: NDArray[np.float32]


@compiled
def scratch() -> Scratch:
    """Return the arrays that `predict` and `rate` write to."""
    return Scratch(
        np.empty(FEATURES, np.float64),
        np.empty(INPUTS, np.float32),
        np.empty(FIRST, np.float32),
        np.empty(SECOND, np.float32),
        np.empty(OUTPUTS, np.float32),
    )


def _layer_of(inputs: int, outputs: int) -> Callable[[Singles, Singles, Singles], None]:
    """Return what computes a layer of these sizes: they are known to the compiler, so that sums stay in registers."""

    def layer(values: Singles, weights: Singles, out: Singles) -> None:
        """Fill `out` with the constants plus the weighted sum of the values, added in their order, eight at a time."""
        for unit in range(outputs):
            out[unit] = weights[inputs * outputs + unit]
        for first in range(0, inputs, 8):
            eight = (
                values[first],
                values[first + 1],
                values[first + 2],
                values[first + 3],
                values[first + 4],
                values[first + 5],
                values[first + 6],
                values[first + 7],
            )
            for unit in range(outputs):
                total = out[unit]
                for number in range(8):
                    total += eight[number] * weights[(first + number) * outputs + unit]
                out[unit] = total

    # kernels of one name share a file of numba's cache, in which two processes that compile at once exchange them
    layer.__qualname__ = f"layer_{inputs}_{outputs}"
    return compiled(layer)


_first_layer, _second_layer, _last_layer = (_layer_of(*sizes) for sizes in pairwise(SIZES))


@compiled
def rectify(values: Singles) -> None:
    """Set negative values to 0."""
    for number in range(len(values)):
        values[number] = max(values[number], np.float32(0.0))


@compiled
def predict(pixels: NDArray[Any], row: int, column: int, weights: NDArray[np.float32], room: Scratch) -> None:
    """Fill `room.outputs` for a pixel without a sample and with at least one neighbour."""
    second = (INPUTS + 1) * FIRST
    last = second + (FIRST + 1) * SECOND
    describe(pixels, row, column, room.features, room.inputs)
    _first_layer(room.inputs, weights[:second], room.first)
    rectify(room.first)
    _second_layer(room.first, weights[second:last], room.second)
    rectify(room.second)
    _last_layer(room.second, weights[last:], room.outputs)


@compiled
def probability(logit: float) -> float:
    """Return the probability that a logit stands for."""
    return 1.0 / (1.0 + math.exp(-min(max(logit, -STEEPEST), STEEPEST)))


@compiled
def rate(pixels: NDArray[Any], row: int, column: int, regression: Regression, room: Scratch) -> None:
    """Bring the score and doubt of a pixel up to date.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field; lists and labels up to date.
    row, column : int
        The pixel.
    regression : Regression
        What was learned.
    room : Scratch
        To write to.
    """
    pixel = pixels[row, column]
    if pixel.sample == 0 and pixel.neighbours[0] >= 0:
        predict(pixels, row, column, regression.weights, room)
    put_rating(pixels, row, column, regression, room)


@compiled
def put_rating(pixels: NDArray[Any], row: int, column: int, regression: Regression, room: Scratch) -> None:
    """Set the score and doubt of a pixel to what `room.outputs` say, or where nothing can be predicted, without it."""
    pixel = pixels[row, column]
    pixel.score = NEVER
    if pixel.sample != 0 or pixel.neighbours[0] < 0:
        pixel.doubt = 0.0 if pixel.sample != 0 else 1.0
        return
    pixel.doubt = probability(room.outputs[DOUBT])
    if not pixel.closed:
        area = squared_distance((row << SHIFT) + column, pixel.neighbours[0])
        reduction = math.exp(min(room.outputs[REDUCTION], STEEPEST))
        pixel.score = area * (reduction + regression.exploration)


@compiled
def surprise(pixels: NDArray[Any], row: int, column: int, regression: Regression) -> float:
    """Return the probability that a pixel's label, voted by its neighbours, turns out wrong when it is measured."""
    if pixels[row, column].neighbours[0] < 0:
        return 1.0
    room = scratch()
    predict(pixels, row, column, regression.weights, room)
    return probability(room.outputs[SURPRISE])
