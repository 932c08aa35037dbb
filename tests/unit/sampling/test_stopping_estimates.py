"""What remains is estimated with an interval that holds on maps of kinds the calibration has not seen."""

import numpy as np
import pytest

from daisy_bluesky.sampling import DoseAllocator, Objectives, VisitCost
from daisy_bluesky.sampling._prediction_errors import PredictionErrors
from daisy_bluesky.sampling.calibrate_stopping import Moment, dose_states, fitted, label_map, value_states

SIDE = 32


def discs(seed):
    rng, grid = np.random.default_rng(seed), np.indices((SIDE, SIDE))
    truth = np.ones((SIDE, SIDE), np.int64)
    for number in range(6):
        truth[np.hypot(*(grid - rng.uniform(0, SIDE, (2, 1, 1)))) < rng.uniform(2, 7)] = 2 + number % 2
    return label_map(truth)


def test_the_interval_of_allocated_dose_holds_the_truth_mostly():
    held = [
        low <= distortion <= high
        for seed in (1, 2, 3)
        for allocator, distortion in dose_states(discs(seed), seed, 0.7, 0.0)
        for _, low, high in [allocator.remaining_distortion()]
    ]
    assert len(held) > 12
    assert np.mean(held) >= 0.75


def test_a_field_nobody_has_looked_at_may_be_wrong_everywhere():
    estimate, low, high = DoseAllocator((SIDE, SIDE), phases=2, cost=VisitCost()).remaining_distortion()
    assert low <= estimate <= high <= 1
    assert high > 0.5


def test_the_interval_of_objectives_holds_the_truth_mostly():
    held, rng = [], np.random.default_rng(5)
    for seed in (1, 2):
        truth = discs(seed) / 3.0
        for sampler, error in value_states(truth, seed, 0.2, rng):
            _, low, high = sampler.remaining_distortion()
            held += [] if np.isnan(high) else [low <= error <= high]
    assert len(held) >= 6
    assert np.mean(held) >= 0.75


def test_there_is_no_estimate_of_what_was_not_calibrated():
    sampler = Objectives((SIDE, SIDE), {"A": 1.0, "poor in A": 1.0})
    sampler._errors.note(0.1)
    assert np.isnan(sampler.remaining_distortion()).all()
    assert not sampler.estimated
    sampler.weights = {"A": 1.0}
    assert sampler.estimated
    assert np.isnan(PredictionErrors(100).estimate()).all()


def test_slopes_are_recovered_and_the_interval_is_that_of_unseen_kinds():
    rng = np.random.default_rng(0)
    moments = []
    for kind in range(8):
        for _ in range(200):
            signs = np.array([1.0, rng.uniform(-6, -2)])
            true = np.exp(signs[1] + 0.5 + 0.25 * signs[1] + 0.3 * rng.normal())
            moments.append(Moment(signs, true, kind))
    slopes, interval, ends = fitted(moments, 0.0)
    assert slopes == pytest.approx([0.5, 0.25], abs=0.1)
    assert interval == pytest.approx([-0.3 * 1.645, 0.3 * 1.645], abs=0.06)
    assert (ends[0] <= ends[1]).all()
