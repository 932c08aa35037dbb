"""Rows and smooth field together: the Gaussian posterior of a frame's displacement."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.mfsi._row_chain import chain_covariance, factor_chain, solve_chain
from daisy_bluesky.mfsi._row_prior import RowPrior
from daisy_bluesky.mfsi._scan_basis import ScanBasis

_PLACES = 8  # along each axis where the error is looked at
Array = NDArray[np.float64]


class Posterior:
    """Solves for rows and smooth field: the chain of rows is eliminated, the field solved, the rows put back.

    Parameters
    ----------
    basis : ScanBasis
        Functions of the smooth field.
    information : (pairs, 3, rows) float64
        From `row_information`.
    rows : RowPrior
        Prior of the rows.
    field_precision : (functions, 2) float64
        Prior information of the field's coefficients, 1 / px^2.
    """

    def __init__(self, basis: ScanBasis, information: Array, rows: RowPrior, field_precision: Array) -> None:
        self._basis, self._rows, self._field_precision = basis, rows, field_precision
        size, count = 2 * len(field_precision), basis.shape[0]
        field, self._coupling = np.zeros((size, size)), np.zeros((count, 2, size))
        _assemble(basis.terms, basis.of_rows, information, field, self._coupling)
        blocks = np.ascontiguousarray(information[0].T)
        blocks[:, 0] += rows.precision[:, 0]
        blocks[:, 2] += rows.precision[:, 1]
        self._inverses = np.empty((count, 3))
        factor_chain(blocks, rows.links, self._inverses)
        self._answer = self._coupling.copy()
        solve_chain(self._inverses, rows.links, self._answer)
        field[np.diag_indices(size)] += field_precision.ravel()
        _eliminate(self._coupling, self._answer, field)
        self._factor = field
        _factorise(self._factor)

    def step(self, scores: Array, coefficients: Array, rows: Array) -> tuple[Array, Array]:
        """Return the step from the present displacement to the most probable one.

        Parameters
        ----------
        scores : (factors, 2, rows) float64
            From `row_scores`.
        coefficients : (functions, 2) float64
            Present coefficients of the field, px.
        rows : (rows, 2) float64
            Present displacements of the rows, px.

        Returns
        -------
        coefficients, rows : float64
            What to add to each.
        """
        pull = -self._field_precision * coefficients
        terms = self._basis.terms
        found = np.einsum("tr,tdr->td", self._basis.of_rows[terms[:, 1]], scores[terms[:, 2]])
        np.add.at(pull, terms[:, 0], found)
        alone = np.ascontiguousarray((scores[0].T - self._rows.pull(rows))[:, :, None])
        solve_chain(self._inverses, self._rows.links, alone)
        side = pull.ravel() - np.einsum("rdk,rd->k", self._coupling, alone[:, :, 0])
        _solve(self._factor, side)
        return side.reshape(coefficients.shape), alone[:, :, 0] - np.einsum("rdk,k->rd", self._answer, side)

    def row_variances(self) -> tuple[Array, Array]:
        """Return each row's variance and its covariance with the row before, given the field; both (rows, 2) px^2."""
        variances, covariances = np.empty_like(self._inverses), np.empty_like(self._rows.links)
        chain_covariance(self._inverses, self._rows.links, variances, covariances)
        return variances[:, [0, 2]], covariances

    def field_covariance(self) -> Array:
        """Return the covariance of the field's coefficients, (2 functions, 2 functions) px^2."""
        covariance = np.eye(len(self._factor))
        for side in covariance:
            _solve(self._factor, side)
        return covariance

    def error(self) -> Array:
        """Return the expected error of a pixel's displacement along rows and columns, (2,) float64, px."""
        variances, _ = self.row_variances()
        covariance = self.field_covariance()
        count, columns = self._basis.shape
        total = np.zeros(2)
        for row in _spaced(count):
            for column in _spaced(columns):
                values = self._basis.at(row, column)
                for along in range(2):
                    answer = -self._answer[row, along]
                    answer[along::2] += values
                    total[along] += variances[row, along] + answer @ covariance @ answer
        return np.asarray(np.sqrt(total / _PLACES**2))


def _spaced(size: int) -> NDArray[np.int64]:
    return ((np.arange(_PLACES) + 0.5) * size / _PLACES).astype(np.int64)


@compiled
def _assemble(terms: NDArray[np.int64], of_rows: Array, information: Array, field: Array, coupling: Array) -> None:
    rows = of_rows.shape[1]
    for i in range(len(terms)):
        u, a, b = terms[i]
        for r in range(rows):
            value = of_rows[a, r]
            pair = b * (b + 1) // 2
            coupling[r, 0, 2 * u] += value * information[pair, 0, r]
            coupling[r, 0, 2 * u + 1] += value * information[pair, 1, r]
            coupling[r, 1, 2 * u] += value * information[pair, 1, r]
            coupling[r, 1, 2 * u + 1] += value * information[pair, 2, r]
        for j in range(len(terms)):
            v, e, f = terms[j]
            if v > u:
                continue
            pair = max(b, f) * (max(b, f) + 1) // 2 + min(b, f)
            yy, yx, xx = 0.0, 0.0, 0.0
            for r in range(rows):
                product = of_rows[a, r] * of_rows[e, r]
                yy += product * information[pair, 0, r]
                yx += product * information[pair, 1, r]
                xx += product * information[pair, 2, r]
            field[2 * u, 2 * v] += yy
            field[2 * u + 1, 2 * v] += yx
            field[2 * u, 2 * v + 1] += yx
            field[2 * u + 1, 2 * v + 1] += xx
    for i in range(len(field)):
        for j in range(i):
            field[j, i] = field[i, j]


@compiled
def _eliminate(coupling: Array, answer: Array, field: Array) -> None:
    """Take from the field's information what the rows could explain as well: its lower triangle, in place."""
    for r in range(len(coupling)):
        for along in range(2):
            for i in range(len(field)):
                strength = coupling[r, along, i]
                for j in range(i + 1):
                    field[i, j] -= strength * answer[r, along, j]


@compiled
def _factorise(matrix: Array) -> None:
    """Factorise a symmetric matrix by Cholesky; its lower triangle is replaced."""
    size = len(matrix)
    for j in range(size):
        for k in range(j):
            matrix[j, j] -= matrix[j, k] * matrix[j, k]
        matrix[j, j] = np.sqrt(matrix[j, j])
        for i in range(j + 1, size):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] /= matrix[j, j]


@compiled
def _solve(factor: Array, side: Array) -> None:
    """Solve for a right-hand side, (size,), in place."""
    size = len(factor)
    for i in range(size):
        for k in range(i):
            side[i] -= factor[i, k] * side[k]
        side[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            side[i] -= factor[k, i] * side[k]
        side[i] /= factor[i, i]
