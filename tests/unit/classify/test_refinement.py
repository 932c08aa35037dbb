import numpy as np
import pytest

from daisy_bluesky.classify import refine


def test_labels_become_better_and_ill_ones_stay(draw, means):
    rng = np.random.default_rng(1)
    truth = rng.integers(1, 5, 800)
    labels = np.where(rng.random(800) < 0.3, rng.integers(1, 5, 800), truth)
    labels[:10], labels[10:20] = 0, -1
    refined, likelihood = refine(draw(truth, 80, 40), labels)
    assert np.mean(refined[20:] == truth[20:]) > 0.97
    assert np.array_equal(refined[:20], labels[:20])
    assert np.abs(likelihood.means - means[:4]).sum(1).max() < 0.2


def test_there_must_be_something_to_refine():
    with pytest.raises(ValueError, match="nothing to refine"):
        refine(np.ones((2, 8)), [0, -1])
    with pytest.raises(ValueError, match="2 spectra but 1 labels"):
        refine(np.ones((2, 8)), [1])
