"""A survey image is believed as far as spectra bear it out."""

import numpy as np
import pytest

from daisy_bluesky.sampling import DoseAllocator, Survey, VisitCost, total_distortion

SHAPE = (48, 48)
TOLD = np.log(np.array([[0.7, 0.3], [0.3, 0.7]]))  # a count in channel c, under phase k


@pytest.fixture(scope="module")
def truth():
    row, column = np.indices(SHAPE)
    return 1 + ((np.hypot(row - 18, column - 22) < 13) | (column > 40)).astype(int)


def measured(truth, counts_per_pixel, image=None, seed=0):
    """Return a map by single counts of two channels, and its allocator."""
    rng = np.random.default_rng([seed, 8])
    allocator = DoseAllocator(SHAPE, phases=2, seed=seed, cost=VisitCost(minimum_dwell=0.5))
    if image is not None:
        allocator.heed(Survey(image))
    spent = 0.0
    while spent < counts_per_pixel * truth.size:
        visits = allocator.suggest(64)
        rows, columns, dwell = visits["row"], visits["column"], visits["dwell"]
        counts = rng.poisson(dwell)
        second = rng.binomial(counts, np.where(truth[rows, columns] == 2, 0.7, 0.3))
        evidence = np.outer(counts - second, TOLD[0]) + np.outer(second, TOLD[1])
        allocator.ingest(np.stack([rows, columns], axis=1), evidence, dwell=dwell)
        spent += dwell.sum()
    return allocator


def test_a_helpful_image_is_believed_and_helps(truth):
    noise = np.random.default_rng(1).normal(size=SHAPE)
    wedge = 1 + 0.5 * np.linspace(-1, 1, SHAPE[1])
    guided = measured(truth, 1.5, (truth + 1.0) * 2 * wedge + noise)
    alone = measured(truth, 1.5)
    assert guided.survey_weight > 0
    assert total_distortion(guided.labels, truth) < 0.5 * total_distortion(alone.labels, truth)


@pytest.mark.parametrize("kind", ["noise", "gradient", "stripes", "constant", "inverted half"])
def test_a_misleading_image_changes_nothing_or_little(truth, kind):
    noise = np.random.default_rng(2).normal(size=SHAPE)
    row, column = np.indices(SHAPE)
    image = {
        "noise": noise,
        "gradient": row + 0.2 * column + 0.1 * noise,
        "stripes": 3.0 * ((row // 7) % 2) + noise,
        "constant": np.ones(SHAPE),
        "inverted half": np.where(row < 24, truth, 3 - truth) * 3.0 + noise,
    }[kind]
    guided, alone = measured(truth, 1.5, image), measured(truth, 1.5)
    assert total_distortion(guided.labels, truth) <= 1.1 * total_distortion(alone.labels, truth) + 5 / truth.size


def test_an_image_that_is_not_believed_leaves_every_decision_as_it_was(truth):
    guided = measured(truth, 0.8, np.random.default_rng(3).normal(size=SHAPE))
    alone = measured(truth, 0.8)
    assert guided.survey_weight == 0
    np.testing.assert_array_equal(guided.dwell, alone.dwell)
    np.testing.assert_array_equal(guided.posterior, alone.posterior)


def test_what_is_expected_is_a_prior_probability():
    allocator = DoseAllocator((1, 6), phases=3)  # a chain, where belief propagation is exact
    prior = np.zeros((1, 6, 3))
    prior[0, 2] = np.log([0.2, 0.5, 0.3])
    allocator.expect(prior)
    np.testing.assert_allclose(allocator.posterior[0, 2], [0.2, 0.5, 0.3], rtol=1e-5)
    allocator.expect(np.zeros((1, 6, 3)))
    np.testing.assert_allclose(allocator.posterior, 1 / 3, rtol=1e-5)
    allocator.expect(prior)
    allocator.ingest([(0, 2)], np.log([[0.6, 0.2, 0.2]]), dwell=[0.01])
    joint = np.array([0.2, 0.5, 0.3]) * [0.6, 0.2, 0.2]
    np.testing.assert_allclose(allocator.posterior[0, 2], joint / joint.sum(), rtol=1e-5)


def test_what_is_expected_stays_when_a_phase_is_new():
    allocator = DoseAllocator((1, 6), phases=2)
    prior = np.zeros((1, 6, 2))
    prior[0, 0] = [0.0, 3.0]
    allocator.expect(prior)
    allocator.ingest([(0, 5)], [3])
    found = allocator.posterior[0, 0]
    assert found[1] / found[0] == pytest.approx(np.exp(3.0), rel=1e-3)


@pytest.mark.parametrize(
    ("prior", "named"), [(np.zeros((4, 4)), "log_prior"), (np.full((4, 4, 2), np.nan), "log_prior")]
)
def test_bad_priors_change_nothing(prior, named):
    allocator = DoseAllocator((4, 4), phases=2)
    before = allocator.posterior
    with pytest.raises(ValueError, match=named):
        allocator.expect(prior)
    np.testing.assert_array_equal(allocator.posterior, before)


@pytest.mark.parametrize("image", [np.ones(5), np.full((4, 4), np.inf), np.array([["a", "b"], ["c", "d"]])])
def test_bad_images_are_named(image):
    with pytest.raises(ValueError, match=r"^survey: "):
        Survey(image)


def test_an_image_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"^survey: .*\(4, 5\).*\(4, 4\)"):
        DoseAllocator((4, 4), phases=2).heed(Survey(np.ones((4, 5))))
