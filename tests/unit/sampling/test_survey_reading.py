"""The Potts field of a survey image."""

import numpy as np
import pytest

from daisy_bluesky.sampling import GuidedSlads, Survey, potts_posterior, total_distortion
from daisy_bluesky.sampling._survey_map import belief_of


def image_evidence(shape, phases, seed):
    rng = np.random.default_rng(seed)
    row, column = np.indices(shape)
    truth = ((row // 13 + column // 17) % phases).astype(int)
    grey = truth + 0.5 * rng.normal(size=shape)
    evidence = -((grey[..., None] - np.arange(phases)) ** 2) / 0.5
    measured = rng.random(shape) < 0.05
    evidence[measured] = np.where(truth[measured][:, None] == np.arange(phases), 0.0, -20.0)
    return truth, evidence


@pytest.mark.parametrize(("shape", "phases"), [((40, 56), 2), ((130, 100), 3), ((5, 7), 2)])
def test_the_map_is_that_of_the_full_mean_field(shape, phases):
    truth, evidence = image_evidence(shape, phases, 3)
    belief, full = belief_of(evidence), potts_posterior(evidence)
    np.testing.assert_allclose(belief.sum(axis=2), 1.0, rtol=1e-9)
    wrong = (belief.argmax(axis=2) != truth).mean()
    assert wrong <= (full.argmax(axis=2) != truth).mean() + 0.005
    assert (belief.argmax(axis=2) != full.argmax(axis=2)).mean() < 0.01


def test_a_look_at_a_large_image_makes_a_better_map():
    """The strength of the prior is estimated on a few blocks there."""
    rows, columns = np.indices((512, 512))
    truth = (columns // 64 + rows // 64) % 2 + 1
    guided, plain = GuidedSlads(truth.shape, phases=2), GuidedSlads(truth.shape, phases=2)
    guided.heed(Survey(truth + 0.3 * np.random.default_rng(0).normal(size=truth.shape)))
    places = np.random.default_rng(1).permutation(truth.size)[:5000]
    positions = np.stack(np.divmod(places, 512), axis=1)
    for each in (guided, plain):
        each.ingest(positions, truth.ravel()[places])
    assert guided.survey_weight > 0
    assert total_distortion(guided.reconstruct(), truth) < 0.2 * total_distortion(plain.reconstruct(), truth)
