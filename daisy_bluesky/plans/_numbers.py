"""Numbers that a user gives, refused by the name of their parameter."""

import math
from typing import Any

import numpy as np


def positive(name: str, value: Any, unit: str = "") -> float:
    """Return a number that must be finite and above 0.

    Raises
    ------
    ValueError
        It is not.
    """
    if not _is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{name}: {value!r} is not a positive number{unit and f' of {unit}'}")
    return float(value)


def finite(name: str, value: Any, unit: str = "") -> float:
    """Return a number that must be finite.

    Raises
    ------
    ValueError
        It is not.
    """
    if not _is_number(value) or not -math.inf < value < math.inf:
        raise ValueError(f"{name}: {value!r} is not a finite number{unit and f' of {unit}'}")
    return float(value)


def share(name: str, value: Any) -> float:
    """Return a number that must lie in (0, 1].

    Raises
    ------
    ValueError
        It does not.
    """
    if not _is_number(value) or not 0 < value <= 1:
        raise ValueError(f"{name}: {value!r} is not in (0, 1]")
    return float(value)


def whole(name: str, value: Any, least: int) -> int:
    """Return a whole number that must not be below `least`.

    Raises
    ------
    ValueError
        It is none, or below.
    """
    if not _is_number(value) or value != value // 1 or value < least or value >= 2**63:
        raise ValueError(f"{name}: {value!r} is not a whole number from {least} up to 2**63")
    return int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and value == value
