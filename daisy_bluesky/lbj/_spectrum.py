"""Non-zeros per channel and level, coded as their distance from what the model or the neighbours foretell."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._levels import LEVELS
from daisy_bluesky.lbj._streams import write_varint
from daisy_bluesky.lbj._vectors import take_number, take_vector, write_vector

LARGEST_MODEL: Final = 2**31 - 1
NO_MODEL: Final = np.zeros(0, np.uint64)

_ONE = np.uint64(1)
_TWO = np.uint64(2)

Sizes = NDArray[np.uint32]
Model = NDArray[np.uint64]


@compiled
def away(value: np.uint64, foretold: np.uint64) -> np.uint64:
    """Return 0, 1, 2, ... for values ever farther from the one foretold, none below zero."""
    if value > _TWO * foretold:
        return value
    return _TWO * (value - foretold) if value >= foretold else _TWO * (foretold - value) - _ONE


@compiled
def back(distance: np.uint64, foretold: np.uint64) -> np.uint64:
    """Return the value that `away` took."""
    if distance > _TWO * foretold:
        return distance
    half = (distance + _ONE) // _TWO
    return foretold - half if distance & _ONE else foretold + half


@compiled
def _near(values: NDArray[np.uint64], channel: int) -> np.uint64:
    """Return what the three channels before foretell of one."""
    if channel < 3:
        return np.uint64(values[channel - 1]) if channel else np.uint64(0)
    near = _TWO * values[channel - 1] + values[channel - 2] + values[channel - 3]
    return np.uint64((near + _TWO) // np.uint64(4))


@compiled
def first_level(
    values: NDArray[np.uint64], model: NDArray[np.uint64], total: np.uint64, inverse: bool
) -> NDArray[np.uint64]:
    """Return distances of values, (channels,) uint64, or, where `inverse`, values of distances.

    They are foretold by the model, whose share of `total` they are, or, where it is (0,), by the channels before.
    """
    result = np.empty(values.size, np.uint64)
    known = result if inverse else values
    whole = max(_total(model), _ONE)
    each, half = 1.0 / np.float64(whole), whole >> _ONE
    for channel in range(values.size):
        foretold = _share(model[channel] * total + half, whole, each) if model.size else _near(known, channel)
        result[channel] = back(values[channel], foretold) if inverse else away(values[channel], foretold)
    return result


@compiled
def _share(value: np.uint64, whole: np.uint64, each: float) -> np.uint64:
    """Return ``value // whole``, which is below 2**50, exactly, at the cost of a product by `each`, ``1 / whole``."""
    share = np.uint64(np.float64(value) * each)
    left = np.int64(value - share * whole)
    if left < 0:
        return share - _ONE
    return share + _ONE if np.uint64(left) >= whole else share


@compiled
def _total(model: NDArray[np.uint64]) -> np.uint64:
    total = np.uint64(0)
    for weight in model:
        total += weight
    return total


@compiled
def _one_above(below: np.uint64, two_below: np.uint64, level: int) -> np.uint64:
    """Return how many pixels are foretold for a level, given how many the two levels below have.

    The share that goes one level up is, for small Poisson means, `level` / (`level` + 1) of the share before; for the
    first of them a series in the share of non-zeros follows it up to means of about 2.
    """
    share = (below << np.uint64(16)) // two_below
    if level == 1:
        series = np.uint64(12 << 16) + np.uint64(4) * share + ((np.uint64(3) * share * share) >> np.uint64(16))
        share = share * series // np.uint64(24 << 16)
    else:
        share = share * np.uint64(level) // np.uint64(level + 1)
    return (below * share + np.uint64(2**15)) >> np.uint64(16)


