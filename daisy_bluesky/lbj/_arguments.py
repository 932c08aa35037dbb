"""Checks of what a user gives, with one line that names the argument and what to give instead."""

from collections.abc import Iterable
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike, NDArray


def whole_number(name: str, given: SupportsIndex) -> int:
    """Return a whole number; TypeError where it is of another type, or a truth value."""
    try:
        if isinstance(given, bool | np.bool_):
            raise TypeError
        return index(given)
    except TypeError:
        raise TypeError(f"{name} {given!r} is no whole number; give an int") from None


def positive_number(name: str, given: SupportsIndex) -> int:
    """Return a whole number of 1 or more; TypeError or ValueError where it is none."""
    number = whole_number(name, given)
    if number < 1:
        raise ValueError(f"{name} {number} must be 1 or more")
    return number


def real_number(name: str, given: float) -> float:
    """Return a number; TypeError where it is of another type, or a truth value."""
    if isinstance(given, bool | np.bool_ | str | bytes):
        raise TypeError(f"{name} {given!r} is no number; give a float")
    try:
        return float(given)
    except (TypeError, ValueError):
        raise TypeError(f"{name} {given!r} is no number; give a float") from None


def lengths_of(shape: Iterable[SupportsIndex], channels: SupportsIndex) -> tuple[tuple[int, ...], int]:
    """Return the shape of an item before its channel axis, and the length of that; TypeError where they are none."""
    if not isinstance(shape, Iterable):
        raise TypeError(f"shape {shape!r} is no tuple; give ({shape!r},), or () for one spectrum")
    return tuple(whole_number("shape", length) for length in shape), whole_number("channels", channels)


def dtype_of(given: DTypeLike | None) -> np.dtype[Any]:
    """Return the type of the values of a file, uint32 for None; ValueError where it is none."""
    try:
        return np.dtype(np.uint32 if given is None else given)
    except TypeError:
        raise ValueError(f"dtype {given!r} is not known; give one such as 'uint32' or 'float32'") from None


def array_of(name: str, given: Any) -> NDArray[Any]:
    """Return an array; ValueError where it is masked, or its lengths differ."""
    if isinstance(given, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array, and a mask is not stored; fill it first, e.g. .filled(0)")
    try:
        return np.asarray(given)
    except ValueError:
        raise ValueError(f"{name} is no array, its lengths differ; give every row the same length") from None
