"""A specimen under a scan: any region, any pixel size, and a memory of its dose."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.constants import elementary_charge

from daisy_bluesky.protocols import Exposure, FrameExposure
from daisy_bluesky.specimen import (
    Damage,
    DamageDriver,
    ProjectedSpecimen,
    ScanDistortion,
    ScannedSpecimen,
    crystal,
)

STILL = ScanDistortion(drift=(0.0, 0.0), walk=0.0, jitter=(0.0, 0.0), field=0.0)
FIELD, SIZE = (96, 96), 0.05
FRAME = FrameExposure(0, (32, 32), SIZE, (20.0, 30.0), 0.0, 1e-3, 20.0)


def lone_column(row, column):
    one = np.ones(1)
    return ProjectedSpecimen(np.array([[row, column]]), 3 * one, one, np.ones((1, 1)), ("Ag",), 0.1, SIZE)


def specimen(projected=None, **options):
    return ScannedSpecimen(projected or crystal(FIELD, pixel_size=SIZE), FIELD, **{"scan": STILL, **options})


def centre(image):
    above = image - np.median(image)
    above = np.where(above > 0.3 * above.max(), above, 0.0)
    rows, columns = np.indices(image.shape)
    return (above * rows).sum() / above.sum(), (above * columns).sum() / above.sum()


@pytest.mark.parametrize("pixel_size", [SIZE, SIZE / 2, 2 * SIZE])
def test_a_column_lies_where_it_is_whatever_the_pixels(pixel_size):
    frame = replace(FRAME, pixel_size=pixel_size, dwell=0.1)
    row, column = 20 + 15.4 * pixel_size / SIZE, 30 + 14.7 * pixel_size / SIZE
    found = centre(specimen(lone_column(row, column)).image(frame))
    np.testing.assert_allclose(found, (15.4, 14.7), atol=0.15)


def test_signals_are_proportional_to_the_electrons_of_a_pixel():
    virtual = specimen(adf_yield=0.01, xray_yield=1e-4)
    whole = replace(FRAME, shape=FIELD, origin=(0.0, 0.0))
    electrons = 20.0 * 1e-3 * 1e-12 / elementary_charge
    assert virtual.image(whole).mean() == pytest.approx(0.01 * electrons, rel=0.01)
    assert len(virtual.events(whole)) == pytest.approx(1e-4 * electrons * FIELD[0] * FIELD[1], rel=0.02)
    double = replace(whole, dwell=2e-3)
    assert virtual.image(double).mean() == pytest.approx(0.02 * electrons, rel=0.01)


def test_moving_about_in_a_pixel_blurs_and_loses_nothing():
    virtual = specimen(lone_column(36.0, 46.0))
    sharp = virtual.image(replace(FRAME, pixel_size=4 * SIZE, shape=(12, 12), origin=(14.0, 24.0), dwell=10.0))
    blurred = virtual.image(
        replace(FRAME, pixel_size=4 * SIZE, shape=(12, 12), origin=(14.0, 24.0), dwell=10.0, sub_pixel=16)
    )
    assert blurred.max() < sharp.max()
    excess, blurred_excess = sharp - np.median(sharp), blurred - np.median(blurred)
    assert blurred_excess.sum() == pytest.approx(excess.sum(), rel=0.05)


def test_damage_stays_where_the_beam_was():
    virtual = specimen(damage=Damage(mass_loss={"Ag": 1e5}))
    elsewhere = replace(FRAME, origin=(60.0, 60.0))
    before = len(virtual.events(FRAME)), len(virtual.events(elsewhere))
    virtual.irradiate(FRAME, FRAME.shape[0])
    electrons = 20.0 * 1e-3 * 1e-12 / elementary_charge
    assert virtual.dose(FRAME) == pytest.approx(electrons / (10 * SIZE) ** 2)
    assert virtual.dose(elsewhere) == 0
    assert len(virtual.events(FRAME)) < 0.95 * before[0]
    assert len(virtual.events(elsewhere)) == before[1]


def test_half_a_frame_is_half_the_damage():
    virtual = specimen()
    virtual.irradiate(FRAME, 16)
    top, bottom = replace(FRAME, shape=(16, 32)), replace(FRAME, shape=(16, 32), origin=(36.0, 30.0))
    assert virtual.dose(top) > 0
    assert virtual.dose(bottom) == 0


@pytest.mark.parametrize("driver", list(DamageDriver))
def test_what_drives_the_damage_tells_slow_frames_from_fast_ones(driver):
    slow, fast = replace(FRAME, dwell=5e-3), replace(FRAME, dwell=1e-3)
    doses = []
    for frame, times in ((slow, 1), (fast, 5)):
        virtual = specimen(damage=Damage(driver=driver, reference=1e4))
        for _ in range(times):
            virtual.irradiate(frame, 32)
        doses.append(virtual.dose(FRAME))
    ratio = {DamageDriver.DOSE: 1.0, DamageDriver.DOSE_RATE: 1.0, DamageDriver.PIXEL_CHARGE: 5.0}[driver]
    assert doses[0] / doses[1] == pytest.approx(ratio)


def test_the_drift_tube_moves_the_spectrum_and_nothing_else():
    virtual, small = specimen(), replace(FRAME, shape=(4, 4))
    first, second = (virtual.cube(small, offset).sum(axis=(0, 1)) for offset in (0.0, -30.0))
    assert second.argmax() - first.argmax() == 30
    assert second.sum() == pytest.approx(first.sum(), rel=0.02)


def test_single_exposures_see_the_same_specimen():
    virtual = specimen(lone_column(40.0, 50.0))
    on, off = (virtual.haadf(Exposure(1, row, 50.0, 0.0, 0.1, 20.0, 0)) for row in (40.0, 80.0))
    assert on > 2 * off
    spectrum = virtual.eds(Exposure(1, 40.0, 50.0, 0.0, 0.1, 20.0, 0))["spectrum"]
    assert spectrum.shape == (2048,)
    assert 2.8 < virtual.eds_axis.energies[100 + spectrum[100:].argmax()] < 3.3  # Ag L


def test_a_specimen_is_known_by_all_that_makes_it():
    projected = crystal(FIELD, pixel_size=SIZE)
    assert specimen(projected).identity == specimen(projected).identity
    assert specimen(projected).identity != specimen(projected, seed=1).identity
    assert specimen(projected).identity != specimen(projected, damage=Damage(contamination=1e-7)).identity


def test_what_is_no_kind_is_named():
    with pytest.raises(ValueError, match="kind: 'glass' is neither crystal nor particles"):
        ScannedSpecimen.demo("glass")
