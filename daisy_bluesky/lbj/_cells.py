"""Values of any type as whole numbers of a power-of-two unit, and what is left to tell them apart, in exact integers.

Floats between two multiples of the unit are a *cell*: the multiple below, and the place of the float among those of the
cell, in the order of the floats. -0.0 is the last float below 0.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._adaptive_bits import bit_length

FRACTION_BITS = {2: 10, 4: 23, 8: 52}
LARGEST_CELL = 2**32
"""Cells reach from minus this to this, exclusive; values outside are written as they are."""

_LONG = 62


class Kind(NamedTuple):
    """What a bit pattern stands for.

    Attributes
    ----------
    bits : int64
        Width of the type.
    signed : int64
        1 for a signed integer, else 0.
    fraction : int64
        Bits of a float's fraction; 0 for an integer.
    unit : int64
        A cell is ``2**unit`` wide; 0 for an integer.
    whole : int64
        1 where only the first float of a cell is in use, as for counts stored as floats.
    """

    bits: np.int64
    signed: np.int64
    fraction: np.int64
    unit: np.int64
    whole: np.int64


def kind_of(dtype: np.dtype[Any], unit: int, *, whole: bool) -> Kind:
    """Return what the bit patterns of a type stand for."""
    if dtype.kind == "f":
        numbers = (8 * dtype.itemsize, 0, FRACTION_BITS[dtype.itemsize], unit, int(whole))
    else:
        numbers = (8 * dtype.itemsize, int(dtype.kind == "i"), 0, 0, 1)
    return Kind(*map(np.int64, numbers))


def smallest_unit(dtype: np.dtype[Any]) -> int:
    """Return the exponent of the smallest float above 0; 0 for an integer type."""
    fraction = FRACTION_BITS[dtype.itemsize] if dtype.kind == "f" else 0
    return 2 - 2 ** (8 * dtype.itemsize - fraction - 2) - fraction if fraction else 0


def patterns_of(values: NDArray[Any]) -> NDArray[np.unsignedinteger[Any]]:
    """Return the bit patterns of values, a view of the same shape."""
    return values.view(f"u{values.itemsize}")


@compiled
def _pattern_of_multiple(multiple: np.int64, fraction: np.int64, exponents: np.int64, unit: np.int64) -> np.int64:
    """Return the bit pattern of ``multiple * 2**unit``, multiple not negative and of at most `fraction` + 1 bits."""
    if multiple == 0:
        return np.int64(0)
    top = bit_length(multiple) - 1
    bias = (np.int64(1) << (exponents - 1)) - 1
    exponent = unit + top + bias
    if exponent < 1:
        return multiple << (unit - (1 - bias - fraction))
    mantissa = (multiple << (fraction - top)) & ((np.int64(1) << fraction) - 1)
    return (exponent << fraction) | mantissa


@compiled
def _order_of_multiple(multiple: np.int64, fraction: np.int64, exponents: np.int64, unit: np.int64) -> np.int64:
    """Return the place of a multiple of the unit in the order of the floats: 0 for 0, -1 - that of m for -m."""
    pattern = _pattern_of_multiple(abs(multiple), fraction, exponents, unit)
    return pattern if multiple >= 0 else -1 - pattern


@compiled
def float_cell(pattern: np.int64, bits: np.int64, fraction: np.int64, unit: np.int64) -> tuple[bool, np.int64]:
    """Return whether a float has a cell, and which."""
    exponents = bits - 1 - fraction
    sign = (pattern >> (bits - 1)) & 1
    exponent = (pattern >> fraction) & ((np.int64(1) << exponents) - 1)
    mantissa = pattern & ((np.int64(1) << fraction) - 1)
    if exponent == (np.int64(1) << exponents) - 1:
        return False, np.int64(0)
    if exponent:
        mantissa |= np.int64(1) << fraction
    else:
        exponent = np.int64(1)
    shift = unit - (exponent - ((np.int64(1) << (exponents - 1)) - 1) - fraction)
    if shift < 0 and bit_length(mantissa) - shift > fraction + 1:
        return False, np.int64(0)
    shift = min(shift, np.int64(_LONG))
    below = mantissa >> shift if shift > 0 else mantissa << -shift
    if sign:
        whole = mantissa > 0 and (shift <= 0 or (below << shift) == mantissa)
        below = -below if whole else -below - 1
    return bool(abs(below) < LARGEST_CELL and bit_length(abs(below)) <= fraction + 1), below


@compiled
def _span(cell: np.int64, fraction: np.int64, exponents: np.int64, unit: np.int64) -> tuple[np.int64, np.int64]:
    """Return the order of the first float of a cell, and the largest place in it."""
    first = _order_of_multiple(cell, fraction, exponents, unit)
    above = cell + 1
    if bit_length(abs(above)) > fraction + 1:
        return first, np.int64(0)
    end = np.int64(0) if above == 0 else _order_of_multiple(above, fraction, exponents, unit)
    return first, end - first - 1


@compiled
def place_in_cell(
    pattern: np.int64, cell: np.int64, bits: np.int64, fraction: np.int64, unit: np.int64
) -> tuple[np.int64, np.int64]:
    """Return the place of a float among those of its cell, and the largest place."""
    sign = (pattern >> (bits - 1)) & 1
    magnitude = pattern & ((np.int64(1) << (bits - 1)) - 1)
    first, largest = _span(cell, fraction, bits - 1 - fraction, unit)
    return (-1 - magnitude if sign else magnitude) - first, largest


@compiled
def largest_place(cell: np.int64, bits: np.int64, fraction: np.int64, unit: np.int64) -> np.int64:
    """Return the largest place in a cell; -1 where there is no such cell."""
    nearest = cell if cell >= 0 else -1 - cell
    if bit_length(abs(cell)) > fraction + 1 or unit + bit_length(nearest) > np.int64(1) << (bits - 2 - fraction):
        return np.int64(-1)
    return _span(cell, fraction, bits - 1 - fraction, unit)[1]


@compiled
def float_pattern(cell: np.int64, place: np.int64, bits: np.int64, fraction: np.int64, unit: np.int64) -> np.int64:
    """Return the bit pattern of the float at a place in a cell."""
    order = _order_of_multiple(cell, fraction, bits - 1 - fraction, unit) + place
    return order if order >= 0 else (-1 - order) | (np.int64(1) << (bits - 1))
