"""Poisson deviance against scipy's Kullback-Leibler divergence and against statistics."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import kl_div

from daisy_bluesky.spectra import poisson_deviance


@pytest.fixture
def factors():
    rng = np.random.default_rng(1)
    return rng.uniform(0, 2, (60, 3)), rng.uniform(0.01, 1, (3, 40))


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.coo_array, sparse.csc_array])
def test_it_is_twice_the_divergence(factors, kind):
    weights, spectra = factors
    counts = np.random.default_rng(2).poisson(weights @ spectra)
    truth = 2 * kl_div(counts, weights @ spectra).sum()
    assert poisson_deviance(kind(counts), weights @ spectra) == pytest.approx(truth)
    assert poisson_deviance(kind(counts), factors) == pytest.approx(truth)


def test_counts_listed_in_pieces_are_summed():
    pieces = sparse.coo_array(([1, 2, 4], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    expected = np.array([[0.5, 3.0], [2.0, 1.0]])
    assert poisson_deviance(pieces, expected) == pytest.approx(2 * kl_div([[0, 3], [4, 0]], expected).sum())
    assert pieces.nnz == 3


def test_a_true_expectation_leaves_one_per_bin():
    expected = np.full((100, 100), 200.0)
    counts = np.random.default_rng(3).poisson(expected)
    assert poisson_deviance(counts, expected) / counts.size == pytest.approx(1.0, abs=5 * np.sqrt(2 / counts.size))


def test_the_extremes():
    assert poisson_deviance(np.array([[3, 0]]), np.array([[3.0, 0.0]])) == 0
    assert poisson_deviance(np.array([[3, 1]]), np.array([[3.0, 0.0]])) == np.inf
    assert poisson_deviance(np.zeros((2, 2)), np.full((2, 2), 1.5)) == pytest.approx(12.0)


def test_what_makes_no_sense_is_refused(factors):
    with pytest.raises(ValueError, match="counts have shape"):
        poisson_deviance(np.zeros((2, 2)), factors)
    with pytest.raises(ValueError, match="not negative"):
        poisson_deviance(np.zeros((1, 2)), np.array([[1.0, -1.0]]))
    with pytest.raises(ValueError, match="finite"):
        poisson_deviance(np.zeros((1, 2)), np.array([[1.0, np.nan]]))
