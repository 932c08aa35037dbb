"""What an operator may ask for before, between and during maps."""

import numpy as np
import pytest

from daisy_bluesky.plans import Steering

SHAPE = (6, 8)
MAP = {"shape": SHAPE, "policy": "slads"}
REGION = np.zeros(SHAPE, bool)
REGION[:, :4] = True


def state(steering):
    record = steering.pending()
    return None if record is None else {key: entry["value"] for key, entry in record.read().items()}


def test_nothing_asked_for_leaves_nothing_behind():
    steering = Steering().bound(MAP, {})
    assert state(steering) is None
    steering.bound(MAP | {"shape": (16, 16)}, {})
    assert state(steering) is None
    assert not steering.vetoes


def test_what_was_asked_for_holds_for_the_next_map_of_that_shape():
    steering = Steering().bound(MAP, {})
    steering.restrict(REGION)
    steering.add_region(REGION, np.float32(3))
    first = state(steering)
    second = state(steering.bound(MAP, {}))
    np.testing.assert_array_equal(first["allowed"], REGION)
    for key in first:
        np.testing.assert_array_equal(first[key], second[key])
    assert steering.vetoes
    with pytest.raises(ValueError, match=r"^steering: allowed has shape \(6, 8\), the map \(5, 5\)"):
        steering.bound(MAP | {"shape": (5, 5)}, {})


def test_a_region_of_a_wrong_shape_can_be_said_anew():
    steering = Steering()
    steering.add_region(REGION[:3], 2.0)
    with pytest.raises(ValueError, match=r"^steering: preference has shape"):
        steering.bound(MAP, {})
    steering.add_region(REGION, np.int64(5))
    np.testing.assert_array_equal(state(steering.bound(MAP, {}))["preference"], np.where(REGION, 5.0, 1.0))


@pytest.mark.parametrize("preference", [0.0, -1.0, 1e39, 1e-50, np.nan, "much", [1.0, 2.0], True + 1j])
def test_a_preference_out_of_range_is_refused_at_once(preference):
    steering = Steering().bound(MAP, {})
    with pytest.raises(ValueError, match=r"^preference must"):
        steering.add_region(REGION, preference)
    assert state(steering) is None


@pytest.mark.parametrize("region", [None, REGION[0], [[1, 0], [1]], REGION * 2.0, "left"])
def test_what_is_no_region_is_refused(region):
    for steering in (Steering(), Steering().bound(MAP, {})):
        with pytest.raises(ValueError, match=r"^region must"):
            steering.add_region(region)
        assert state(steering) is None


def test_what_held_before_goes_on_holding():
    before = {"allowed": REGION, "preference": np.where(REGION, 2.0, 1.0)}
    steering = Steering().bound(MAP, before)
    assert steering.vetoes
    steering.add_region(~REGION, 3.0)
    saved = state(steering)
    np.testing.assert_array_equal(saved["allowed"], REGION)
    np.testing.assert_array_equal(saved["preference"], np.where(REGION, 2.0, 3.0))
    steering.restrict(None)
    assert not steering.vetoes


def test_weights_asked_for_hold_for_the_next_map():
    goals = MAP | {"policy": "objectives", "objectives": {"Ti Ka": 1.0, "phases": 2.0}}
    steering = Steering().bound(goals, {})
    assert steering.weights == {"Ti Ka": 1.0, "phases": 2.0}
    assert state(steering) is None
    other = goals | {"objectives": {"Ti Ka": 4.0, "phases": 2.0}}
    assert steering.bound(other, {}).weights == {"Ti Ka": 4.0, "phases": 2.0}
    steering.weights = {"phases": np.float32(1.0)}
    state(steering)
    assert state(steering.bound(goals, {}))["weights"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "mask", [np.full(SHAPE, np.nan), np.full(SHAPE, 0.3), np.full(SHAPE, None), np.full(SHAPE, "x")]
)
def test_a_mask_is_true_or_false_everywhere(mask):
    steering = Steering()
    with pytest.raises(ValueError, match=r"^allowed must be true or false at every pixel$"):
        steering.restrict(mask)
    with pytest.raises(ValueError, match=r"^region must be true or false at every pixel$"):
        steering.add_region(mask)
    assert state(steering.bound(MAP, {})) is None


@pytest.mark.parametrize("mask", ["x", np.ones(3), np.ones((2, 3, 4)), None])
def test_a_mask_has_rows_and_columns(mask):
    with pytest.raises(ValueError, match=r"^allowed must have the map's shape"):
        Steering().restrict(mask)


def test_ones_and_zeros_are_a_mask_of_their_own():
    steering, mask = Steering(), np.eye(*SHAPE, dtype=np.uint8)
    steering.restrict(mask)
    mask[:] = 0
    np.testing.assert_array_equal(state(steering.bound(MAP, {}))["allowed"], np.eye(*SHAPE))
