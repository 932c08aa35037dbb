"""What an operator may say of pixels."""

import numpy as np
import pytest

from daisy_bluesky.plans import Steering

SHAPE = (32, 32)


@pytest.mark.parametrize(
    "mask", [np.full(SHAPE, np.nan), np.full(SHAPE, 0.3), np.full(SHAPE, None), np.full(SHAPE, "x")]
)
def test_a_mask_is_true_or_false_everywhere(mask):
    steering = Steering()
    with pytest.raises(ValueError, match=r"^allowed must be true or false at every pixel$"):
        steering.restrict(mask)
    with pytest.raises(ValueError, match=r"^region must be true or false at every pixel$"):
        steering.add_region(mask)
    configuration = {"shape": SHAPE, "policy": "slads"}
    assert steering.bound(configuration, {}).pending() is None


@pytest.mark.parametrize("mask", ["x", np.ones(3), np.ones((2, 3, 4))])
def test_a_mask_has_rows_and_columns(mask):
    with pytest.raises(ValueError, match=r"^allowed must have the map's shape"):
        Steering().restrict(mask)


def test_ones_and_zeros_are_a_mask_of_their_own():
    steering, mask = Steering(), np.eye(32, dtype=np.uint8)
    steering.restrict(mask)
    mask[:] = 0
    saved = steering.bound({"shape": SHAPE, "policy": "slads"}, {}).pending().read()
    np.testing.assert_array_equal(saved["allowed"]["value"], np.eye(32))
