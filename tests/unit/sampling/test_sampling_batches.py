"""What several places at once are chosen from, and a start pattern that is looked at while it is measured."""

import numpy as np
import pytest

from daisy_bluesky.sampling import Slads
from daisy_bluesky.sampling._batches import leading
from daisy_bluesky.sampling._field import NEVER, empty_field
from daisy_bluesky.sampling._summary import summarise_all


@pytest.mark.parametrize("n", [1, 2, 3, 5, 50, 300, 10_000])
def test_the_largest_scores_lead_and_of_equals_the_first(n):
    """Equal scores, zeros of either sign, tiny, huge and infinite ones; closed pixels are left out."""
    rng = np.random.default_rng(n)
    field = empty_field((31, 47))
    pixels = field.pixels
    scores = np.exp(rng.normal(0, 20, pixels.shape)).astype(np.float32)
    scores[rng.random(pixels.shape) < 0.3] = np.float32(1.5)
    scores[rng.random(pixels.shape) < 0.1] = 0.0
    scores[rng.random(pixels.shape) < 0.1] = -0.0
    scores[rng.random(pixels.shape) < 0.3] = NEVER
    scores[3, 4], scores[5, 6] = np.inf, np.float32(1e-45)
    pixels["score"], pixels["preference"] = scores, 1.0
    flat = scores.ravel()
    expected = [place for place in np.lexsort((np.arange(flat.size), -flat)) if flat[place] >= 0][:n]
    summarise_all(pixels, field.summary)
    found = leading(pixels, field.summary, n)
    assert (found @ [pixels.shape[1], 1]).tolist() == expected


def test_looking_at_the_start_pattern_while_it_is_measured_changes_nothing(two_phases):
    """Maps, scores and estimates are the same whether or not they were asked for after every page."""
    watched, unwatched = (Slads(two_phases.shape, phases=2, seed=2, start_fraction=0.05, dwell=0.1) for _ in range(2))
    while len(visits := watched.suggest(6)) and watched.measured.sum() < 0.1 * two_phases.size:
        places = np.stack([visits["row"], visits["column"]], axis=1)
        np.testing.assert_array_equal(unwatched.suggest(6), visits)
        np.testing.assert_array_equal(
            [watched.expected_at(*place) for place in places], [unwatched.expected_at(*place) for place in places]
        )
        for sampler in (watched, unwatched):
            sampler.ingest(places, two_phases[tuple(places.T)])
        assert watched.labels.min() > 0
        assert watched.remaining_distortion()[0] > 0
    assert watched.remaining_distortion() == unwatched.remaining_distortion()
    np.testing.assert_array_equal(watched.labels, unwatched.labels)
    np.testing.assert_array_equal(watched.expected_reduction, unwatched.expected_reduction)
