"""The experiments of EDS-SLADS at small size: the noise is the paper's, and gates say what was measured."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from daisy_bluesky.bench import _eds_slads
from daisy_bluesky.bench._eds_slads_objects import crops, grown_object, trained_classifier
from daisy_bluesky.bench._sampling_maps import two_phases
from daisy_bluesky.bench._sampling_peers import learn
from daisy_bluesky.sampling import SladsModel

CHANNELS = 256


@pytest.fixture(scope="module")
def chemistry():
    channel = np.arange(CHANNELS)
    peaks = [np.exp(-(((channel - middle) / 4) ** 2)) + 0.02 for middle in (60, 150)]
    means = np.array([peak / peak.sum() for peak in peaks])
    return SimpleNamespace(mean=means, training_mean=means)


@pytest.fixture(scope="module")
def sample(chemistry):
    return grown_object(chemistry, "dendrites", 48, 5)


@pytest.fixture(scope="module")
def trained(chemistry):
    """The shipped model, the peer, and the classifier of the two phases."""
    return SladsModel.default(), learn([two_phases(64, 100)])["SLADS-Net"], trained_classifier(chemistry)


def test_the_classifier_names_the_phases_of_good_spectra(sample, trained):
    good = np.argwhere(~sample.ill)[::40]
    named = trained[2].predict(np.array([sample.spectrum(row, column) for row, column in good]))
    np.testing.assert_array_equal(named, sample.labels[tuple(good.T)])


def test_spectra_have_the_noise_of_the_paper(sample):
    good = np.argwhere(~sample.ill)[:400]
    spectra = np.array([sample.spectrum(row, column) for row, column in good])
    assert spectra.sum(axis=1).mean() == pytest.approx(7500 + 2 * CHANNELS, rel=0.01)
    kept = {tuple(spectrum) for template in sample.templates for spectrum in template}
    assert len(kept) == 24
    nearest = min(np.abs(spectra[0] - 2.0 - np.array(template)).mean() for template in kept)
    assert nearest < 2
    np.testing.assert_array_equal(sample.spectrum(3, 4), sample.spectrum(3, 4))
    bad = np.argwhere(sample.ill)
    assert len(bad) > 0
    assert np.mean([sample.spectrum(row, column).mean() for row, column in bad]) == pytest.approx(20, rel=0.03)


def test_counted_one_by_one_it_is_the_same_object(sample, chemistry):
    counted = sample.counted(trained_classifier(chemistry))
    assert counted.brightness[0] == pytest.approx(1 + 2 * CHANNELS / 7500)
    positions = np.argwhere(~sample.ill)
    evidence = counted.measure(positions, np.full(len(positions), 60.0), np.random.default_rng(0))
    assert (evidence.argmax(axis=1) + 1 == sample.labels[~sample.ill]).mean() > 0.99


def test_squares_of_a_map_hold_more_than_one_phase():
    whole = two_phases(512, 3)
    squares = list(crops(whole, 2))
    assert len(squares) == 2
    assert all(set(np.unique(square)) == {1, 2} for square in squares)


def test_rows(sample, trained):
    experiment = replace(
        _eds_slads.EXPERIMENTS[0], name="small", fraction=0.2, distortion=0.03, seeds=range(5, 6), dosed=range(5, 6)
    )
    result = _eds_slads.compare(experiment, sample, trained, 5)
    distortion, from_spectra, misclassified, counts = _eds_slads.gates(experiment, [result])
    assert distortion.passed == (result.ours < result.peer)
    assert 0 < result.ours < 0.25  # arms of a pixel or two: an eighth of a map of that size is boundary
    assert 0 < from_spectra.figures["ours"] < 0.25
    assert misclassified.figures["misclassified"] == 0
    assert counts.passed == (result.counts <= 15)
    assert 0 < result.counts <= 15