@compiled
def _distances(sizes: NDArray[np.uint32], level: int, pixels: int) -> NDArray[np.uint64]:
    """Return the distances of a level above the first, of the channels that have any pixel one level below."""
    distances = np.empty(sizes.shape[1], np.uint64)
    found = 0
    for channel in range(sizes.shape[1]):
        below = np.uint64(sizes[level - 1, channel])
        if below:
            two_below = np.uint64(sizes[level - 2, channel]) if level > 1 else np.uint64(pixels)
            foretold = _one_above(below, two_below, level)
            distances[found] = away(np.uint64(sizes[level, channel]), foretold)
            found += 1
    return distances[:found].copy()


@compiled
def _fill_first(values: NDArray[np.uint64], pixels: int, total: int, sizes: NDArray[np.uint32]) -> int:
    """Fill the first level, (levels, channels); return how many channels have a pixel, -1 where it cannot be."""
    found, left = 0, np.uint64(total)
    for channel in range(values.size):
        if values[channel] > min(np.uint64(pixels), left):
            return -1
        left -= values[channel]
        sizes[0, channel] = values[channel]
        found += 1 if values[channel] else 0
    return -1 if left else found


@compiled
def _fill(distances: NDArray[np.uint64], level: int, pixels: int, sizes: NDArray[np.uint32]) -> int:
    """Fill a level above the first; return how many channels have a pixel, -1 where it cannot be."""
    found, place = 0, 0
    for channel in range(sizes.shape[1]):
        below = np.uint64(sizes[level - 1, channel])
        sizes[level, channel] = 0
        if below:
            two_below = np.uint64(sizes[level - 2, channel]) if level > 1 else np.uint64(pixels)
            value = back(distances[place], _one_above(below, two_below, level))
            if value > below:
                return -1
            sizes[level, channel] = value
            found += 1 if value else 0
            place += 1
    return found


def write_sizes(sizes: Sizes, pixels: int, model: Model) -> bytes:
    """Return the sizes of all levels, (levels, channels) uint32, as bytes.

    Parameters
    ----------
    sizes : (levels, channels) uint32
        Pixels with a count of level + 1 or more; no level is empty.
    pixels : int
        How many pixels there are.
    model : (channels,) uint64
        What the first level is expected to be proportional to; (0,) to go by the neighbours.
    """
    first = sizes[0].astype(np.uint64)
    distances = first_level(first, model, first.sum(), False)
    further = [write_vector(_distances(sizes, level, pixels)) for level in range(1, sizes.shape[0])]
    return b"".join([write_varint(sizes.shape[0]), write_vector(distances), *further])


@compiled
def take_sizes(
    data: NDArray[np.uint8], place: int, pixels: int, total: int, channels: int, model: NDArray[np.uint64]
) -> tuple[NDArray[np.uint32], int]:
    """Return the sizes of all levels, (levels, channels) uint32, and where they end, -1 where they are none.

    Parameters
    ----------
    data : (n,) uint8
        Has what `write_sizes` gave from byte `place` on.
    pixels, total, channels : int
        Of the tile; `total` is the sum of the first level.
    model : (channels,) or (0,) uint64
        As given to `write_sizes`.
    """
    levels, place = take_number(data, place)
    if place < 0 or not 1 <= levels <= LEVELS:
        return np.empty((0, channels), np.uint32), -1
    sizes = np.empty((levels, channels), np.uint32)
    distances, place = take_vector(data, place, channels)
    if place < 0:
        return sizes, -1
    values = first_level(distances, model, np.uint64(total), True)
    found = _fill_first(values, pixels, total, sizes)
    for level in range(1, levels):
        if found < 0 or place < 0:
            return sizes, -1
        distances, place = take_vector(data, place, found)
        if place >= 0:
            found = _fill(distances, level, pixels, sizes)
    return sizes, place if found >= 0 else -1


def scaled_model(sizes: Model) -> Model:
    """Return non-zeros per channel, halved together until their sum fits the arithmetic of a model."""
    total = int(sizes.sum())
    return sizes >> np.uint64(max(total.bit_length() - LARGEST_MODEL.bit_length(), 0))
