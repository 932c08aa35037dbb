"""The survey images of the gate table show what they say they show, and the row says what came out."""

import numpy as np
import pytest

from daisy_bluesky.bench import _dosing_survey
from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.bench._dosing_survey import helpful_images, misleading_images


@pytest.fixture(scope="module")
def sample():
    row, column = np.indices((48, 48))
    labels = 1 + (np.hypot(row - 14, column - 30) < 11).astype(np.int64)
    means = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]])
    told = np.log(np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]]))
    ill = np.zeros(labels.shape, bool)
    return CountedObject("a disc", labels, ill, np.ones(3), np.cumsum(means, axis=1), told)


def explained(image, labels):
    """Return the share of an image's variance that the phases explain."""
    means = np.array([image[labels == phase].mean() for phase in (1, 2)])[labels - 1]
    return means.var() / image.var()


def test_helpful_images_show_the_phases_and_misleading_ones_do_not(sample):
    other = np.random.default_rng(5).normal(size=sample.labels.shape)
    for kind, image in helpful_images(sample, sample.labels * 1.0).items():
        assert explained(image(0), sample.labels) > 0.2, kind
    for kind, image in misleading_images(sample, other).items():
        assert explained(image(0), sample.labels) < 0.15 or kind.endswith("6 pixels off"), kind


def test_a_row_compares_with_the_same_seeds_without_an_image(sample, monkeypatch):
    monkeypatch.setattr(_dosing_survey, "SEEDS", range(2))
    monkeypatch.setattr(_dosing_survey, "LEVELS", tuple(np.geomspace(0.2, 3.0, 12)))
    alone = _dosing_survey._counts(sample, None)
    noise = _dosing_survey._counts(sample, misleading_images(sample, sample.labels)["noise"])
    np.testing.assert_array_equal(noise, alone)
    gate = _dosing_survey._gate("a disc", "misleading: noise", alone, noise, helps=False)
    assert gate.passed
    assert gate.reached == "1.00 / 1.00 times as many"
    better = _dosing_survey._gate("a disc", "helpful", alone, alone / 2, helps=True)
    assert better.passed
    assert not _dosing_survey._gate("a disc", "misleading", alone, alone * 1.2, helps=False).passed
