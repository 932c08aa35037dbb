"""Where regions begin, and how far levels lie apart, within noise."""

import numpy as np
import pytest

from daisy_bluesky.sampling._objective_scale import membership, rarity, scale_of, threshold_of

RNG = np.random.default_rng(5)


def noisy(levels, counts, deviation):
    values = np.concatenate([np.full(count, float(level)) for level, count in zip(levels, counts, strict=True)])
    return values + deviation * RNG.standard_normal(len(values)), np.full(len(values), deviation**2)


def test_the_span_is_that_of_the_levels_not_of_the_noise():
    assert scale_of(*noisy([0, 100], [500, 500], 5.0)) == pytest.approx(100, rel=0.2)
    assert scale_of(np.full(9, 3.0), np.zeros(9)) == 1.0


def test_the_poorest_of_several_levels_is_parted_from_the_next():
    values, noise = noisy([20, 52, 68], [30, 900, 300], 3.0)
    assert 26 < threshold_of(values, noise, poor=True) < 46
    assert 55 < threshold_of(values, noise, poor=False) < 65


def test_noise_alone_has_no_poor_region():
    values, noise = noisy([50], [2000], 5.0)
    threshold = threshold_of(values, noise, poor=True)
    assert membership(np.array([50.0]), np.array([25.0]), threshold, poor=True)[0] < 1e-3


def test_membership_is_the_probability_to_lie_beyond():
    beyond, variance = membership(np.array([10.0, 0.0, 20.0]), np.array([4.0, 4.0, 4.0]), 10.0, poor=True)
    np.testing.assert_allclose(beyond, [0.5, 1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(variance, [0.25, 0.01, 0.01])


def test_the_rarest_phase_costs_most():
    costs = rarity(np.array([1] * 100 + [2] * 25 + [-1] * 4), 255)
    assert costs[1] == pytest.approx(0.2)
    assert costs[2] == pytest.approx(0.4)
    assert costs[-1] == 1.0
