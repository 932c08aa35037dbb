"""Sparse visits that heed a survey image, as far as labels bear it out."""

import numpy as np
import pytest

from daisy_bluesky.sampling import GuidedSlads, Slads, Survey, total_distortion

SHAPE = (48, 48)
VISITS = 190


@pytest.fixture(scope="module")
def truth():
    row, column = np.indices(SHAPE)
    return 1 + (np.hypot(row - 17, column - 20) < 11) + 2 * (np.hypot(row - 36, column - 38) < 7)


def mapped(sampler, truth, visits=VISITS, image=None):
    if image is not None:
        sampler.heed(Survey(image))
    sequence = []
    for _ in range(visits):
        (visit,) = sampler.suggest()
        sequence.append((int(visit["row"]), int(visit["column"])))
        sampler.ingest(sequence[-1:], [int(truth[sequence[-1]])])
    return sequence


def noise(seed=1):
    return np.random.default_rng(seed).normal(size=SHAPE)


def test_a_helpful_image_is_believed_and_helps(truth):
    """In nearly all starts: how soon labels bear an image out is a matter of which pixels came first."""
    believed, found = 0, []
    for seed in range(4):
        alone, guided = (GuidedSlads(SHAPE, phases=3, seed=seed, dwell=0.1) for _ in range(2))
        mapped(alone, truth)
        mapped(guided, truth, image=3.0 * np.array([0, 2, 1, 3])[truth] + noise())
        assert alone.survey_weight == 0
        believed += guided.survey_weight > 0
        found.append([total_distortion(each.reconstruct(), truth) for each in (guided, alone)])
    assert believed >= 3
    assert np.mean(found, axis=0)[0] < 0.5 * np.mean(found, axis=0)[1]


@pytest.mark.parametrize("kind", ["noise", "gradient", "turned over", "6 pixels off", "constant"])
def test_a_misleading_image_changes_nothing(truth, kind):
    row, column = np.indices(SHAPE)
    image = {
        "noise": noise(),
        "gradient": row + 0.3 * column + 0.1 * noise(),
        "turned over": 3.0 * truth[::-1] + noise(),
        "6 pixels off": 3.0 * np.roll(truth, (6, 6), axis=(0, 1)) + noise(),
        "constant": np.ones(SHAPE),
    }[kind]
    plain, guided = Slads(SHAPE, phases=3, seed=2, dwell=0.1), GuidedSlads(SHAPE, phases=3, seed=2, dwell=0.1)
    assert mapped(plain, truth) == mapped(guided, truth, image=image)
    assert guided.survey_weight == 0
    np.testing.assert_array_equal(plain.reconstruct(), guided.reconstruct())
    assert plain.remaining_distortion() == guided.remaining_distortion()


def test_looking_at_the_map_changes_no_visit(truth):
    survey = Survey(3.0 * np.array([0, 2, 1, 3])[truth] + noise())
    sequences = []
    for looks in (False, True):
        guided = GuidedSlads(SHAPE, phases=3, seed=2, dwell=0.1)
        guided.heed(survey)
        sequences.append([])
        for _ in range(12):
            sequences[-1] += mapped(guided, truth, 25)
            if looks:
                before, map_before = guided.suggest(3), guided.reconstruct()
                _ = guided.labels, guided.posterior, guided.remaining_distortion(), guided.expected_reduction
                np.testing.assert_array_equal(guided.suggest(3), before)
                np.testing.assert_array_equal(guided.reconstruct(), map_before)
        assert guided.survey_weight > 0
    assert sequences[0] == sequences[1]


def test_a_survey_serves_several_maps_and_belongs_to_none(truth):
    survey = Survey(3.0 * np.array([0, 2, 1, 3])[truth] + noise())
    guided, misled = (GuidedSlads(SHAPE, phases=3, seed=0, dwell=0.1) for _ in range(2))
    for each, seen in ((guided, truth), (misled, np.random.default_rng(0).permutation(truth.ravel()).reshape(SHAPE))):
        each.heed(survey)
        mapped(each, seen)
    assert guided.survey_weight > 0
    assert misled.survey_weight == 0


def test_asking_changes_nothing_and_batches_are_of_different_pixels(truth):
    guided = GuidedSlads(SHAPE, phases=3, seed=0, dwell=0.1)
    mapped(guided, truth, image=3.0 * np.array([0, 2, 1, 3])[truth] + noise())
    assert guided.survey_weight > 0
    batch = guided.suggest(20)
    np.testing.assert_array_equal(batch, guided.suggest(20))
    assert len({(visit["row"], visit["column"]) for visit in batch}) == 20
    assert not guided.measured[batch["row"], batch["column"]].any()


def test_nothing_left_is_an_empty_suggestion_twice():
    guided = GuidedSlads((12, 12), phases=2, seed=0)
    truth = 1 + (np.indices((12, 12))[0] > 5).astype(int)
    mapped(guided, truth, 144, image=3.0 * truth + np.random.default_rng(0).normal(size=(12, 12)))
    assert len(guided.suggest()) == len(guided.suggest(7)) == 0
    np.testing.assert_array_equal(guided.reconstruct(), truth)


def test_what_does_not_fit_is_named_and_changes_nothing(truth):
    guided = GuidedSlads(SHAPE, phases=3, seed=0, dwell=0.1)
    mapped(guided, truth, image=3.0 * np.array([0, 2, 1, 3])[truth] + noise())
    assert guided.survey_weight > 0
    before, labels = guided.suggest(5), guided.labels
    with pytest.raises(ValueError, match="survey"):
        guided.heed(Survey(np.ones((3, 3))))
    with pytest.raises(ValueError, match="survey: ndarray"):
        guided.heed(3.0 * truth)
    bad_positions = (99, 0), (np.nan, 0), (None, None), (1e30, 0), (0, 0, 0)
    given = [([position], [1]) for position in bad_positions] + [([(0, 0)], [300]), ([(0, 0)], [[np.nan, 0.0]])]
    for positions, evidence in given:
        with pytest.raises(ValueError, match=r"^(positions|evidence)"):
            guided.ingest(positions, evidence)
    np.testing.assert_array_equal(guided.suggest(5), before)
    np.testing.assert_array_equal(guided.labels, labels)
