"""What an update leaves equals a recomputation from nothing, and that equals brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree

from daisy_bluesky.sampling import Slads
from daisy_bluesky.sampling._field import FAR, MASK, NEIGHBOURS, SHIFT


def brute_force_neighbours(samples):
    """The lists by sorting every sample by (squared distance, row, column)."""
    places = np.argwhere(samples != 0)
    lists = np.full((*samples.shape, NEIGHBOURS), -1)
    for row, column in np.ndindex(samples.shape):
        away = ((places - (row, column)) ** 2).sum(1)
        order = np.lexsort((places[:, 1], places[:, 0], away))[:NEIGHBOURS]
        lists[row, column, : len(order)] = (places[order, 0] << SHIFT) + places[order, 1]
    return lists


def brute_force_label(samples, nearest, row, column):
    """The vote by a dictionary; the first label to be met wins ties."""
    if samples[row, column] != 0:
        return samples[row, column]
    votes = {}
    for place in nearest[nearest >= 0]:
        r, c = int(place) >> SHIFT, int(place) & MASK
        votes.setdefault(int(samples[r, c]), []).append(1.0 / ((r - row) ** 2 + (c - column) ** 2))
    return max(votes, key=lambda label: sum(votes[label]), default=0)


def assert_like_brute_force(sampler):
    labels = sampler.labels
    pixels = sampler._pixels
    expected = brute_force_neighbours(pixels["sample"])
    np.testing.assert_array_equal(pixels["neighbours"], expected)
    for row, column in np.ndindex(sampler.shape):
        assert labels[row, column] == brute_force_label(pixels["sample"], expected[row, column], row, column)


def assert_like_rebuilt(sampler, allowed=None):
    """Every score, label and tile summary as a sampler that is told the same samples at once has it."""
    twin = Slads(sampler.shape, phases=3, seed=sampler.seed)
    if allowed is not None:
        twin.restrict(allowed)
    places = np.argwhere(sampler.measured)
    if len(places):
        twin.ingest(places, sampler._pixels["sample"][places[:, 0], places[:, 1]].astype(int))
    assert twin.labels is not None
    for name in twin._pixels.dtype.names:
        np.testing.assert_array_equal(sampler._pixels[name], twin._pixels[name], err_msg=name)
    for own, rebuilt in zip(sampler._field.summary, twin._field.summary, strict=True):
        np.testing.assert_array_equal(own, rebuilt)


shapes = st.tuples(st.integers(1, 37), st.integers(1, 37))
operations = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(-1, 3), st.integers(0, 40), st.booleans()), min_size=1, max_size=60
)


@given(shapes, operations)
@settings(max_examples=60, deadline=None)
def test_updates_equal_brute_force_and_rebuild(shape, steps):
    """New, replaced, moved, failed and unknown visits in any order."""
    sampler = Slads(shape, phases=3)
    assert sampler.labels is not None
    for number, label, visit, named in steps:
        place = divmod(number % (shape[0] * shape[1]), shape[1])
        sampler.ingest([place], [label], visits=[visit] if named else None)
    fresh = not sampler._stale
    assert_like_brute_force(sampler)
    if fresh:
        assert_like_rebuilt(sampler)


@given(shapes, operations, st.integers(0, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_restrictions_at_any_time_equal_one_before_everything(shape, steps, every, seed):
    rng = np.random.default_rng(seed)
    sampler, allowed = Slads(shape, phases=3), np.ones(shape, bool)
    assert sampler.labels is not None
    for index, (number, label, visit, named) in enumerate(steps):
        place = divmod(number % (shape[0] * shape[1]), shape[1])
        sampler.ingest([place], [label], visits=[visit] if named else None)
        if index % (every + 1) == 0:
            allowed = rng.random(shape) < 0.5
            sampler.restrict(allowed)
    if not sampler._stale:
        assert_like_rebuilt(sampler, allowed)
    assert all(allowed[visit["row"], visit["column"]] for visit in sampler.suggest(30))


def test_a_long_run_equals_a_kd_tree_and_a_rebuild(two_phases):
    """Sampled one by one to a quarter of the pixels; distances as a k-d tree finds them."""
    sampler = Slads(two_phases.shape, phases=2, seed=3)
    assert sampler.labels is not None
    for _ in range(two_phases.size // 4):
        visit = sampler.suggest()[0]
        place = (visit["row"], visit["column"])
        sampler.ingest([place], [two_phases[place]])
    assert not sampler._stale
    samples = np.argwhere(sampler._pixels["sample"])
    grid = np.indices(two_phases.shape).reshape(2, -1).T
    distance, _ = KDTree(samples).query(grid, NEIGHBOURS)
    np.testing.assert_array_equal(np.rint(distance[:, -1] ** 2), sampler._pixels["reach"].ravel())
    assert_like_rebuilt(sampler)


def test_a_long_run_with_replaced_visits_equals_a_rebuild(two_phases):
    """Labels change in mid-run: failed spectra become valid, phases are promoted, visits are withdrawn."""
    rng = np.random.default_rng(5)
    sampler = Slads(two_phases.shape, phases=2)
    places = np.argwhere(rng.random(two_phases.shape) < 0.2)
    sampler.ingest(places, rng.integers(-1, 3, len(places)), visits=np.arange(len(places)))
    assert sampler.labels is not None
    for visit in rng.integers(0, len(places), 400):
        sampler.ingest([places[visit]], [rng.integers(-1, 4)], visits=[visit])
    assert not sampler._stale
    assert_like_rebuilt(sampler)


def test_a_field_of_several_blocks_equals_a_rebuild():
    """Distant corners are reached while samples are few, and the best pixel is the best of the whole field."""
    truth = np.ones((300, 530), np.int64)
    truth[240:280, 230:300] = 2
    sampler = Slads(truth.shape, phases=2, start_fraction=0.0005)
    assert sampler.labels is not None
    for number in range(250):
        visit = sampler.suggest()[0]
        place = (visit["row"], visit["column"])
        if number >= 100 and number % 25 == 0:
            assert sampler.expected_reduction[place] == sampler.expected_reduction.max()
        sampler.ingest([place], [truth[place]])
    assert not sampler._stale
    assert_like_rebuilt(sampler)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11])
def test_fewer_samples_than_neighbours(count):
    sampler = Slads((9, 13), phases=2)
    places = [(number % 9, number) for number in range(count)]
    sampler.ingest(np.array(places, int).reshape(-1, 2), np.ones(count, int))
    assert_like_brute_force(sampler)
    assert (sampler._pixels["reach"] == FAR).all() == (count < NEIGHBOURS)


@given(shapes, operations, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_pages_of_visits_leave_what_single_visits_leave(shape, steps, seed):
    """Whatever the pages, the state is the same, and so is what is expected to be wrong."""
    rng = np.random.default_rng(seed)
    visits = [(divmod(number % (shape[0] * shape[1]), shape[1]), label, name) for number, label, name, _ in steps]
    one_by_one, in_pages = Slads(shape, phases=3), Slads(shape, phases=3)
    assert one_by_one.labels is not None
    assert in_pages.labels is not None
    for place, label, name in visits:
        one_by_one.ingest([place], [label], visits=[name])
    while visits:
        size = rng.integers(1, shape[0] * shape[1] // 256 + NEIGHBOURS + 1)
        places, labels, names = zip(*visits[:size], strict=True)
        in_pages.ingest(places, labels, visits=names)
        visits = visits[size:]
    if not (in_pages._stale or one_by_one._stale):
        np.testing.assert_array_equal(in_pages._tally, one_by_one._tally)
    np.testing.assert_array_equal(in_pages.labels, one_by_one.labels)
    np.testing.assert_array_equal(in_pages.expected_reduction, one_by_one.expected_reduction)
    np.testing.assert_array_equal(in_pages.measured, one_by_one.measured)
    assert_like_rebuilt(in_pages)
