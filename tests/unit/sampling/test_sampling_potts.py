import itertools

import numpy as np
import pytest
from sampling_maps import random_field
from scipy.special import logsumexp, softmax

from daisy_bluesky.sampling import potts_posterior, total_distortion


def poisson_evidence(truth, counts, seed):
    """Log-likelihoods of two or three phases with overlapping spectra of 12 channels."""
    rng = np.random.default_rng(seed)
    phases = int(truth.max())
    means = np.random.default_rng(99).dirichlet(np.full(12, 2.0), phases) * counts
    observed = rng.poisson(means[truth - 1])
    return observed @ np.log(means).T - means.sum(1)


def distortion(posterior, truth):
    return total_distortion(1 + posterior.argmax(2), truth)


def test_without_strength_it_is_the_normalised_likelihood():
    evidence = np.random.default_rng(0).normal(0, 3, (7, 9, 4))
    np.testing.assert_allclose(potts_posterior(evidence, 0.0), softmax(evidence, axis=2))


def test_is_a_mean_field_fixed_point():
    evidence = poisson_evidence(random_field(40, 1), 4, 2)
    posterior = potts_posterior(evidence, 0.5)
    padded = np.pad(posterior, ((1, 1), (1, 1), (0, 0)))
    neighbours = sum(
        padded[1 + r : 41 + r, 1 + c : 41 + c] / (r * r + c * c)
        for r, c in itertools.product((-1, 0, 1), repeat=2)
        if (r, c) != (0, 0)
    )
    np.testing.assert_allclose(posterior, softmax(evidence + 0.5 * neighbours, axis=2), atol=5e-3)


def test_near_the_exact_marginals_of_a_small_field():
    """All 2^9 configurations of a 3 x 3 field, weak coupling, where mean field is accurate."""
    evidence = np.random.default_rng(3).normal(0, 1, (3, 3, 2))
    pairs = [
        (a, b) for a, b in itertools.combinations(np.ndindex(3, 3), 2) if max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1
    ]
    energies, states = [], []
    for values in itertools.product((0, 1), repeat=9):
        state = np.array(values).reshape(3, 3)
        energy = sum(evidence[p][state[p]] for p in np.ndindex(3, 3))
        energy += sum(0.1 * (state[a] == state[b]) / ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) for a, b in pairs)
        energies.append(energy)
        states.append(state)
    weights = np.exp(np.array(energies) - logsumexp(energies))
    exact = np.tensordot(weights, np.array(states), 1)
    np.testing.assert_allclose(potts_posterior(evidence, 0.1)[..., 1], exact, atol=0.02)


@pytest.mark.parametrize("counts", [3, 10])
def test_estimated_strength_is_near_the_best(counts):
    """The estimate needs no truth, yet is nearly as good as the strength chosen with it."""
    own, best, none = [], [], []
    for seed in range(3):
        truth = random_field(64, seed)
        evidence = poisson_evidence(truth, counts, seed)
        own.append(distortion(potts_posterior(evidence), truth))
        ladder = [distortion(potts_posterior(evidence, strength), truth) for strength in np.linspace(0, 2.5, 11)]
        best.append(min(ladder))
        none.append(ladder[0])
    assert np.mean(own) < 1.3 * np.mean(best) + 0.002
    assert np.mean(own) < 0.6 * np.mean(none)


def test_noise_without_structure_gets_no_prior():
    truth = np.random.default_rng(5).integers(1, 4, (48, 48))
    evidence = poisson_evidence(truth, 20, 6)
    assert distortion(potts_posterior(evidence), truth) <= distortion(potts_posterior(evidence, 0.0), truth) + 1e-9


def test_unmeasured_pixels_follow_their_neighbours():
    evidence = np.full((9, 9, 2), (0.0, -6.0))
    evidence[4, 4] = 0.0
    assert potts_posterior(evidence, 1.0)[4, 4, 0] > 0.99


def test_refuses_what_are_no_log_likelihoods():
    with pytest.raises(ValueError, match="shape"):
        potts_posterior(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="nan"):
        potts_posterior(np.full((3, 4, 2), np.nan))
    with pytest.raises(ValueError, match="-inf"):
        potts_posterior(np.full((3, 4, 2), -np.inf))
    with pytest.raises(ValueError, match="strength"):
        potts_posterior(np.zeros((3, 4, 2)), -1.0)
