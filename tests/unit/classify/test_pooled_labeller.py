"""Spectra of a few counts, pooled over pixels and neighbourhoods."""

import numpy as np
import pytest

from daisy_bluesky.classify import PhaseClassifier, PooledLabeller

SHAPE = (24, 24)
UNKNOWN = 5


@pytest.fixture(scope="module")
def classifier(draw):
    labels = np.repeat([1, 2, 3, 4], 24)
    return PhaseClassifier.fit(draw(labels, 2000, 3), labels, seed=0)


@pytest.fixture(scope="module")
def truth():
    """Two phases side by side, and an object of 32 pixels of a phase nobody announced."""
    rows, columns = np.indices(SHAPE)
    truth = np.where(columns < 10, 1, 2)
    truth[np.hypot(rows - 12, columns - 15) < 3.2] = UNKNOWN
    return truth


def frame(labeller, truth, draw, counts, number):
    """Visit every pixel once, one after the other."""
    places = np.argwhere(truth > 0)
    visits = list(range(number * len(places), (number + 1) * len(places)))
    return labeller.take(visits, places, draw(truth.ravel(), counts, 100 + number)).reshape(truth.shape)


def test_an_unannounced_phase_becomes_one(classifier, truth, draw):
    labeller = PooledLabeller(classifier, SHAPE)
    for number in range(8):
        found = frame(labeller, truth, draw, 2, number)
    assert labeller.phases == (*classifier.phases, "phase 5")
    assert (found == UNKNOWN)[truth == UNKNOWN].mean() > 0.7
    assert (found == UNKNOWN)[truth != UNKNOWN].mean() < 0.02


def test_without_one_there_are_no_false_phases(classifier, truth, draw):
    plain = np.where(truth == UNKNOWN, 2, truth)
    for seed in range(4):
        labeller = PooledLabeller(classifier, SHAPE)
        for number in range(6):
            frame(labeller, plain, draw, 3, 50 * seed + number)
        assert labeller.phases == classifier.phases


def test_flat_noise_is_ill_and_no_phase(classifier, draw):
    labeller = PooledLabeller(classifier, SHAPE)
    rng = np.random.default_rng(0)
    noise = rng.poisson(0.05, (9, classifier.channels)).astype(np.uint32)
    places = np.argwhere(np.ones((3, 3)))
    assert (labeller.take(list(range(9)), places, noise) == 0).all()
    assert labeller.failed(places).all()
    assert labeller.phases == classifier.phases


def test_nothing_counted_is_no_failure(classifier):
    labeller = PooledLabeller(classifier, SHAPE)
    assert labeller.take([1], [(0, 0)], np.zeros((1, classifier.channels), np.uint32)).tolist() == [0]
    assert not labeller.failed([(0, 0)]).any()


def test_a_discovery_weighs_all_visits_against_the_new_phase(classifier, truth, draw):
    labeller = PooledLabeller(classifier, SHAPE)
    renewed = None
    for number in range(8):
        frame(labeller, truth, draw, 2, number)
        renewed = labeller.renewed() or renewed
    assert renewed is not None
    visits, evidence = renewed
    assert evidence.shape == (len(visits), len(labeller.phases))
    total = np.zeros((truth.size, evidence.shape[1]))
    np.add.at(total, np.array(visits) % truth.size, evidence)
    assert (total.argmax(axis=1) + 1 == UNKNOWN)[truth.ravel() == UNKNOWN].mean() > 0.8


def test_a_visit_again_replaces_itself(classifier, draw):
    one, other = PooledLabeller(classifier, SHAPE), PooledLabeller(classifier, SHAPE)
    one.take([1, 2], [(0, 0), (3, 3)], draw([1, 2], 20, 1))
    one.take([1], [(5, 5)], draw([3], 20, 2))
    other.take([1, 2], [(5, 5), (3, 3)], draw([3, 2], 20, 2))
    assert one.labels[1] == 3
    assert one.labels.keys() == other.labels.keys()
    assert one.take([9], [(0, 0)], np.zeros((1, classifier.channels), np.uint32)).tolist() == [0]


def test_bad_visits_change_nothing(classifier, draw):
    labeller = PooledLabeller(classifier, SHAPE)
    with pytest.raises(ValueError, match="field"):
        labeller.take([1], [(24, 0)], draw([1], 20, 1))
    with pytest.raises(ValueError, match="one each"):
        labeller.take([1, 2], [(0, 0)], draw([1], 20, 1))
    with pytest.raises(ValueError, match="channels"):
        labeller.take([1], [(0, 0)], np.ones((1, 7), np.uint32))
    assert labeller.labels == {}
