"""Scores of many pixels, two at a time: their sums run side by side, and each weight is loaded once for both."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._field import MASK, SHIFT
from daisy_bluesky.sampling._geometry import INPUTS, describe
from daisy_bluesky.sampling._regression import (
    FIRST,
    SECOND,
    SIZES,
    Regression,
    Scratch,
    Singles,
    predict,
    put_rating,
    rectify,
    scratch,
)


def _layers_of(inputs: int, outputs: int) -> Callable[[Singles, Singles, Singles, Singles, Singles], None]:
    """Return what computes a layer of these sizes for two pixels, to the bit what it is for each alone."""

    def layers(one: Singles, two: Singles, weights: Singles, out: Singles, other_out: Singles) -> None:
        """Fill `out` from the values `one`, and `other_out` from `two`."""
        for unit in range(outputs):
            out[unit] = weights[inputs * outputs + unit]
            other_out[unit] = weights[inputs * outputs + unit]
        for first in range(0, inputs, 8):
            a = (one[first], one[first + 1], one[first + 2], one[first + 3])
            a_more = (one[first + 4], one[first + 5], one[first + 6], one[first + 7])
            b = (two[first], two[first + 1], two[first + 2], two[first + 3])
            b_more = (two[first + 4], two[first + 5], two[first + 6], two[first + 7])
            for unit in range(outputs):
                total, other = out[unit], other_out[unit]
                for number in range(4):
                    weight = weights[(first + number) * outputs + unit]
                    total += a[number] * weight
                    other += b[number] * weight
                for number in range(4):
                    weight = weights[(first + 4 + number) * outputs + unit]
                    total += a_more[number] * weight
                    other += b_more[number] * weight
                out[unit], other_out[unit] = total, other

    layers.__qualname__ = f"layers_{inputs}_{outputs}"  # a file of numba's cache for each, as in `_regression`
    return compiled(layers)


_first_layers, _second_layers, _last_layers = (_layers_of(*sizes) for sizes in pairwise(SIZES))


@compiled
def _predict_two(
    pixels: NDArray[Any], place: int, other: int, weights: Singles, room: Scratch, other_room: Scratch
) -> None:
    """Fill the outputs of `room` and `other_room`, as `predict` does, for pixels at two places."""
    second = (INPUTS + 1) * FIRST
    last = second + (FIRST + 1) * SECOND
    describe(pixels, place >> SHIFT, place & MASK, room.features, room.inputs)
    describe(pixels, other >> SHIFT, other & MASK, other_room.features, other_room.inputs)
    _first_layers(room.inputs, other_room.inputs, weights[:second], room.first, other_room.first)
    rectify(room.first)
    rectify(other_room.first)
    _second_layers(room.first, other_room.first, weights[second:last], room.second, other_room.second)
    rectify(room.second)
    rectify(other_room.second)
    _last_layers(room.second, other_room.second, weights[last:], room.outputs, other_room.outputs)


@compiled
def rate_places(pixels: NDArray[Any], places: NDArray[np.int32], regression: Regression) -> None:
    """Bring the scores and doubts of pixels up to date, to the bit as `rate` does for each.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field; lists and labels up to date.
    places : (n,) int32
        The pixels, row * 2**SHIFT + column.
    regression : Regression
        What was learned.
    """
    room, other_room = scratch(), scratch()
    waiting = -1
    for place in places:
        pixel = pixels[place >> SHIFT, place & MASK]
        if pixel.sample != 0 or pixel.neighbours[0] < 0:
            put_rating(pixels, place >> SHIFT, place & MASK, regression, room)
        elif waiting < 0:
            waiting = place
        else:
            _predict_two(pixels, waiting, place, regression.weights, room, other_room)
            put_rating(pixels, waiting >> SHIFT, waiting & MASK, regression, room)
            put_rating(pixels, place >> SHIFT, place & MASK, regression, other_room)
            waiting = -1
    if waiting >= 0:
        predict(pixels, waiting >> SHIFT, waiting & MASK, regression.weights, room)
        put_rating(pixels, waiting >> SHIFT, waiting & MASK, regression, room)
