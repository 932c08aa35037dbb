import numpy as np
import pytest
from scipy.stats import chisquare

from daisy_bluesky.specimen._counting import CountingSource
from daisy_bluesky.specimen._random_streams import Stream, random_stream

SPECTRA = np.random.default_rng(0).gamma(0.3, size=(3, 64))


@pytest.mark.parametrize("total", [3.0, 400.0, 20_000.0])
def test_channels_are_poisson_with_the_mixture_as_mean(total):
    source = CountingSource(SPECTRA)
    expected = total * np.array([0.5, 0.3, 0.2])
    rng = np.random.default_rng(1)
    drawn = np.array([source.draw(expected, rng) for _ in range(3000)], dtype=np.int64)
    mean = expected @ (SPECTRA / SPECTRA.sum(axis=1, keepdims=True))
    busy = mean * 3000 > 20
    assert chisquare(drawn.sum(axis=0)[busy], mean[busy] * drawn[:, busy].sum() / mean[busy].sum()).pvalue > 1e-3
    assert drawn.sum() == pytest.approx(total * 3000, abs=5 * np.sqrt(total * 3000))
    dispersion = drawn.var(axis=0, ddof=1)[busy] / drawn.mean(axis=0)[busy]
    assert dispersion.mean() == pytest.approx(1, abs=5 * np.sqrt(2 / 3000 / busy.sum()) + 0.01)
    covariance = np.cov(drawn.T)
    assert abs(covariance.sum() / np.trace(covariance) - 1) < 0.2  # channels independent: the total is Poisson too


def test_empty_channels_stay_empty():
    source = CountingSource([[0.0, 1.0, 0.0, 3.0, 0.0]])
    drawn = source.draw(np.array([5000.0]), np.random.default_rng(0))
    assert drawn[[0, 2, 4]].tolist() == [0, 0, 0]
    assert drawn[3] / drawn[1] == pytest.approx(3, rel=0.15)


def test_nothing_expected_nothing_counted():
    assert CountingSource(SPECTRA).draw(np.zeros(3), np.random.default_rng(0)).sum() == 0


@pytest.mark.parametrize("spectrum", [[0.0, 0.0], [1.0, -0.5], [1.0, np.nan]])
def test_impossible_spectra_are_refused(spectrum):
    with pytest.raises(ValueError, match="negative or empty"):
        CountingSource([spectrum])


def test_streams_of_different_arguments_differ():
    places = [(0, Stream.EDS, 1, 0), (1, Stream.EDS, 1, 0), (0, Stream.EELS, 1, 0), (0, Stream.EDS, 2, 0)]
    places.append((0, Stream.EDS, 1, 1))
    first = {random_stream(*place).random() for place in places}
    assert len(first) == len(places)
    assert random_stream(*places[0]).random() in first
