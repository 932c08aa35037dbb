"""The mean distortion at each place of the common frame: no frame can tell it from the specimen, so it is taken out.

The first frame would otherwise print its own distortion on all that are aligned with it.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._alignment import Alignment
from daisy_bluesky.mfsi._scan_basis import ScanBasis, resized

_KNOTS = 12  # of the smooth part along the shorter axis of a frame
Array = NDArray[np.float64]


class CommonMean:
    """Running mean of the distortion of frames, at the places of the common frame.

    Parameters
    ----------
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    degree : int
        Highest degree of the smooth distortion's polynomials.
    """

    def __init__(self, shape: tuple[int, int], degree: int) -> None:
        self._grid = _Grid(shape, degree)
        self._rows = _GrowingMean(1)
        self._field = _GrowingMean(2)

    def add(self, alignment: Alignment) -> None:
        """Take in a frame."""
        usual = ~alignment.outliers
        shift = alignment.coefficients[0]
        self._rows.add((np.arange(len(usual)) + shift[0])[usual, None], alignment.rows[usual])
        coefficients = resized(alignment.coefficients, max(self._grid.functions, len(alignment.coefficients)))
        smooth = self._grid.values[:, 1:] @ coefficients[1 : self._grid.functions]
        self._field.add((self._grid.places + shift) / self._grid.step, smooth)

    def removed_from(self, alignment: Alignment) -> Alignment:
        """Return the alignment of a frame without the mean distortion at its place."""
        shift = alignment.coefficients[0]
        rows = alignment.rows - self._rows.at((np.arange(len(alignment.rows)) + shift[0])[:, None])
        common = self._field.at((self._grid.places + shift) / self._grid.step)
        coefficients = resized(alignment.coefficients, max(self._grid.functions, len(alignment.coefficients)))
        coefficients[: self._grid.functions] -= self._grid.fitting @ common
        return replace(alignment, rows=rows, coefficients=coefficients)


@dataclass(frozen=True)
class _Grid:
    """Places of a frame at which its smooth distortion is looked at."""

    shape: tuple[int, int]
    degree: int

    @property
    def step(self) -> float:
        return min(self.shape) / _KNOTS

    @cached_property
    def places(self) -> Array:
        axes = [np.linspace(0, n - 1, int(n / self.step) + 1).astype(int) for n in self.shape]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)

    @cached_property
    def values(self) -> Array:
        basis = ScanBasis(self.shape, self.degree)
        return np.array([basis.at(int(row), int(column)) for row, column in self.places])

    @property
    def functions(self) -> int:
        return int(self.values.shape[1])

    @cached_property
    def fitting(self) -> Array:
        return np.asarray(np.linalg.pinv(self.values))


class _GrowingMean:
    """Mean of pairs of values at places along one or two axes, read linearly between knots at integers."""

    def __init__(self, axes: int) -> None:
        self._low = np.zeros(axes, dtype=np.int64)
        self._total, self._count = np.zeros((*[1] * axes, 2)), np.zeros([1] * axes)

    def add(self, places: Array, values: Array) -> None:
        """Add values, (n, 2), at places, (n, axes)."""
        self._make_room(places)
        for knot, weight in self._around(places):
            np.add.at(self._total, knot, weight[:, None] * values)
            np.add.at(self._count, knot, weight)

    def at(self, places: Array) -> Array:
        """Return the mean at places, (n, axes), as (n, 2); zero where nothing is known."""
        self._make_room(places)
        mean = self._total / np.maximum(self._count, 1e-9)[..., None]
        return np.asarray(sum(weight[:, None] * mean[knot] for knot, weight in self._around(places)))

    def _around(self, places: Array) -> list[tuple[tuple[NDArray[np.int64], ...], Array]]:
        base = np.floor(places).astype(np.int64)
        part = places - base
        knots = base - self._low
        found = []
        for corner in np.ndindex(*[2] * places.shape[1]):
            weight = np.where(np.array(corner), part, 1 - part).prod(axis=1)
            found.append((tuple((knots + corner).T), weight))
        return found

    def _make_room(self, places: Array) -> None:
        low = np.minimum(self._low, np.floor(places.min(axis=0)).astype(np.int64))
        high = np.maximum(self._low + self._count.shape, np.floor(places.max(axis=0)).astype(np.int64) + 2)
        if (low == self._low).all() and (high == self._low + self._count.shape).all():
            return
        place = tuple(slice(a, a + n) for a, n in zip(self._low - low, self._count.shape, strict=True))
        total, count = np.zeros((*(high - low), 2)), np.zeros(high - low)
        total[place], count[place] = self._total, self._count
        self._low, self._total, self._count = low, total, count
