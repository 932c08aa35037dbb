import numpy as np
import pytest

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen import Drift, EDSModel, Phase, SiliconDriftDetector, VirtualSpecimen

PHASES = (Phase("iron", {"Fe": 1}, 7.87, 100), Phase("silica", {"Si": 1, "O": 2}, 2.65, 100))


@pytest.fixture(scope="module")
def specimen():
    return VirtualSpecimen.demo((32, 40), seed=3)


def halves(**options):
    """A specimen of 8 x 8 pixels, iron on the left, silica on the right."""
    labels = np.ones((8, 8), dtype=int)
    labels[:, 4:] = 2
    return VirtualSpecimen(PHASES, labels, **options)


def exposure(row, column, *, dwell=0.1, current=100.0, start=0.0, visit=0):
    return Exposure(1, row, column, start, dwell, current, visit)


def test_a_measurement_does_not_depend_on_what_was_measured_before(specimen):
    places = [(r, c, v) for r in range(4) for c in range(4) for v in range(2)]
    first = {p: specimen.eds(exposure(p[0], p[1], visit=p[2]))["spectrum"] for p in places}
    other = VirtualSpecimen.demo((32, 40), seed=3)
    for place in reversed(places):
        other.haadf(exposure(0, 0))
        np.testing.assert_array_equal(other.eds(exposure(place[0], place[1], visit=place[2]))["spectrum"], first[place])
    assert len({spectrum.tobytes() for spectrum in first.values()}) == len(places)


def test_bulk_equals_point_by_point_ill_ones_included():
    labels = np.tile([1, 2], (6, 3))
    ill = np.arange(36).reshape(6, 6) % 5
    specimen = VirtualSpecimen(PHASES, labels, ill=ill, seed=9)
    rows, columns = np.divmod(np.arange(36), 6)
    bulk = specimen.eds_bulk(rows, columns, dwell=0.05, current=300.0, visit=2)
    for spectrum, row, column in zip(bulk, rows, columns, strict=True):
        single = specimen.eds(exposure(row, column, dwell=0.05, current=300.0, visit=2))
        np.testing.assert_array_equal(spectrum, single["spectrum"])


def test_mean_over_visits_is_the_model_with_its_dead_time():
    """Recorded counts = true rate x live time, and live time that of a non-paralysable counter."""
    tau, dwell, current = 2e-5, 0.02, 200.0
    model = EDSModel(PHASES, detector=SiliconDriftDetector(dead_time_per_count=tau))
    specimen = halves(eds=model)
    rate = model.rates[0].sum() * current
    results = [specimen.eds(exposure(0, 0, dwell=dwell, current=current, visit=v)) for v in range(400)]
    assert results[0]["real_time"] == dwell
    assert results[0]["live_time"] == pytest.approx(dwell / (1 + rate * tau))
    totals = np.array([result["spectrum"].sum() for result in results])
    expected = rate * dwell / (1 + rate * tau)
    assert totals.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 400))
    assert totals.var() / totals.mean() == pytest.approx(1, abs=0.3)


def test_live_time_is_that_of_a_simulated_counter():
    """A counter that is deaf for tau after each count, simulated event by event."""
    tau, rate, duration = 5e-6, 60_000.0, 20.0
    waits = np.random.default_rng(0).exponential(1 / rate, 1_500_000) + tau
    recorded = np.searchsorted(np.cumsum(waits), duration)
    live = SiliconDriftDetector(dead_time_per_count=tau).live_time(duration, rate)
    assert duration - recorded * tau == pytest.approx(live, rel=1e-3)
    assert recorded == pytest.approx(rate * live, rel=3e-3)


def test_two_visits_add_up_to_a_longer_one(specimen):
    row, column = np.argwhere(~specimen.ill)[0]
    short = [specimen.eds(exposure(row, column, dwell=0.01, visit=v))["spectrum"].sum() for v in range(400)]
    long = [specimen.eds(exposure(row, column, dwell=0.02, visit=v))["spectrum"].sum() for v in range(400, 600)]
    pairs = np.array(short[::2]) + np.array(short[1::2])
    assert pairs.mean() == pytest.approx(np.mean(long), rel=0.05)
    assert pairs.var() == pytest.approx(pairs.mean(), rel=0.4)
    assert abs(np.corrcoef(short[::2], short[1::2])[0, 1]) < 0.25


