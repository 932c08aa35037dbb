from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from daisy_bluesky.report import HeldOut, read_run, recorded_outcomes


class Recorded:
    """Counts of the made-up run's two phases at every pixel; parts are drawn independently, as thinning does."""

    recorded_dwell = 0.04

    def __init__(self, run):
        self.shape = run.shape
        means = run.result["mean_spectra"] * 2  # twice the dwell of a visit
        self.expected = means[run.truth.ravel() - 1]

    def thinned(self, fraction, part=0):
        rng = np.random.default_rng([int(1e6 * fraction), part])
        return sparse.csr_array(rng.poisson(fraction * self.expected))


@pytest.fixture
def recorded(made_up_run):
    return Recorded(made_up_run)


def test_deviance_is_that_of_the_reconstructed_spectra(made_up_run, recorded):
    held_out = HeldOut.half(recorded)
    counts = held_out.counts.toarray()
    means = made_up_run.result["mean_spectra"]
    shapes = (means / means.sum(1, keepdims=True))[made_up_run.truth.ravel() - 1]
    expected = shapes * counts.sum(1, keepdims=True)
    filled = counts > 0
    dense = 2 * np.sum(counts[filled] * np.log(counts[filled] / expected[filled])) / made_up_run.truth.size
    assert held_out.deviance(made_up_run.truth, means) == pytest.approx(dense)


def test_the_true_map_has_the_least_deviance(made_up_run, recorded):
    held_out, means = HeldOut.half(recorded), made_up_run.result["mean_spectra"]
    true = held_out.deviance(made_up_run.truth, means)
    one_wrong = made_up_run.truth.copy()
    one_wrong[0, 0] = 2
    unknown = np.full(made_up_run.shape, -1)
    assert true < held_out.deviance(one_wrong, means) < held_out.deviance(unknown, means)


def test_a_run_stands_beside_a_raster_of_equal_electrons(made_up_run, recorded):
    run = read_run(made_up_run.documents())
    adaptive, raster = recorded_outcomes(recorded, run)
    assert raster.electrons == adaptive.electrons == run.electrons
    assert raster.counts_per_spectrum == pytest.approx(300 * run.sampled_fraction, rel=0.05)
    np.testing.assert_array_equal(raster.phase_map, made_up_run.truth)
    assert adaptive.deviance == pytest.approx(raster.deviance, rel=0.02)


def test_a_wrong_map_is_seen_to_be_worse(made_up_run, recorded):
    run = read_run(made_up_run.documents())
    adaptive, raster = recorded_outcomes(recorded, replace(run, phase_map=3 - run.phase_map))
    assert adaptive.deviance > 1.5 * raster.deviance


def test_there_must_be_counts_left_to_judge_on(made_up_run, recorded):
    run = read_run(made_up_run.documents())
    recorded.recorded_dwell = 0.03
    with pytest.raises(ValueError, match=r"dwell_time: 0\.02 s leaves less than half"):
        recorded_outcomes(recorded, run)
