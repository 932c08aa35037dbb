"""A phase that comes in mid-run, where something was expected of the phases known before."""

import numpy as np
import pytest

from daisy_bluesky.sampling import DoseAllocator

FAR = 40  # pixels from the one where the new phase is found: no news from there


def chain(log_prior, found, *, phases=2):
    """Return the posterior at the far end of a chain, where belief propagation is exact."""
    allocator = DoseAllocator((1, FAR + 1), phases=phases)
    prior = np.zeros((1, FAR + 1, phases))
    prior[0, 0] = log_prior
    allocator.expect(prior)
    allocator.ingest([(0, FAR)], found)
    return allocator.posterior[0, 0]


@pytest.mark.parametrize("probability", [(0.5, 0.5), (0.98, 0.02), (1e-6, 1 - 1e-6)])
def test_what_is_expected_of_the_others_speaks_neither_for_nor_against_a_new_phase(probability):
    posterior = chain(np.log(probability), [3])
    np.testing.assert_allclose(posterior, [*np.multiply(2 / 3, probability), 1 / 3], rtol=1e-4)


@pytest.mark.parametrize("found", [[3], [-1], [[0.0, -4.0, -5.0]]])
@pytest.mark.parametrize("shared", [-30.0, 8.0])
def test_a_term_that_all_phases_share_means_nothing_when_a_phase_is_new(found, shared):
    told = np.array([0.3, -1.2])
    np.testing.assert_allclose(chain(told + shared, found), chain(told, found), rtol=1e-4)


def test_an_unknown_phase_is_as_likely_as_the_others_whatever_is_expected_later():
    allocator = DoseAllocator((1, FAR + 1), phases=2)
    allocator.ingest([(0, FAR)], [-1])
    prior = np.zeros((1, FAR + 1, 2))
    prior[0, 0] = np.log([0.09, 0.01])
    allocator.expect(prior)
    np.testing.assert_allclose(allocator.posterior[0, 0], [0.6, 1 / 15], rtol=1e-4)
