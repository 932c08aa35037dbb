"""How many times off the expected distortion is, learned from runs whose truth is known."""

import numpy as np

from daisy_bluesky.sampling._calibration import LEAST_DISTORTION, SIGNS, calibrated, estimate


def runs(seed, n=2000):
    """Signs, and a truth that depends on them in a known way but for a spread of 0.3."""
    rng = np.random.default_rng(seed)
    told = np.column_stack([np.ones(n), rng.normal(0, 0.1, n), rng.normal(0, 0.5, n), rng.uniform(-6.5, -2.5, n)])
    off = -0.4 - 3.0 * told[:, 1] + 0.5 * told[:, 2] - 0.1 * told[:, 3] + rng.normal(0, 0.3, n)
    return told, np.maximum(np.exp(told[:, 3] + off) - LEAST_DISTORTION, 0.0)


def test_the_relation_is_found_and_the_interval_holds_nine_in_ten():
    calibration, interval = calibrated(*runs(1))
    np.testing.assert_allclose(calibration[0], [-0.4, -3.0, 0.5, -0.1], atol=0.15)
    told, true = runs(2)
    middle, low, high = np.array([estimate(each, calibration, interval, 1.0) for each in told]).T
    assert 0.87 < np.mean((low <= true) & (true <= high)) < 0.93
    assert 0.45 < np.mean(true <= middle) < 0.55


def test_signs_that_were_never_met_are_not_extrapolated_to():
    calibration, interval = calibrated(*runs(1))
    told = runs(1)[0]
    strange, extreme = told[0].copy(), told[0].copy()
    strange[1], extreme[1] = 5.0, told[:, 1].max()
    np.testing.assert_array_equal(
        estimate(strange, calibration, interval, 1.0), estimate(extreme, calibration, interval, 1.0)
    )


def test_no_more_is_left_than_was_not_measured():
    calibration, interval = calibrated(*runs(1))
    told = runs(1)[0][0]
    assert (estimate(told, calibration, interval, 0.0) == 0).all()
    assert estimate(told, calibration, interval, 1e-3).max() <= 1e-3


def test_runs_that_were_all_alike_give_no_slope():
    told = np.tile([1.0, 0.0, 0.0, -4.0], (20, 1))
    calibration, _ = calibrated(told, np.full(20, np.exp(-4.0) - LEAST_DISTORTION))
    assert calibration.shape == (3, SIGNS)
    np.testing.assert_allclose(calibration[0], 0.0, atol=1e-9)
