import numpy as np
import pytest
from scipy.stats import poisson

from daisy_bluesky.classify import PhaseLikelihood
from daisy_bluesky.classify._likelihood import smoothed_means


def test_differences_between_phases_are_those_of_poisson_probabilities(means, draw):
    spectra = draw([1, 2, 3], 400, 5)
    ours = PhaseLikelihood(means).log_likelihood(spectra)
    truth = np.array([[poisson.logpmf(s, s.sum() * mean).sum() for mean in means] for s in spectra])
    np.testing.assert_allclose(np.diff(ours), np.diff(truth), rtol=1e-9)


def test_one_spectrum_gives_the_same_bits_as_a_batch(means, draw):
    likelihood = PhaseLikelihood(means)
    spectra = draw(np.arange(64) % 5 + 1, 300, 6)
    batch = likelihood.log_likelihood(spectra)
    assert np.array_equal(batch, np.concatenate([likelihood.log_likelihood(s) for s in spectra]))
    assert np.array_equal(batch, likelihood.log_likelihood(spectra.astype(np.float32)))
    assert np.array_equal(batch, likelihood.log_likelihood(spectra.astype(np.int64)))


def test_a_count_where_training_saw_none_is_unlikely_but_possible():
    spectra = np.zeros((2, 64), np.uint32)
    spectra[0, 10], spectra[1, 50] = 500, 500
    likelihood = PhaseLikelihood.fit(spectra, [1, 2])
    stray = np.zeros(64, np.uint32)
    stray[30] = 1
    assert np.all(np.isfinite(likelihood.log_likelihood(stray)))
    assert likelihood.log_likelihood(spectra).argmax(1).tolist() == [0, 1]


def test_ill_training_spectra_are_left_out(training):
    spectra, labels = training
    ill = np.full((3, spectra.shape[1]), 20, np.uint32)
    with_ill = PhaseLikelihood.fit(np.concatenate([ill, spectra]), np.concatenate([[0, 0, 0], labels]))
    assert np.array_equal(with_ill.means, PhaseLikelihood.fit(spectra, labels).means)


@pytest.mark.parametrize("counts", [300, 3_000, 3_000_000])
def test_smoothing_never_hurts(means, counts):
    rng = np.random.default_rng(4)
    sums = rng.poisson(counts * means)
    ours = smoothed_means(sums)
    raw = (sums + 0.5) / (sums + 0.5).sum(1, keepdims=True)

    def divergence(estimate):
        return np.sum(means * np.log(means / estimate), axis=1)

    assert np.allclose(ours.sum(1), 1)
    assert np.all(divergence(ours) < divergence(raw) + 1e-3)


@pytest.mark.parametrize(
    ("spectra", "message"),
    [
        (np.zeros((2, 100)), "100 channels but the classifier was made for 2048"),
        (np.full(2048, -1.0), "finite and not negative"),
        (np.full(2048, np.nan), "finite and not negative"),
        (np.zeros((2, 2, 2048)), "not of shape"),
    ],
)
def test_bad_spectra_are_refused_in_one_line(means, spectra, message):
    with pytest.raises(ValueError, match=message):
        PhaseLikelihood(means).log_likelihood(spectra)


def test_a_mean_with_an_impossible_channel_is_refused():
    with pytest.raises(ValueError, match="positive in every channel"):
        PhaseLikelihood(np.array([[0.5, 0.5, 0.0]]))
