"""Virtual series of frames: what they show against what they say was done."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from daisy_bluesky.specimen import (
    Damage,
    DamageDriver,
    DriftingSpectrometer,
    ProjectedSpecimen,
    ScanDetector,
    ScanDistortion,
    VirtualSeries,
    crystal,
    particles,
)
from daisy_bluesky.spectra import EnergyAxis

STILL = ScanDistortion(drift=(0.0, 0.0), walk=0.0, jitter=(0.0, 0.0), field=0.0)


def lone_column(row=20.0, column=24.0):
    one = np.ones(1)
    return ProjectedSpecimen(np.array([[row, column]]), 2 * one, one, np.ones((1, 1)), ("Ag",), 0.1, 0.05)


def centre(image):
    """Fit a Gaussian to a lone column; return its row and column."""
    rows, columns = np.indices(image.shape)

    def misfit(p):
        return (p[2] * np.exp(-((rows - p[0]) ** 2 + (columns - p[1]) ** 2) / 8) + p[3] - image).ravel()

    top = np.unravel_index(image.argmax(), image.shape)
    return least_squares(misfit, [*top, image.max(), image.min()]).x[:2]


def test_what_a_frame_shows_lies_at_its_place_plus_the_displacement():
    scan = ScanDistortion(drift=(3.3, -2.6), walk=0.0, jitter=(0.0, 0.0), field=0.0)
    series = VirtualSeries(lone_column(), (40, 48), scan=scan, counts=1000.0)
    row, column = centre(series.expected_image(1))
    displacement = series.displacement(1)[round(row), round(column)]
    np.testing.assert_allclose(np.array([row, column]) + displacement, [20.0, 24.0], atol=0.1)


def test_a_still_scan_has_no_displacement():
    assert not STILL.displacement(3, (16, 20)).any()


def test_drift_goes_on_from_one_frame_to_the_next():
    scan = ScanDistortion(drift=(0.5, -0.2), walk=0.1, jitter=(0.0, 0.0), field=0.0)
    end, start = scan.displacement(4, (32, 32))[-1, -1], scan.displacement(5, (32, 32))[0, 0]
    np.testing.assert_allclose(end, start, atol=2e-3)


def test_jitter_moves_whole_rows_by_what_was_asked():
    scan = ScanDistortion(drift=(0.0, 0.0), walk=0.0, jitter=(0.1, 0.3), jitter_correlation=0.6, field=0.0)
    displacement = np.array([scan.displacement(frame, (200, 8)) for frame in range(40)])
    assert np.ptp(displacement, axis=2).max() == 0
    rows = displacement[:, :, 0]
    np.testing.assert_allclose(rows.std(axis=(0, 1)), [0.1, 0.3], rtol=0.05)
    assert (rows[:, 1:, 1] * rows[:, :-1, 1]).mean() / 0.09 == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("length", [None, 20.0])
def test_smooth_field_has_its_size_and_no_roughness(length):
    scan = ScanDistortion(field=0.25, field_length=length)
    field = np.array([scan.smooth_field(frame, (96, 96)) for frame in range(60)])
    assert np.sqrt((field**2).sum(axis=-1).mean()) == pytest.approx(0.25, rel=0.1)
    assert np.abs(np.diff(field, axis=1)).max() < 0.1


def test_random_field_has_its_correlation_length():
    scan = ScanDistortion(field=1.0, field_length=12.0)
    field = np.array([scan.smooth_field(frame, (64, 64)) for frame in range(80)])
    together = (field[:, 12:] * field[:, :-12]).mean() / (field**2).mean()
    assert together == pytest.approx(np.exp(-0.5), abs=0.06)


def test_mains_lock_to_the_line_or_not():
    shape = (32, 64)
    locked = replace(STILL, mains=(0.0, 0.3), line_locked=True).displacement(2, shape)
    assert np.ptp(locked, axis=0).max() == 0
    free = replace(STILL, mains=(0.0, 0.3), mains_period=16.0).displacement(2, shape)
    assert np.abs(free[..., 1]).max() == pytest.approx(0.3, rel=0.05)
    # 64 px and 5 px fly back are 4 periods and 5 sixteenths
    lag = free[1:, :-5, 1] - free[:-1, 5:, 1]
    np.testing.assert_allclose(lag, 0, atol=1e-9)


def test_some_rows_jump():
    scan = replace(STILL, outlier_rows=0.1)
    rows = np.concatenate([scan.row_jitter(frame, 200) for frame in range(20)])
    jumps = np.hypot(*rows.T)
    assert (jumps > 0).mean() == pytest.approx(0.1, abs=0.02)
    np.testing.assert_allclose(jumps[jumps > 0], 1.0)


def test_frames_do_not_depend_on_the_order_they_are_asked_for():
    first, second = (VirtualSeries(crystal((32, 32)), (32, 32), events=200, seed=4) for _ in range(2))
    late = first.frame(5)
    second.frame(2)
    np.testing.assert_array_equal(late.image, second.frame(5).image)
    np.testing.assert_array_equal(late.events, second.frame(5).events)
    assert late.cube is None


def test_counts_are_poisson_around_what_is_expected():
    series = VirtualSeries(crystal((64, 64)), (64, 64), scan=STILL, counts=50.0)
    images = np.array([series.image(frame) for frame in range(40)])
    expected = series.expected_image(0)
    assert expected.mean() == pytest.approx(50.0)
    assert ((images - expected) ** 2 / expected).mean() == pytest.approx(1.0, rel=0.02)


def test_detector_gain_offset_and_afterglow():
    detector = ScanDetector(gain=3.0, offset=100.0, read_noise=2.0, afterglow=0.5)
    spike = np.zeros((4, 16))
    spike[1, 3] = 4000.0
    image = detector.read(spike, np.random.default_rng(0)) - 100
    assert image[1, 4] / image[1, 3] == pytest.approx(0.5, abs=0.02)
    assert image.sum() == pytest.approx(12000, rel=0.1)
    dark = detector.read(np.zeros((64, 64)), np.random.default_rng(0))
    assert dark.mean() == pytest.approx(100, abs=0.2)
    assert dark.std() == pytest.approx(2.0, rel=0.1)
    with pytest.raises(ValueError, match="afterglow"):
        ScanDetector(afterglow=1.0)


def test_xrays_come_from_where_their_element_is():
    specimen = crystal((48, 48), cell=(1.2, 1.2), motif=(("Ag", 0.25, 0.25), ("Se", 0.75, 0.75)), angle=0.0)
    series = VirtualSeries(specimen, (48, 48), scan=STILL, events=30000, seed=1)
    events = series.events(0)
    assert len(events) == pytest.approx(30000, rel=0.05)
    silver = (events["channel"] >= 293) & (events["channel"] <= 305)  # Ag L, 2.98 keV
    places = np.stack([events["row"][silver], events["column"][silver]], axis=1)
    columns = specimen.positions[specimen.amounts[:, 0] > 0]
    nearest = np.sqrt(((places[:, None] - columns[None]) ** 2).sum(axis=-1)).min(axis=1)
    scattered = np.sqrt(((np.indices((48, 48)).reshape(2, -1).T[:, None] - columns[None]) ** 2).sum(-1)).min(axis=1)
    assert nearest.mean() < 0.5 * scattered.mean()


def test_no_xrays_and_no_spectrometer_are_said_so():
    series = VirtualSeries(crystal((32, 32)), (32, 32))
    with pytest.raises(ValueError, match="no X-rays"):
        series.events(0)
    with pytest.raises(ValueError, match="no EELS"):
        series.cube(0)
    with pytest.raises(ValueError, match="above zero"):
        VirtualSeries(crystal((32, 32)), (32, 32), counts=0)


def test_zero_loss_peak_lies_where_drift_and_descan_put_it():
    axis = EnergyAxis(-20.0, 0.5, 256, "eV")
    spectrometer = DriftingSpectrometer(axis, electrons=1e6, energy_drift=2.0, descan=(0.1, -0.05))
    series = VirtualSeries(crystal((12, 16)), (12, 16), scan=STILL, spectrometer=spectrometer)
    cube = series.frame(2).cube
    assert cube.shape == (12, 16, 256)
    peak = axis.energies[cube.argmax(axis=2)]
    np.testing.assert_allclose(peak, series.energy_shift(2), atol=1.0)
    assert np.ptp(series.energy_shift(2)) > 1


def test_dose_is_as_the_paper_states():
    series = VirtualSeries(crystal((200, 200)), (200, 200), current=17.0, dwell=0.001)
    assert series.exposing.dose == pytest.approx(3.44e5, rel=0.02)  # e-/A^2 a frame, dfx125, Methods
    assert series.exposing.pixel_charge == pytest.approx(1.06e5, rel=0.01)
    assert series.exposing.dose_rate * 40.0 == pytest.approx(series.exposing.dose)


def test_elements_leave_and_carbon_grows_with_the_dose():
    damage = Damage(mass_loss={"Se": 3.4e6}, contamination=1e-7)
    specimen = crystal((32, 32))
    selenium = specimen.positions[specimen.amounts[:, specimen.elements.index("Se")] > 0]
    row, column = selenium[np.abs(selenium - 16).max(axis=1).argmin()].round().astype(int)
    series = VirtualSeries(specimen, (32, 32), scan=STILL, damage=damage, events=1000)
    fresh = VirtualSeries(crystal((32, 32)), (32, 32), scan=STILL, events=1000)
    left = damage.remaining(("Ag", "Se"), 3.4e6)
    np.testing.assert_allclose(left, [1, np.exp(-1)])
    clean = VirtualSeries(specimen, (32, 32), scan=STILL, damage=Damage(mass_loss={"Se": 3.4e6}))
    assert clean.expected_image(40)[row, column] < 0.7 * clean.expected_image(0)[row, column]
    assert series.expected_image(40).min() > fresh.expected_image(40).min() - 1
    carbon = [np.sum(series.events(frame)["channel"] < 60) for frame in (0, 40)]
    assert carbon[1] > 1.5 * carbon[0]
    np.testing.assert_array_equal(fresh.expected_image(0), fresh.expected_image(40))


def test_edges_fade_though_the_atoms_stay():
    axis = EnergyAxis(300.0, 2.0, 512, "eV")
    damage = Damage(fading={"Ag": 1e6})
    series = VirtualSeries(
        lone_column(8, 8), (16, 16), scan=STILL, damage=damage, spectrometer=DriftingSpectrometer(axis, electrons=1e8)
    )
    np.testing.assert_allclose(series.expected_image(20), series.expected_image(0))
    assert series.cube(20)[8, 8].sum() < 0.7 * series.cube(0)[8, 8].sum()


@pytest.mark.parametrize(
    ("driver", "worse"), [(DamageDriver.DOSE, 1.0), (DamageDriver.DOSE_RATE, 1.0), (DamageDriver.PIXEL_CHARGE, 5.0)]
)
def test_what_a_slow_frame_does_more_harm_by(driver, worse):
    """One slow frame against five fast ones: the same dose and dose rate, and five times the pixel charge."""
    damage = Damage(driver=driver, reference=1e3)
    slow = VirtualSeries(crystal((32, 32)), (32, 32), dwell=0.005).exposing
    fast = VirtualSeries(crystal((32, 32)), (32, 32), dwell=0.001).exposing
    assert damage.effective_dose(slow, 1) / damage.effective_dose(fast, 5) == pytest.approx(worse)


def test_specimens_say_what_makes_no_sense():
    with pytest.raises(ValueError, match="motif"):
        crystal((32, 32), motif=())
    with pytest.raises(ValueError, match="density"):
        particles((32, 32), density=0.0)


def test_dopants_replace_single_columns():
    pure, doped = crystal((64, 64)), crystal((64, 64), dopants=0.1, seed=3)
    changed = (pure.amounts != doped.amounts).any(axis=1)
    assert changed.mean() == pytest.approx(0.1, abs=0.04)
    np.testing.assert_array_equal(pure.positions, doped.positions)
