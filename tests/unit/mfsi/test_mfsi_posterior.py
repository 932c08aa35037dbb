"""The structured solver against plain linear algebra on all unknowns at once."""

import numpy as np
import pytest

from daisy_bluesky.mfsi._information import row_information, row_scores
from daisy_bluesky.mfsi._posterior import Posterior
from daisy_bluesky.mfsi._row_prior import row_prior
from daisy_bluesky.mfsi._scan_basis import ScanBasis

SHAPE = (7, 9)


def problem(waves, seed=0):
    """Return the pieces of a small problem, and the dense design of all its unknowns."""
    rng = np.random.default_rng(seed)
    basis = ScanBasis(SHAPE, 2, waves)
    functions = len(basis.degrees)
    slopes, scores = rng.normal(size=(2, *SHAPE)), rng.normal(size=(2, *SHAPE))
    pulls = np.array([slopes[0] ** 2, slopes[0] * slopes[1], slopes[1] ** 2, *scores])
    outliers = np.arange(SHAPE[0]) == 3
    prior = row_prior(np.array([0.5, 0.9]), np.array([0.3, 0.6]), outliers)
    precision = rng.uniform(0.5, 2, (functions, 2))
    design = np.zeros((*SHAPE, 2, 2 * SHAPE[0] + 2 * functions))
    for row in range(SHAPE[0]):
        for column in range(SHAPE[1]):
            for along in range(2):
                design[row, column, along, 2 * row + along] = 1
                design[row, column, along, 2 * SHAPE[0] + along :: 2] = basis.at(row, column)
    return basis, slopes, pulls, prior, precision, design


def dense_prior(prior, precision):
    rows = len(prior.precision)
    dense = np.diag(np.concatenate([prior.precision.ravel(), precision.ravel()]))
    for row in range(1, rows):
        for along in range(2):
            here, before = 2 * row + along, 2 * (row - 1) + along
            dense[here, before] = dense[before, here] = prior.links[row, along]
    return dense


@pytest.mark.parametrize("waves", [(), ((0.1, 0.23),), ((0.1, 0.23), (-0.2, 0.31))])
def test_step_and_errors_equal_the_dense_solution(waves):
    basis, slopes, pulls, prior, precision, design = problem(waves)
    factors = basis.of_columns.shape[1]
    information, scores = np.empty((factors * (factors + 1) // 2, 3, SHAPE[0])), np.empty((factors, 2, SHAPE[0]))
    row_information(pulls, basis.of_columns, information)
    row_scores(pulls, basis.of_columns, scores)
    posterior = Posterior(basis, information, prior, precision)
    rng = np.random.default_rng(5)
    coefficients, rows = rng.normal(size=(len(precision), 2)), rng.normal(size=(SHAPE[0], 2))

    seen = np.einsum("arc,rcau->rcu", slopes, design)
    matrix = np.einsum("rcu,rcv->uv", seen, seen) + dense_prior(prior, precision)
    now = np.concatenate([rows.ravel(), coefficients.ravel()])
    side = np.einsum("arc,rcau->u", pulls[3:], design) - dense_prior(prior, precision) @ now
    expected = np.linalg.solve(matrix, side)
    covariance = np.linalg.inv(matrix)

    field_step, row_step = posterior.step(scores, coefficients, rows)
    found = np.concatenate([row_step.ravel(), field_step.ravel()])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
    size = 2 * SHAPE[0]
    np.testing.assert_allclose(posterior.field_covariance(), covariance[size:, size:], rtol=1e-8, atol=1e-12)


def test_error_is_that_of_the_dense_posterior():
    basis, slopes, pulls, prior, precision, design = problem(())
    factors = basis.of_columns.shape[1]
    information = np.empty((factors * (factors + 1) // 2, 3, SHAPE[0]))
    row_information(pulls, basis.of_columns, information)
    seen = np.einsum("arc,rcau->rcu", slopes, design)
    covariance = np.linalg.inv(np.einsum("rcu,rcv->uv", seen, seen) + dense_prior(prior, precision))
    spaced = [((np.arange(8) + 0.5) * n / 8).astype(int) for n in SHAPE]
    variances = [design[r, c] @ covariance @ design[r, c].T for r in spaced[0] for c in spaced[1]]
    expected = np.sqrt(np.mean([variance.diagonal() for variance in variances], axis=0))
    np.testing.assert_allclose(Posterior(basis, information, prior, precision).error(), expected, rtol=1e-9)


def test_rows_are_an_autoregression():
    prior = row_prior(np.array([0.2, 0.4]), np.array([0.0, 0.7]), np.zeros(6, dtype=bool))
    covariance = np.linalg.inv(dense_prior(prior, np.empty((0, 2))))
    apart = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    np.testing.assert_allclose(covariance[::2, ::2], 0.04 * np.eye(6), atol=1e-12)
    np.testing.assert_allclose(covariance[1::2, 1::2], 0.16 * 0.7**apart, atol=1e-12)


def test_rows_that_stand_apart_are_free():
    prior = row_prior(np.array([0.1, 0.1]), np.array([0.9, 0.9]), np.arange(6) == 2)
    covariance = np.linalg.inv(dense_prior(prior, np.empty((0, 2))))[::2, ::2]
    assert np.isclose(covariance[2, 2], 1.0)
    assert np.abs(covariance[2, [0, 1, 3, 4, 5]]).max() < 1e-12


def test_smooth_displacement_is_the_sum_of_its_functions():
    basis = ScanBasis(SHAPE, 2, ((0.1, 0.23),))
    rng = np.random.default_rng(3)
    coefficients, rows = rng.normal(size=(len(basis.degrees), 2)), rng.normal(size=(SHAPE[0], 2))
    displacement = basis.displacement(coefficients, rows)
    for row, column in ((0, 0), (3, 8), (6, 4)):
        np.testing.assert_allclose(displacement[row, column], basis.at(row, column) @ coefficients + rows[row])
    assert np.isclose(basis.at(2, 5)[-2], np.cos(2 * np.pi * (0.1 * 2 + 0.23 * 5)))
    assert np.isclose(basis.at(2, 5)[-1], np.sin(2 * np.pi * (0.1 * 2 + 0.23 * 5)))
