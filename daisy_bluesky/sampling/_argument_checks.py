"""Checks of single arguments: numbers, seeds, dwell times, positions."""

from typing import TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

WHOLE = int | np.integer
REAL = WHOLE | float | np.floating


def checked_numbers(name: str, values: ArrayLike) -> NDArray[np.generic]:
    """Return values as an array of real numbers, of the type they have.

    Raises
    ------
    ValueError
        If they are something else than numbers, or rows of several lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must be numbers in rows of one length") from None
    if array.size and array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be real numbers, not {array.dtype}")
    return array


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a real number, of Python or of NumPy; nan and infinity are."""
    return isinstance(value, REAL) and not isinstance(value, bool)


def check_seed(seed: int) -> None:
    """Check a seed.

    Raises
    ------
    ValueError
        If it is not a whole number from 0 up.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 up, not {seed!r}")


def check_visit_dwell(dwell: float) -> None:
    """Check the dwell time of every visit, s; nan where it does not matter.

    Raises
    ------
    ValueError
        If it is negative, 0 or infinite, or no number.
    """
    if not is_number(dwell) or dwell <= 0 or np.isinf(dwell):
        raise ValueError(f"dwell must be above 0 s, not {dwell!r}")


def check_place(row: int, column: int, shape: tuple[int, int]) -> None:
    """Check that there is such a pixel in a field.

    Raises
    ------
    ValueError
        If a coordinate is not a whole number, or the position lies outside the field.
    """
    if not (isinstance(row, WHOLE) and isinstance(column, WHOLE)) or isinstance(row, bool) or isinstance(column, bool):
        raise ValueError(f"position ({row!r}, {column!r}) must be a pixel, in whole numbers")
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise ValueError(f"position ({row}, {column}) lies outside the field of {shape} pixels")
