"""A microscope that scans frames: the beam, its account, the drift tube."""

import threading

import numpy as np
import pytest

from daisy_bluesky.devices import EVENT, FrameGrid, FrameScan, make_devices
from daisy_bluesky.devices.backends import ScanningInstrument, WallClock
from daisy_bluesky.spectra import EnergyAxis

FLY_BACK, OVERHEAD, DWELL, CURRENT = 2e-4, 0.1, 1e-3, 20.0
GRID = FrameGrid((8, 10), 0.25, (4.0, 4.0))


class FlatSpecimen:
    """Gives the number of a frame everywhere."""

    shape, pixel_size, identity = (32, 32), 0.5, "flat"
    eds_axis, eels_axis = EnergyAxis(0.0, 0.01, 64, "keV"), EnergyAxis(100.0, 0.5, 32, "eV")

    def __init__(self):
        self.received = []

    def image(self, frame):
        return np.full(frame.shape, frame.number, np.float32)

    def events(self, frame):
        events = np.zeros(frame.shape[0], [("row", "i4"), ("column", "i4"), ("channel", "i4"), ("count", "u2")])
        events["row"], events["channel"], events["count"] = np.arange(frame.shape[0]), 7, 1
        return events

    def cube(self, frame, energy_offset=0.0):
        return np.full((*frame.shape, 32), energy_offset, np.float32)

    def irradiate(self, frame, lines):
        self.received.append((frame.number, lines))


def microscope(*, clock=None, faults=None, **limits):
    instrument = ScanningInstrument(
        FlatSpecimen(), fly_back_time=FLY_BACK, overhead_time=OVERHEAD, clock=clock, faults=faults
    )
    return make_devices(instrument, current=CURRENT, **limits)


def scan_of(devices, *detectors):
    return FrameScan(list(detectors), devices.probe, grid=GRID, dwell_time=DWELL)


def test_a_frame_costs_its_dwell_times_and_fly_backs():
    devices = microscope()
    scan = scan_of(devices, devices.haadf, devices.eds)
    scan.trigger().wait(10)
    seconds = 8 * (10 * DWELL + FLY_BACK)
    reading = {key: entry["value"] for key, entry in scan.read().items()}
    assert reading["frame_charge"] == pytest.approx(CURRENT * seconds)
    assert reading["frame_seconds"] == pytest.approx(seconds)
    assert devices.beam.charge == pytest.approx(CURRENT * seconds)
    assert devices.beam.instrument.clock.now() == pytest.approx(seconds + OVERHEAD)
    assert reading["eds_frame"].dtype == EVENT
    assert reading["haadf_image"].shape == GRID.shape
    assert devices.beam.blanked.get()
    assert devices.beam.instrument.specimen.received == [(0, 8)]


def test_frames_are_numbered_and_booked_one_by_one():
    devices = microscope()
    scan = scan_of(devices, devices.haadf)
    for number in range(3):
        scan.trigger().wait(10)
        assert scan.read()["haadf_image"]["value"][0, 0] == number
    assert devices.beam.visits.max() == 3


def test_the_same_scan_goes_to_another_place():
    devices = microscope()
    scan = scan_of(devices, devices.haadf)
    scan.prepare(FrameGrid(GRID.shape, 0.25, (20.0, 20.0)))
    scan.trigger().wait(10)
    assert devices.beam.visits[22, 22] == 1
    assert devices.beam.visits[6, 6] == 0
    with pytest.raises(ValueError, match="grid: frames of"):
        scan.prepare(FrameGrid((4, 4), 0.25))


def test_a_limit_refuses_the_frame_before_it_begins():
    devices = microscope(max_charge=0.9 * CURRENT * 8 * (10 * DWELL + FLY_BACK))
    scan = scan_of(devices, devices.haadf)
    with pytest.raises(Exception, match="max_charge"):
        scan.trigger().wait(10)
    assert scan.limit is not None
    assert devices.beam.charge == 0
    assert devices.beam.visits.sum() == 0


def test_a_line_that_fails_ends_the_frame_blanked_with_what_it_cost():
    lines = []

    def break_off(frame):
        lines.append(frame)
        if len(lines) == 4:
            raise OSError("the scan coils are off")

    devices = microscope(faults={"scan": break_off})
    scan = scan_of(devices, devices.haadf)
    with pytest.raises(OSError, match="the scan coils are off"):
        scan.trigger().wait(10)
    assert devices.beam.blanked.get()
    assert devices.beam.charge == pytest.approx(CURRENT * 3 * (10 * DWELL + FLY_BACK))


def test_on_a_real_clock_an_interrupt_blanks_within_the_line():
    begun = threading.Event()
    devices = microscope(clock=WallClock(), faults={"scan": lambda frame: begun.set()})
    scan = FrameScan([devices.haadf], devices.probe, grid=GRID, dwell_time=0.03)
    status = scan.trigger()
    assert begun.wait(10)
    devices.beam.interrupt()
    assert devices.beam.blanked.get()
    with pytest.raises(RuntimeError, match="stopped in line 1 of 8"):
        status.wait(10)
    assert devices.beam.blanked.get()
    assert devices.beam.charge < CURRENT * 0.3
    assert devices.beam.instrument.specimen.received == [(0, 1)]


def test_the_drift_tube_shifts_what_the_spectrometer_sees():
    devices = microscope()
    devices.energy_offset.set(12.5).wait()
    assert devices.energy_offset.read()["energy_offset"]["value"] == 12.5
    assert devices.eels.energy_offset.get() == 112.5
    scan = scan_of(devices, devices.haadf, devices.eels)
    scan.trigger().wait(10)
    reading = scan.read()
    assert reading["eels_energy_offset"]["value"] == 112.5
    assert reading["eels_frame"]["value"][0, 0, 0] == 12.5
    assert reading.keys() == scan.describe().keys()
    with pytest.raises(ValueError, match="energy_offset: nan"):
        devices.energy_offset.set(float("nan"))
