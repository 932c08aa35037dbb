import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree

from daisy_bluesky.sampling import patterns

ALL = (
    patterns.raster,
    patterns.random,
    patterns.jittered,
    patterns.line_hop,
    patterns.sobol,
    patterns.halton,
)


@given(
    st.sampled_from(ALL), st.tuples(st.integers(1, 40), st.integers(1, 40)), st.floats(0.001, 1.0), st.integers(0, 9)
)
def test_distinct_positions_of_the_field(pattern, shape, fraction, seed):
    positions = pattern(shape, fraction, seed)
    assert positions.dtype == np.int64
    assert len(positions) == max(1, round(fraction * shape[0] * shape[1]))
    assert len(np.unique(positions, axis=0)) == len(positions)
    assert (positions >= 0).all()
    assert (positions < shape).all()


@pytest.mark.parametrize("pattern", ALL)
def test_number_of_points_and_seed(pattern):
    assert len(pattern((50, 70), 300)) == 300
    assert len(pattern((50, 70), 1)) == 3500
    np.testing.assert_array_equal(pattern((50, 70), 0.1, 3), pattern((50, 70), 0.1, 3))


@pytest.mark.parametrize("pattern", [pattern for pattern in ALL if pattern is not patterns.raster])
def test_seeds_differ(pattern):
    assert not np.array_equal(pattern((50, 70), 0.1, 3), pattern((50, 70), 0.1, 4))


def test_raster_and_jittered_go_line_by_line():
    assert (np.diff(patterns.raster((64, 64), 0.2)[:, 0]) >= 0).all()
    rows = patterns.jittered((64, 64), 0.25, 1)[:, 0] // 2
    assert (np.diff(rows) >= 0).all()


def largest_hole(positions, shape):
    return KDTree(positions).query(np.indices(shape).reshape(2, -1).T)[0].max()


def test_even_patterns_leave_smaller_holes_than_random():
    shape = (96, 96)
    random = np.median([largest_hole(patterns.random(shape, 0.05, seed), shape) for seed in range(5)])
    for pattern in (patterns.raster, patterns.jittered, patterns.line_hop, patterns.sobol, patterns.halton):
        assert np.median([largest_hole(pattern(shape, 0.05, seed), shape) for seed in range(5)]) < 0.8 * random


def test_line_hops_keep_an_even_pace_and_use_every_row():
    """A tenth of 120 x 120 in 38 bands of 38: steps along and bands across are equally long, rows equally often hit."""
    positions = patterns.line_hop((120, 120), 0.1, 3)
    steps = np.diff(positions[:, 1])
    assert set(steps[steps > 0]) <= {3, 4}
    assert (steps < 0).sum() == 37
    hits = sum(np.bincount(patterns.line_hop((120, 120), 0.1, seed)[:, 0], minlength=120) for seed in range(50))
    assert 0.7 < hits.min() / hits.mean() < hits.max() / hits.mean() < 1.4


@pytest.mark.parametrize("pattern", [patterns.sobol, patterns.halton])
def test_any_start_of_a_low_discrepancy_sequence_is_even(pattern):
    shape = (96, 96)
    positions = pattern(shape, 0.1, 2)
    for n in (64, 128, 256, 512):
        assert largest_hole(positions[:n], shape) < largest_hole(patterns.random(shape, n, 2), shape)


@pytest.mark.parametrize("pattern", ALL)
@pytest.mark.parametrize("fraction", [0, -0.1, 1.5, 10_000, float("nan")])
def test_refuses_no_fraction(pattern, fraction):
    with pytest.raises(ValueError, match="fraction"):
        pattern((10, 10), fraction)


def test_refuses_an_empty_field():
    with pytest.raises(ValueError, match="shape"):
        patterns.sobol((0, 10), 0.1)
