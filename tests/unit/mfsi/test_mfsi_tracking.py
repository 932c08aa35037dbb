"""Where a frame is expected and found."""

from dataclasses import replace

import numpy as np

from daisy_bluesky.mfsi import Registrar, register
from daisy_bluesky.mfsi._tracking import DriftPrediction, nearest_peak
from daisy_bluesky.specimen import ScanDistortion, VirtualSeries, crystal, particles


def test_drift_is_predicted_over_frames_that_were_left_out():
    drift = DriftPrediction()
    for frame in range(5):
        drift.take(np.array([2.0, -1.0]) * frame)
    np.testing.assert_allclose(drift.next(), [10.0, -5.0])
    drift.skip()
    np.testing.assert_allclose(drift.next(), [12.0, -6.0])


def test_one_jump_does_not_change_the_drift():
    drift = DriftPrediction()
    for frame in range(8):
        drift.take(np.array([1.0, 0.0]) * frame)
    drift.take(np.array([20.0, 0.0]))
    np.testing.assert_allclose(drift.next(), [21.0, 0.0])


def test_the_nearest_of_equal_peaks_is_taken():
    rows, columns = np.indices((64, 64))
    lattice = np.cos(2 * np.pi * rows / 8) + np.cos(2 * np.pi * columns / 8)
    moved = np.roll(lattice, (-2, 3), axis=(0, 1))
    np.testing.assert_allclose(nearest_peak(moved, lattice, np.ones((64, 64), dtype=bool)), [2.0, -3.0])


def test_a_jump_of_the_stage_is_followed_where_nothing_repeats():
    shape = (64, 64)
    scan = ScanDistortion(drift=(0.0, 0.0), walk=0.02, jitter=(0.0, 0.0), field=0.0)
    series = VirtualSeries(particles(shape, density=0.01, seed=2), shape, scan=scan)
    shifted = VirtualSeries(
        particles(shape, density=0.01, seed=2),
        shape,
        scan=ScanDistortion(drift=(11.0 / 12, -7.0 / 12), walk=0.0, jitter=(0.0, 0.0), field=0.0),
    )
    registrar = Registrar()
    for frame in range(12):
        registrar.add(series.image(frame))
    found = registrar.add(shifted.image(12))
    truth = shifted.displacement(12).mean(axis=(0, 1))
    np.testing.assert_allclose(found.mean(axis=(0, 1)), truth, atol=0.3)


def test_a_fine_lattice_is_not_jumped_where_another_peak_lies_on_a_pixel():
    """Columns of one kind 2.88 px apart: a drift of (0.5, 0.3) px and one of (0.3, 3.2) px differ by a period."""
    perovskite = (("Nd", 0.0, 0.0), ("Ti", 0.5, 0.5), ("O", 0.5, 0.0), ("O", 0.0, 0.5))
    alike = crystal((60, 94), pixel_size=0.067, cell=(0.386, 0.386), motif=perovskite, angle=4.0)
    alike = replace(alike, brightness=np.full_like(alike.brightness, 0.6))
    series = VirtualSeries(alike, (60, 94), counts=300, scan=ScanDistortion(drift=(0.5, 0.3), seed=1), seed=1)
    registration = register([series.image(k) for k in range(8)])
    true = np.array([series.displacement(k).mean(axis=(0, 1)) for k in range(8)])
    found = np.array([registration.shift(k) for k in range(8)])
    assert np.abs((found - found[0]) - (true - true[0])).max() < 0.2
