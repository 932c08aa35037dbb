import numpy as np
import pytest

from daisy_bluesky.report import Acquisition, GroundTruth, break_even, equal_electrons, raster_rivals, run_raster
from daisy_bluesky.report import _rasters as rasters

SHAPE = (30, 40)
RATE = 1000.0  # counts per second
MEANS = np.array([[0.4, 0.3, 0.2, 0.1], [0.3, 0.4, 0.1, 0.2]])


class TwoPhases:
    """A field of two phases with exact Poisson counts, and a classifier that knows them."""

    def __init__(self):
        rows, columns = np.indices(SHAPE)
        self.labels = np.where((rows - 14) ** 2 + (columns - 20) ** 2 < 90, 2, 1)
        self.ill = np.random.default_rng(0).random(SHAPE) < 0.05
        self.truth = GroundTruth(self.labels, self.ill)
        self.largest = 0

    def measure(self, rows, columns, dwell):
        self.largest = max(self.largest, rows.size)
        rng = np.random.default_rng([int(rows[0]), int(columns[0]), rows.size])
        spectra = rng.poisson(RATE * dwell * MEANS[self.labels[rows, columns] - 1])
        spectra[self.ill[rows, columns]] = [0, 0, 0, 1000]
        return spectra.astype(np.uint32)

    def log_likelihood(self, spectra):
        return spectra @ np.log(MEANS).T

    def predict(self, spectra):
        ill = spectra[:, 3] > 0.9 * spectra.sum(1)
        return np.where(ill & (spectra[:, 3] >= 1000), 0, 1 + np.argmax(self.log_likelihood(spectra), axis=1))


@pytest.fixture
def field():
    return TwoPhases()


def test_a_raster_with_many_counts_shows_the_truth(field):
    spent = Acquisition(SHAPE, 240, 1.0, 10.0, 0.005)
    full, *_ = raster_rivals(spent, field.measure, field, field.truth)
    assert full.name == "full raster, full dwell"
    assert (full.total_distortion, full.misclassified, full.false_alarms) == (0, 0, 0)
    good = 1000 * (1 - field.ill.mean()) + 1000 * field.ill.mean()
    assert full.counts_per_spectrum == pytest.approx(good, rel=0.01)


def test_the_spatial_prior_is_the_best_the_rival_can_have(field):
    plan = equal_electrons(Acquisition(SHAPE, 240, 0.1, 10.0, 0.005))  # 20 counts a pixel
    outcome = run_raster(plan, field.measure, field, field.truth)
    rows, columns = np.indices(SHAPE).reshape(2, -1)
    alone = field.predict(field.measure(rows, columns, plan.dwell)).reshape(SHAPE)
    wrong_alone = np.mean((alone != field.labels)[~field.ill])
    assert outcome.total_distortion <= outcome.blind_distortion <= wrong_alone
    assert outcome.total_distortion < 0.5 * wrong_alone


def test_rivals_have_the_price_they_are_named_for(field):
    spent = Acquisition(SHAPE, 240, 0.1, 10.0, 0.002)
    _, electrons, time, flying = raster_rivals(spent, field.measure, field, field.truth)
    assert electrons.electrons == pytest.approx(spent.electrons)
    assert time.seconds == pytest.approx(spent.seconds)
    assert flying.seconds == pytest.approx(spent.seconds)
    assert flying.electrons > time.electrons


def test_a_coarser_raster_is_filled_in(field):
    spent = Acquisition(SHAPE, 240, 0.004, 10.0, 0.02)  # no time for more than every other pixel
    rivals = raster_rivals(spent, field.measure, field, field.truth)
    (time,) = (rival for rival in rivals if rival.name.startswith("raster, equal time"))
    assert time.name == "raster, equal time (every 3rd pixel)"
    assert time.phase_map.shape == SHAPE
    assert set(np.unique(time.phase_map)) <= {1, 2}
    assert time.sampled_fraction == pytest.approx(10 * 14 / 1200)
    assert time.total_distortion < 0.2


def test_spectra_are_held_a_block_at_a_time(field, monkeypatch):
    plan = equal_electrons(Acquisition(SHAPE, 240, 0.1, 10.0, 0.005))
    monkeypatch.setattr(rasters, "BLOCK", 100)
    evidence = rasters.gather_evidence(plan, field.measure, field)
    assert field.largest == 100
    assert evidence.log_likelihood.shape == (*SHAPE, 2)
    np.testing.assert_array_equal(evidence.ill, field.ill)


def test_ill_flags_are_passed_over_where_that_shows_more(field):
    class Suspicious(TwoPhases):
        def predict(self, spectra):
            return np.zeros(len(spectra), dtype=np.int64)

    plan = equal_electrons(Acquisition(SHAPE, 240, 1.0, 10.0, 0.005))
    outcome = run_raster(plan, field.measure, Suspicious(), field.truth)
    assert outcome.blind_distortion > 0.1
    assert outcome.total_distortion < 0.05


class SharpThreshold(TwoPhases):
    """Right labels from a dwell of 16 ms on, half of them wrong below."""

    def measure(self, rows, columns, dwell):
        spectra = np.zeros((rows.size, 4), dtype=np.uint32)
        shown = self.labels[rows, columns] if dwell >= 0.0159 else 1 + (rows + columns) % 2
        spectra[np.arange(rows.size), shown - 1] = 1000
        return spectra

    def predict(self, spectra):
        return 1 + np.argmax(spectra, axis=1)


def test_break_even_is_where_a_raster_of_equal_time_becomes_as_good():
    field = SharpThreshold()
    spent = Acquisition(SHAPE, 240, 0.1, 10.0, 0.002)
    own = field.truth.judge(rasters.MapOutcome("map", field.labels, 0.2, 100.0, 1.0, 1.0), [(0, 0)], [1])
    even = break_even(own, spent, field.measure, field, field.truth)
    assert 0.008 < even.dwell <= 0.016
    assert even.counts == pytest.approx(even.dwell * RATE)
    at_break_even = Acquisition(SHAPE, 240, 0.1, 10.0, even.overhead)
    assert at_break_even.seconds / 1200 - even.overhead == pytest.approx(even.dwell)
    shorter = Acquisition(SHAPE, 240, even.visit_dwell, 10.0, 0.002)
    assert shorter.seconds / 1200 - 0.002 == pytest.approx(even.dwell)


def test_no_break_even_where_no_raster_is_as_good():
    class Blind(SharpThreshold):
        def measure(self, rows, columns, dwell):
            return super().measure(rows, columns, 0.0)

    field = Blind()
    own = rasters.MapOutcome("map", field.labels, 0.2, 100.0, 1.0, 1.0)
    even = break_even(own, Acquisition(SHAPE, 240, 0.1, 10.0, 0.002), field.measure, field, field.truth)
    assert even.counts == np.inf
    assert even.overhead == 0
