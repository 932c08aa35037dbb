"""What the table of multi-frame spectrum imaging is measured with, held against cases with known answers."""

import numpy as np
import pytest

from daisy_bluesky.bench import _mfsi_fractionation as fractionation
from daisy_bluesky.bench._displacement_error import displacement_error, without_common_warp
from daisy_bluesky.bench._mfsi_bound import bayesian_bound
from daisy_bluesky.bench._mfsi_crystal import CHANNELS, SHAPE, Crystal
from daisy_bluesky.bench._mfsi_extremes import Drawn, extreme
from daisy_bluesky.bench._mfsi_registration import Case, field_gate, outcome, row_gate, stated_gate, usual_gates
from daisy_bluesky.bench._mfsi_shear import common_distortion, true_shear
from daisy_bluesky.specimen import DamageDriver, ScanDistortion, VirtualSeries, crystal

SMALL = Case("small", 4, (48, 48))
FOUR = (4, 24, 30, 2)


@pytest.fixture
def truth():
    return np.random.default_rng(0).normal(0, 3, (4, 1, 1, 2)) + np.zeros(FOUR)


def test_nothing_is_wrong_where_what_is_found_is_true(truth):
    error = displacement_error(truth, truth)
    assert error.jumps == 0
    assert not np.any([error.frame, error.row, error.field])


def test_a_shift_or_a_warp_of_all_frames_cannot_be_observed_and_is_no_error(truth):
    places = np.moveaxis(np.indices(FOUR[1:3]), 0, -1) + truth
    warp = 0.02 * places + 0.4
    error = displacement_error(truth + warp, truth)
    assert error.field.max() < 0.01
    assert np.abs(without_common_warp(warp, truth)).max() < 0.03
    assert displacement_error(truth + 5.0, truth).jumps == 0


def test_a_frame_that_jumped_and_rows_that_are_off_are_counted(truth):
    found = truth.copy()
    found[2, ..., 0] += 6.0
    assert displacement_error(found, truth).jumps >= 1
    rng = np.random.default_rng(1)
    many = np.zeros((30, 40, 20, 2)) + rng.normal(0, 3, (30, 1, 1, 2))
    off = rng.normal(0, 0.1, (30, 40, 1, 2))
    error = displacement_error(many + off, many)
    np.testing.assert_allclose(error.row, 0.1, rtol=0.05)
    np.testing.assert_allclose(error.field, error.row, rtol=0.05)
    np.testing.assert_allclose(np.sqrt((error.of_frames**2).mean(axis=0)), error.field, rtol=1e-6)


def test_the_bound_falls_with_counts_as_a_square_root_and_never_beyond_what_is_known_before():
    def bound(counts, jitter):
        scan = ScanDistortion(jitter=(jitter, jitter), field=0.01)
        return bayesian_bound(VirtualSeries(crystal((32, 40)), (32, 40), scan=scan, counts=counts), 0)

    np.testing.assert_allclose(bound(1e4, 1.0) / bound(1e6, 1.0), 10, rtol=0.1)
    assert (bound(0.01, 0.1) < 10.5).all()
    assert (bound(1000.0, 0.001) < bound(1000.0, 0.3)).all()


def test_frames_of_the_bench_crystal_hold_the_events_they_claim():
    first = next(Crystal(0).frames(1))
    assert first.events["count"].sum() == pytest.approx(32_800, rel=0.05)
    assert first.displacement.shape == (*SHAPE, 2)
    assert first.events["channel"].max() < CHANNELS
    again = next(Crystal(0).frames(1))
    np.testing.assert_array_equal(first.events, again.events)


def test_the_signal_over_noise_of_columns_is_that_of_their_mean_over_its_noise():
    rng = np.random.default_rng(0)
    columns = np.stack(np.meshgrid(np.arange(10, 120, 12), np.arange(10, 120, 12)), -1).reshape(-1, 2).astype(float)
    pixels = np.moveaxis(np.indices((130, 130)), 0, -1)
    near = np.min([np.linalg.norm(pixels - column, axis=-1) for column in columns], axis=0) < fractionation.RADIUS
    one, other = (2.0 * near + rng.normal(0, 5.0, near.shape) for _ in range(2))
    pixels_of_a_column = np.sum(np.hypot(*np.mgrid[-3:4, -3:4]) < fractionation.RADIUS)
    expected = 2.0 / (5.0 / np.sqrt(pixels_of_a_column))
    assert fractionation.column_signal_to_noise(one, other, columns) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(("driver", "doses"), [(DamageDriver.DOSE, 4.0), (DamageDriver.PIXEL_CHARGE, 4.0 / 5)])
def test_what_survives_is_the_mean_of_an_exponential_decay(driver, doses):
    series = fractionation.Series(5, driver, 0)
    left = np.mean([series.surviving(frame) for frame in range(5)])
    assert left == pytest.approx((1 - np.exp(-doses)) / doses, rel=0.01)
    assert fractionation.Series(1, driver, 0).surviving(0) == pytest.approx((1 - np.exp(-4.0)) / 4.0, rel=0.01)
    assert series.dose.total_dose == pytest.approx(fractionation.Series(1, driver, 0).dose.total_dose)


def test_a_small_series_gives_every_row_of_registration():
    gates = list(usual_gates(SMALL, range(1)))
    assert [len(gate.figures) > 0 for gate in gates] == [True] * 4
    assert gates[0].figures["jumps"] == 0
    assert 0 < gates[1].figures["bound y"] <= gates[1].figures["y"] * 1.5
    assert gates[2].figures["ms"] > 0
    assert field_gate(SMALL, range(1)).figures["jumps"] == 0
    assert row_gate(SMALL, range(1), 100.0).passed
    stated = stated_gate(SMALL, range(1), [outcome(SMALL, 0)])
    assert 0 < stated.figures["low"] <= stated.figures["middle"] <= stated.figures["high"]


def test_frames_are_drawn_when_they_are_asked_for_and_the_time_is_kept_apart():
    series = SMALL.series(0)
    frames = Drawn(series, 4)
    assert len(frames) == 4
    np.testing.assert_array_equal(frames[2], series.image(2))
    assert frames.seconds > 0
    gate = extreme(SMALL)
    assert gate.passed
    assert gate.figures["seconds"] > 0


def test_a_drift_of_two_pixels_over_200_rows_leans_by_half_a_degree():
    assert true_shear(np.outer(np.arange(200) / 200, (0.0, 2.0))) == pytest.approx(0.57, abs=0.01)
    common, _ = common_distortion(Case("still", 5, (40, 40), scan={"drift": (0.0, 0.0), "walk": 0.3}), 0)
    assert not common.known