def test_spectra_show_the_phase_under_the_beam():
    specimen = halves()
    energies = specimen.eds_axis.energies
    iron, silicon = np.abs(energies - 6.4) < 0.1, np.abs(energies - 1.74) < 0.06
    left = specimen.eds(exposure(2, 1, dwell=5.0))["spectrum"]
    right = specimen.eds(exposure(2, 6, dwell=5.0))["spectrum"]
    assert left[iron].sum() > 50 * left[silicon].sum()
    assert right[silicon].sum() > 50 * right[iron].sum()


def test_between_two_phases_the_expected_counts_mix():
    specimen = halves()
    middle = np.sum([specimen.eds(exposure(2, 3.5, visit=v))["spectrum"] for v in range(50)], axis=0)
    rates = [specimen.eds(exposure(2, column))["live_time"] for column in (0, 7)]
    iron = np.abs(specimen.eds_axis.energies - 6.4) < 0.1
    left = np.sum([specimen.eds(exposure(2, 1, visit=v))["spectrum"] for v in range(50)], axis=0)
    assert middle[iron].sum() / left[iron].sum() == pytest.approx(0.5, abs=0.03)
    assert rates[0] != rates[1]


def test_drift_carries_the_specimen_away_under_the_beam():
    specimen = halves(pixel_size=10.0, drift=Drift(rate=60.0))
    silicon = np.abs(specimen.eds_axis.energies - 1.74) < 0.06
    before = specimen.eds(exposure(2, 5, start=0.0))["spectrum"][silicon].sum()
    after = specimen.eds(exposure(2, 5, start=30.0))["spectrum"][silicon].sum()
    assert after < 0.05 * before
    still = halves(pixel_size=10.0).eds(exposure(2, 2))["spectrum"]
    assert still[silicon].sum() < 0.05 * before


def test_expected_counts_are_reached_on_average():
    specimen = VirtualSpecimen.demo((48, 48), seed=1)
    rows, columns = np.nonzero(~specimen.ill)
    spectra = specimen.eds_bulk(rows, columns, expected_counts=300)
    assert spectra.sum(axis=1).mean() == pytest.approx(300, rel=0.02)
    with pytest.raises(ValueError, match="either dwell or expected_counts"):
        specimen.eds_bulk([0], [0])


def test_mean_and_training_spectra_agree(specimen):
    spectra, labels = specimen.training_spectra(200, 2000, seed=5)
    assert np.bincount(labels).tolist() == [0, 200, 200, 200, 200]
    for label in range(1, 5):
        mean = specimen.eds_mean(label)
        assert mean.sum() == pytest.approx(1)
        total = spectra[labels == label].sum(axis=0)
        busy = mean * 400_000 > 50
        chi = (total - 400_000 * mean)[busy] / np.sqrt(400_000 * mean[busy])
        assert chi.std() == pytest.approx(1, abs=0.15)
    again = specimen.training_spectra(200, 2000, seed=6)[0]
    assert np.any(again != spectra)


def test_lines_to_name(specimen):
    assert specimen.phases[3] == "ilmenite"
    lines = specimen.element_lines(4)
    assert set(lines) == {"Ti Ka", "Fe Ka", "O Ka", "Mg Ka"}
    assert lines["Fe Ka"] == pytest.approx(6.40, abs=0.01)
    with pytest.raises(ValueError, match="label 5"):
        specimen.element_lines(5)


def test_brighter_where_heavier(specimen):
    flat = halves()
    assert flat.haadf(exposure(0, 0)) > 1.5 * flat.haadf(exposure(0, 7))
    assert flat.eels(exposure(0, 0))["spectrum"].shape == (flat.eels_axis.channels,)


def test_truth(specimen):
    assert specimen.shape == (32, 40) == specimen.labels.shape == specimen.ill.shape
    assert 0.004 < specimen.ill.mean() < 0.011
    np.testing.assert_array_equal(specimen.ill, specimen.ill_kind > 0)


@pytest.mark.parametrize(
    ("phase_map", "message"),
    [
        (np.zeros((8, 8)), "labels 0"),
        (np.full((8, 8), 3), "labels 3"),
        (np.ones((8, 8, 2)), "sum to one"),
        (5, "shape"),
    ],
)
def test_maps_that_do_not_fit_are_refused(phase_map, message):
    with pytest.raises(ValueError, match=message):
        VirtualSpecimen(PHASES, phase_map)


def test_an_ill_map_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="ill"):
        halves(ill=np.full((8, 8), 9))
    with pytest.raises(ValueError, match="ill"):
        halves(ill=np.zeros((4, 4)))
