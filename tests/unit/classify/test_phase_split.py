import numpy as np
import pytest

from daisy_bluesky.classify._phase_split import contrast, leading_direction, scatter_beyond_noise, splits


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    first = rng.dirichlet(np.full(64, 3.0))
    return np.stack([first, 0.7 * first + 0.3 * rng.dirichlet(np.full(64, 0.3))])


def test_scatter_is_the_factorial_covariance():
    rng = np.random.default_rng(1)
    counts = rng.poisson(2.0, (30, 5)).astype(np.float32)
    mean = counts.sum(0) / counts.sum()
    expected = np.zeros((5, 5))
    for row in counts.astype(float):
        pairs = np.outer(row, row) - np.diag(row)
        expected += pairs - row.sum() * (row.sum() - 1) * np.outer(mean, mean)
    expected /= np.sqrt(np.outer(mean, mean))
    np.testing.assert_allclose(scatter_beyond_noise(counts, mean.astype(np.float64)), expected, rtol=1e-5, atol=1e-4)


def test_leading_direction_is_the_eigenvector():
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(12, 12))
    matrix = matrix + matrix.T + 8 * np.outer(np.ones(12), np.ones(12)) / 12
    values, vectors = np.linalg.eigh(matrix)
    direction, value = leading_direction(matrix)
    assert value == pytest.approx(values[-1], rel=1e-6)
    assert abs(direction @ vectors[:, -1]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("counts", [20, 200])
def test_poisson_noise_is_never_split(pair, counts, seed):
    rng = np.random.default_rng(seed)
    spectra = rng.poisson(counts * rng.uniform(0.5, 1.5, (600, 1)) * pair[0]).astype(np.float32)
    assert list(splits(spectra)) == []


@pytest.mark.parametrize("counts", [40, 400])
@pytest.mark.parametrize("share", [0.5, 0.12])
def test_two_phases_in_one_are_told_apart(pair, counts, share):
    rng = np.random.default_rng(7)
    truth = rng.random(800) < share
    spectra = rng.poisson(counts * pair[truth.astype(int)]).astype(np.float32)
    second = next(splits(spectra))
    agreement = np.mean(second == truth)
    assert max(agreement, 1 - agreement) > 0.93


def test_weak_variation_stays_one_phase(pair):
    rng = np.random.default_rng(8)
    lean = np.where(np.arange(64) < 32, 1.0, -1.0)
    thickness = rng.uniform(-0.12, 0.12, (800, 1))
    spectra = rng.poisson(300 * pair[0] * (1 + thickness * lean)).astype(np.float32)
    assert list(splits(spectra)) == []


def test_contrast_is_symmetric_and_zero_for_equals(pair):
    assert contrast(pair[0], pair[0]) == 0
    assert contrast(*pair) == pytest.approx(contrast(*pair[::-1]))
