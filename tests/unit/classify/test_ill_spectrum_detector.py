import numpy as np
import pytest
import torch

from daisy_bluesky.classify import IllSpectrumDetector


@pytest.fixture(scope="module")
def detector(classifier):
    return classifier.detector


def test_metric_is_the_papers_variance(detector, draw):
    spectra = draw([1, 2, 3, 4], 700, 8)
    values = np.sqrt(spectra.reshape(4, 256, 8).sum(2) / spectra.sum(1, keepdims=True))
    for weights in detector.weights[:-1]:
        values = np.maximum(values @ weights, 0)
    distance = np.abs(np.linspace(0, 1, 100) - values @ detector.weights[-1])
    expected = np.mean((distance - distance.mean(1, keepdims=True)) ** 2, axis=1)
    np.testing.assert_allclose(detector.metric(spectra), expected, rtol=2e-3)
    assert len(detector.weights) == 6
    assert all(weights.shape[1] == 100 for weights in detector.weights)


@pytest.mark.parametrize("counts", [60, 100, 1000])
def test_false_alarms_keep_to_the_stated_rate(detector, draw, counts):
    good = draw(np.arange(2000) % 4 + 1, counts, 9)
    assert detector.detect(good).mean() <= 0.02


@pytest.mark.parametrize("counts", [100, 1000])
def test_noise_is_found_where_its_total_gives_nothing_away(detector, draw, draw_ill, counts):
    good, ill = draw(np.arange(500) % 4 + 1, counts, 3), draw_ill("flat noise", 300, counts, 4)
    low, high = np.quantile(good.sum(1), [0.005, 0.995])
    assert np.mean((ill.sum(1) < low) | (ill.sum(1) > high)) < 0.1
    assert detector.detect(ill).mean() > 0.98


def test_threshold_depends_on_counts(detector):
    few, many = detector.threshold(np.array([50.0, 5000.0]))
    assert few > 5 * many


def test_training_repeats_itself_and_leaves_torch_alone(draw):
    labels = np.repeat([1, 2], 6)
    spectra = draw(labels, 500, 2)[:, :256]
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    first = IllSpectrumDetector.fit(spectra, labels, seed=5)
    torch.manual_seed(99)
    second = IllSpectrumDetector.fit(spectra, labels, seed=5)
    torch.set_rng_state(state)
    assert all(np.array_equal(a, b) for a, b in zip(first.weights, second.weights, strict=True))
    assert np.array_equal(first.threshold.values, second.threshold.values)
    assert torch.get_num_threads() == threads


def test_a_senseless_rate_is_refused(draw):
    with pytest.raises(ValueError, match=r"must lie between 0 and 0\.5, not 0\.7"):
        IllSpectrumDetector.fit(draw([1, 1], 100, 0), [1, 1], false_alarm_rate=0.7)
