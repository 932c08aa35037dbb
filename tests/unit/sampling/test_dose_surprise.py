"""What measured pixels tell about the prior: pairs of phases and places where it is wrong more often."""

import numpy as np
import pytest

from daisy_bluesky.sampling._dose_field import DoseField, empty_dose_field
from daisy_bluesky.sampling._dose_surprise import FARTHEST, learn_surprise
from daisy_bluesky.sampling._messages import couplings, sweep
from daisy_bluesky.sampling._visit_value import learn_separation, rate_all

SIDE, PHASES, SURE = 48, 3, 8.0


def measured(labels: np.ndarray) -> DoseField:
    """Return a field whose pixels were all measured, and are as good as certain."""
    limit = np.full(labels.shape, np.inf)
    field = empty_dose_field(limit, limit > 0, PHASES, np.array([0.0, 0.0, 1.0, 0.0]), (0, 0))
    field.coupling[:] = couplings(0.6)
    field.dwell[:] = 1.0
    field.evidence[:] = -SURE * (labels[:, :, None] != np.arange(PHASES))
    sweep(field, 20, 1e-4)
    return field


def specks(rows: slice, phase: int) -> np.ndarray:
    """Return phase 0, with single pixels of another one in some rows."""
    labels = np.zeros((SIDE, SIDE), int)
    labels[rows, 2::4][::4] = phase
    return labels


def test_specks_of_one_phase_raise_the_odds_of_that_phase_alone() -> None:
    field = measured(specks(slice(2, SIDE), 2))
    learn_surprise(field)
    assert field.odds[0, 2] > 1 > 0.1 > field.odds[0, 1]
    np.testing.assert_allclose(field.odds.diagonal(), 1.0)


def test_places_with_specks_are_rougher_than_others() -> None:
    field = measured(specks(slice(26, SIDE), 2))
    learn_surprise(field)
    assert field.rough[32:42, 10:38].min() > 1 > field.rough[:16].max()
    assert field.rough.min() >= 1 / FARTHEST
    assert field.rough.max() <= FARTHEST


def test_before_any_visit_all_pairs_and_places_are_alike() -> None:
    limit = np.ones((8, 8))
    field = empty_dose_field(limit, limit > 0, PHASES, np.array([0.0, 0.0, 1.0, 0.0]), (0, 0))
    learn_surprise(field)
    np.testing.assert_array_equal(field.odds, 1.0)
    np.testing.assert_array_equal(field.rough, 1.0)


def test_the_value_of_a_visit_follows_roughness() -> None:
    field = measured(specks(slice(2, SIDE), 1))
    learn_separation(field)
    rate_all(field)
    before = field.value.copy()
    field.rough[5, 6] = 3.0
    rate_all(field)
    assert field.value[5, 6] == pytest.approx(3 * before[5, 6], rel=1e-5)
    assert field.value[20, 20] == before[20, 20]
