"""A logarithm that values at and below zero have too, in fixed point: ``sign(x) log2(1 + |x| / scale)``."""

import math

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

LOG_POINT = 10
"""Fractional bits of a stored logarithm: four significant figures for what spectra hold."""
FINE_POINT = 16
"""Fractional bits of an interpolated logarithm, and of what `from_log` returns."""
LARGEST_LOG = 30

_TABLE_BITS = 8
_TABLE_POINT = 30


def _powers() -> NDArray[np.int64]:
    """Return the whole parts of ``2**(30 + i / 256)`` for i from 0 to 256: eight nested square roots, exact."""
    powers = []
    for i in range(2**_TABLE_BITS + 1):
        power = 2 ** (_TABLE_POINT * 2**_TABLE_BITS + i)
        for _ in range(_TABLE_BITS):
            power = math.isqrt(power)
        powers.append(power)
    return np.array(powers, np.int64)


_POWERS = _powers()


def to_log(values: NDArray[np.float64], exponent: int) -> NDArray[np.int32]:
    """Return the logarithms of values over ``2**exponent``, `LOG_POINT` fractional bits; ValueError where too large."""
    relative = np.ldexp(np.abs(values), -exponent)
    if not np.all(relative < 2.0**LARGEST_LOG - 1):
        raise ValueError("values that are not finite, or a range beyond 2**30, cannot be down-sampled; use sigma")
    logs: NDArray[np.float64] = np.rint(np.copysign(np.log2(1 + relative), values) * 2**LOG_POINT)
    return logs.astype(np.int32)


@compiled
def from_log(log: np.int64) -> np.int64:
    """Return the value over the scale of a logarithm below `LARGEST_LOG`; both have `FINE_POINT` fractional bits."""
    magnitude = abs(log)
    whole, part = magnitude >> FINE_POINT, magnitude & ((np.int64(1) << FINE_POINT) - 1)
    place = part >> (FINE_POINT - _TABLE_BITS)
    rest = part & ((np.int64(1) << (FINE_POINT - _TABLE_BITS)) - 1)
    below, above = np.int64(_POWERS[place]), np.int64(_POWERS[place + 1])
    power = below + (((above - below) * rest) >> (FINE_POINT - _TABLE_BITS))
    value = ((power << whole) >> (_TABLE_POINT - FINE_POINT)) - (np.int64(1) << FINE_POINT)
    return value if log >= 0 else -value
