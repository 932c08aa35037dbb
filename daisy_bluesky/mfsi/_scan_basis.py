"""The smooth part of a frame's displacement: polynomials over the field, and waves along the scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import eval_legendre

from daisy_bluesky.compilation import compiled

Array = NDArray[np.float64]
Wave = tuple[float, float]


@dataclass(frozen=True)
class ScanBasis:
    """Legendre polynomials up to a total degree, and a cosine and a sine for each wave.

    Each function is a sum of products of a function of the row and one of the column. The polynomials have a mean
    square of one, the waves of one half.

    Attributes
    ----------
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    degree : int
        Highest total degree of the polynomials; the first is the constant 1.
    waves : tuple of (float, float)
        Frequencies of the waves along rows and columns, cycles per px.
    """

    shape: tuple[int, int]
    degree: int
    waves: tuple[Wave, ...] = ()

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """Total degree of each function, (functions,) int64; -1 for waves."""
        pairs = self._pairs
        return np.array([a + b for a, b in pairs] + [-1] * (2 * len(self.waves)))

    @cached_property
    def of_columns(self) -> Array:
        """The functions of the column, (columns, factors) float64; the first is the constant 1."""
        polynomials = _legendre(self.shape[1], self.degree)
        phases = 2 * np.pi * np.outer([f for _, f in self.waves], np.arange(self.shape[1]))
        return np.ascontiguousarray(np.concatenate([polynomials, np.cos(phases), np.sin(phases)]).T)

    @cached_property
    def of_rows(self) -> Array:
        """The functions of the row, (factors, rows) float64."""
        polynomials = _legendre(self.shape[0], self.degree)
        phases = 2 * np.pi * np.outer([f for f, _ in self.waves], np.arange(self.shape[0]))
        return np.concatenate([polynomials, np.cos(phases), np.sin(phases), -np.sin(phases)])

    @cached_property
    def terms(self) -> NDArray[np.int64]:
        """Products that make up the functions, (terms, 3) int64: function, factor of the row, factor of the column."""
        found = [(k, a, b) for k, (a, b) in enumerate(self._pairs)]
        n, p = len(self.waves), self.degree + 1
        for k in range(n):
            cosine = len(self._pairs) + 2 * k
            cos, sin, minus = p + k, p + n + k, p + 2 * n + k
            found += [(cosine, cos, cos), (cosine, minus, sin), (cosine + 1, sin, cos), (cosine + 1, cos, sin)]
        return np.array(found, dtype=np.int64)

    @property
    def _pairs(self) -> list[tuple[int, int]]:
        return [(total - b, b) for total in range(self.degree + 1) for b in range(total + 1)]

    def displacement(self, coefficients: Array, rows: Array) -> Array:
        """Return the displacement of every pixel.

        Parameters
        ----------
        coefficients : (functions, 2) float64
            Of each function, along rows and columns, px.
        rows : (rows, 2) float64
            Of each row as a whole, px.

        Returns
        -------
        (rows, columns, 2) float64
            Displacement, px.
        """
        displacement = np.empty((*self.shape, 2))
        _compose(self.terms, self.of_rows, self.of_columns, coefficients, rows, displacement)
        return displacement

    def at(self, row: int, column: int) -> Array:
        """Return the value of every function at a pixel, (functions,) float64."""
        values = np.zeros(len(self.degrees))
        np.add.at(
            values, self.terms[:, 0], self.of_rows[self.terms[:, 1], row] * self.of_columns[column, self.terms[:, 2]]
        )
        return values


def resized(coefficients: Array, functions: int) -> Array:
    """Return coefficients with zeros for functions that a basis has gained, (functions, 2)."""
    larger = np.zeros((functions, 2))
    larger[: len(coefficients)] = coefficients
    return larger


def _legendre(size: int, degree: int) -> Array:
    place = (2 * np.arange(size) + 1) / size - 1
    polynomials: Sequence[Array] = [np.sqrt(2 * k + 1) * eval_legendre(k, place) for k in range(degree + 1)]
    return np.array(polynomials)


@compiled
def _compose(
    terms: NDArray[np.int64], of_rows: Array, of_columns: Array, coefficients: Array, rows: Array, displacement: Array
) -> None:
    factors = of_columns.shape[1]
    line = np.empty((factors, 2))
    for r in range(displacement.shape[0]):
        line[:] = 0
        for k in range(len(terms)):
            u, a, b = terms[k]
            line[b] += of_rows[a, r] * coefficients[u]
        for c in range(displacement.shape[1]):
            y, x = rows[r, 0], rows[r, 1]
            for b in range(factors):
                y += of_columns[c, b] * line[b, 0]
                x += of_columns[c, b] * line[b, 1]
            displacement[r, c, 0] = y
            displacement[r, c, 1] = x
