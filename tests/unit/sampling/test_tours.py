"""Ways of the probe, against the plainest way to find them."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from daisy_bluesky.sampling import Slads
from daisy_bluesky.sampling._tours import _untangle, short_tour


def plain_tour(positions, start):
    left, order, place = np.ones(len(positions), bool), [], start
    for _ in range(len(positions)):
        away = np.where(left, ((positions - place) ** 2).sum(axis=1).astype(float), np.inf)
        order.append(int(away.argmin()))
        left[order[-1]] = False
        place = positions[order[-1]]
    order = np.array(order, np.int64)
    for _ in range(20):
        if not _untangle(positions, start, order):
            break
    return order


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 300), st.integers(0, 150), st.integers(0, 1000))
def test_the_nearest_is_next_and_of_equals_the_first(rows, columns, count, seed):
    rng = np.random.default_rng(seed)
    positions = np.stack([rng.integers(0, rows, count), rng.integers(0, columns, count)], axis=1) + 20
    start = rng.integers(0, 400, 2)
    np.testing.assert_array_equal(short_tour(positions, start), plain_tour(positions, start))


def test_a_long_start_pattern_is_ordered_in_time_proportional_to_it():
    sampler = Slads((1024, 1024), phases=2, start_fraction=0.04)
    sampler.suggest(16)
    began = time.process_time()
    visits = sampler.suggest(40_000)
    assert time.process_time() - began < 3.0
    assert len({(visit["row"], visit["column"]) for visit in visits}) == 40_000
