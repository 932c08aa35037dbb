import numpy as np
import pytest

from daisy_bluesky.bench._prepared_specimen import SPECTRA_OF_A_KIND, PreparedSpecimen
from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen import VirtualSpecimen

COUNTS = 4000.0


def exposure(row, column):
    return Exposure(1, row, column, start=0.0, dwell=1.0, current=100.0, visit=0)


@pytest.fixture(scope="module")
def model():
    return VirtualSpecimen.demo((48, 48), seed=2)


@pytest.fixture(scope="module")
def prepared(model):
    return PreparedSpecimen(model, COUNTS, 2)


def test_every_pixel_answers_with_a_spectrum_of_its_phase(model, prepared):
    for label in range(1, len(model.phases) + 1):
        pixels = np.argwhere((model.labels == label) & ~model.ill)
        spectra = np.array([prepared.eds(exposure(*pixel))["spectrum"] for pixel in pixels])
        distances = [np.abs(spectra.mean(0) / COUNTS - model.eds_mean(k + 1)).sum() for k in range(len(model.phases))]
        assert int(np.argmin(distances)) + 1 == label
        assert spectra.sum(1).mean() == pytest.approx(COUNTS, rel=0.02)
        assert len(np.unique(spectra, axis=0)) <= SPECTRA_OF_A_KIND


def test_ill_pixels_answer_with_ill_spectra(model, prepared):
    answers = {id(prepared.eds(exposure(*pixel))) for pixel in np.argwhere(model.ill)}
    good = {id(prepared.eds(exposure(*pixel))) for pixel in np.argwhere(~model.ill)}
    assert answers
    assert not answers & good


def test_a_pixel_answers_the_same_each_time(prepared):
    first, second = (prepared.eds(exposure(5, 7))["spectrum"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert prepared.haadf(exposure(5, 7)) == prepared.haadf(exposure(5, 7))


def test_there_is_no_eels(prepared):
    with pytest.raises(ValueError, match="no EELS spectra are prepared"):
        prepared.eels(exposure(0, 0))
