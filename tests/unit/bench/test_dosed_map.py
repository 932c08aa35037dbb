import numpy as np
import pytest

from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.bench._dosed_map import dosed_map, raster_map

MEANS = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [1 / 3, 1 / 3, 1 / 3]])


@pytest.fixture(scope="module")
def sample():
    rows, columns = np.indices((32, 32))
    labels = 1 + (np.hypot(rows - 15, columns - 12) < 9).astype(np.int64)
    ill = np.zeros(labels.shape, bool)
    ill[0, 0] = True
    return CountedObject("a disc", labels, ill, np.array([1.0, 1.0, 5.0]), MEANS.cumsum(axis=1), np.log(MEANS[:2].T))


@pytest.mark.parametrize(("place", "kind"), [((1, 1), 0), ((15, 12), 1), ((0, 0), 2)])
def test_spectra_are_poisson_draws_of_the_phase(sample, place, kind):
    drawn = sample.measure(np.tile(place, (4000, 1)), np.full(4000, 2.0), np.random.default_rng(0))
    rate = 2.0 * sample.brightness[kind] * MEANS[kind]
    np.testing.assert_allclose(drawn.mean(axis=0), rate @ sample.told, rtol=0.05)
    np.testing.assert_allclose(drawn.var(axis=0), rate @ sample.told**2, rtol=0.1)


def test_a_map_stops_at_its_cost_and_beats_the_raster(sample):
    first, last = dosed_map(sample, (1.0, 6.0), seed=0, batch=8)
    raster = raster_map(sample, 6.0, seed=0)
    assert 1.0 <= first.cost < 1.1
    assert 6.0 <= last.cost < 6.1
    assert last.distortion < 0.5 * raster.distortion
    assert last.measured == raster.measured == 1.0


def test_overhead_is_part_of_the_cost(sample):
    (point,) = dosed_map(sample, (5.0,), seed=0, overhead=20.0, batch=4)
    assert 0.1 < point.measured < 0.25
    assert point.distortion < 0.1
