"""Distances that are looked up are those that would be computed."""

import math

import pytest

from daisy_bluesky.sampling._distances import TABULATED, inverse_distance, log_distance


@pytest.mark.parametrize("squared", [1, 2, 25, TABULATED - 1, TABULATED, TABULATED + 1, 2 * 4095**2])
def test_logarithms_and_inverses_follow_from_the_square(squared):
    assert log_distance(squared) == pytest.approx(math.log(math.sqrt(squared)), rel=1e-14)
    assert inverse_distance(squared) == pytest.approx(1 / math.sqrt(squared), rel=1e-14)
