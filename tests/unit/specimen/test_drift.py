import numpy as np
import pytest

from daisy_bluesky.specimen import Drift


def test_steady_drift():
    assert Drift(rate=6.0).displacement(30.0) == pytest.approx((0.0, 3.0))
    assert Drift(rate=6.0, direction=90).displacement(30.0) == pytest.approx((3.0, 0.0))


def test_random_walk_spreads_with_the_root_of_time():
    ends = np.array([Drift(random_walk=2.0, seed=seed).displacement(240.0) for seed in range(400)])
    assert ends.std() == pytest.approx(2.0 * np.sqrt(4), rel=0.15)


def test_random_walk_is_the_same_in_any_order_and_goes_on():
    times = [0.0, 0.4, 1.0, 777.7, 9000.0, 40_000.0]
    forward, backward = Drift(random_walk=1.0, seed=3), Drift(random_walk=1.0, seed=3)
    seen = {time: forward.displacement(time) for time in times}
    for time in reversed(times):
        assert backward.displacement(time) == seen[time]
    assert seen[0.0] == (0.0, 0.0)


def test_random_walk_is_continuous():
    drift = Drift(random_walk=1.0)
    before, after = drift.displacement(5.0 - 1e-9), drift.displacement(5.0 + 1e-9)
    assert before == pytest.approx(after, abs=1e-6)
