"""The relation of grey values to phases, against the distribution they were drawn from."""

import numpy as np
from scipy.stats import norm

from daisy_bluesky.sampling._survey_relation import learn_relation


def test_it_learns_the_densities_the_grey_values_were_drawn_from():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 20000)
    place = rng.uniform(-1, 1, 20000)
    grey = 2.0 * labels + rng.normal(size=20000) + 1.5 * place + place**2
    told = np.where(labels[:, None] == [0, 1], 0.8, 0.2)  # spectra that leave a doubt of one in five
    told = np.where(rng.random((20000, 1)) < 0.8, told, 1 - told)
    terms = np.stack([place, place**2], axis=1)
    relation = learn_relation(grey, terms, told)
    np.testing.assert_allclose(relation.trend, [1.5, 1.0], atol=0.1)
    at = np.linspace(0.0, 2.0, 11)
    found = relation.log_ratio(at, np.zeros((11, 2)))
    expected = norm.logpdf(at, 2.0) - norm.logpdf(at, 0.0)
    told = found[:, 1] - found[:, 0]
    np.testing.assert_allclose(told, expected, atol=0.75)
    assert (np.abs(told) <= np.abs(expected) + 0.2).all()  # never much surer than it may be


def test_grey_values_that_say_nothing_are_taken_to_say_nothing():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 20000)
    told = np.where(labels[:, None] == np.arange(3), 0.9, 0.05)
    relation = learn_relation(rng.normal(size=20000), np.zeros((20000, 1)), told)
    assert np.abs(relation.ratio).max() < 0.3
