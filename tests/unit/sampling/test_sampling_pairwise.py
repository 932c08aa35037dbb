"""Two pixels at a time are rated as each alone, bit for bit."""

import numpy as np
import pytest

from daisy_bluesky.sampling import Slads
from daisy_bluesky.sampling._field import SHIFT
from daisy_bluesky.sampling._pairwise import rate_places
from daisy_bluesky.sampling._regression import rate, scratch


@pytest.mark.parametrize("visits", [0, 1, 7, 300])
def test_scores_and_doubts_are_those_of_single_pixels(two_phases, visits):
    """Pixels with few neighbours and many, measured and closed ones among them, in any order, odd in number."""
    rng = np.random.default_rng(visits)
    sampler = Slads(two_phases.shape, phases=2)
    sampler.restrict(rng.random(two_phases.shape) < 0.9)
    places = np.argwhere(np.ones(two_phases.shape, bool))[rng.permutation(two_phases.size)[:visits]]
    sampler.ingest(places, two_phases[tuple(places.T)])
    assert sampler.labels is not None
    alone, together = sampler._pixels.copy(), sampler._pixels.copy()
    chosen = rng.permutation(two_phases.size)[: 2 * (two_phases.size // 3) + 1]
    rows, columns = np.divmod(chosen, two_phases.shape[1])
    for pixels in (alone, together):
        pixels["score"], pixels["doubt"] = np.nan, np.nan
    room = scratch()
    for row, column in zip(rows, columns, strict=True):
        rate(alone, row, column, sampler._regression, room)
    rate_places(together, ((rows << SHIFT) + columns).astype(np.int32), sampler._regression)
    for name in ("score", "doubt"):
        np.testing.assert_array_equal(together[name], alone[name])
    assert np.isnan(together["score"]).sum() == two_phases.size - len(chosen)
