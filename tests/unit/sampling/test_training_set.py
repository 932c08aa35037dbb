import numpy as np
from sampling_maps import random_field

from daisy_bluesky.sampling import SladsModel, patterns
from daisy_bluesky.sampling._training_set import _chosen, sampled_field


def test_half_of_the_described_pixels_lie_where_labels_are_in_doubt():
    """On a large smooth map few would otherwise, and the network would never learn to tell boundaries."""
    truth = random_field(160, 2)
    start = patterns.sobol(truth.shape, 0.02, 0)
    field = sampled_field(truth, start[:, 0] * truth.shape[1] + start[:, 1], SladsModel.default().regression)
    places = _chosen(field, 1000, np.random.default_rng(0))
    assert len({tuple(place) for place in places.tolist()}) == len(places) == 1000
    assert not field.pixels["sample"][tuple(places.T)].any()
    doubt = field.pixels["doubt"][tuple(places.T)]
    assert doubt[500:].mean() > 2 * doubt[:500].mean()
    assert abs(doubt[:500].mean() / field.pixels["doubt"][field.pixels["sample"] == 0].mean() - 1) < 0.3
