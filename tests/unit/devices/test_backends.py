import time

import numpy as np
import pytest

from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import RecordedInstrument, SimulatedClock, VirtualInstrument, WallClock
from daisy_bluesky.protocols import Clock, Instrument
from daisy_bluesky.spectra import EnergyAxis


class Recording:
    """Gives one count per 10 ms, for 20 ms a pixel."""

    shape = (3, 3)
    pixel_size = 2.0
    identity = "one count in 10 ms"
    eds_axis = EnergyAxis(0.0, 0.02, 64)
    eels_axis = None

    def __init__(self):
        self.left = np.full(self.shape, 0.02)

    def haadf(self, exposure):
        return 1.0

    def eds(self, exposure):
        pixel = round(exposure.row), round(exposure.column)
        if exposure.dwell > self.left[pixel] + 1e-12:
            raise ValueError(f"pixel {pixel}: nothing is left of the recorded dwell time of 0.02 s")
        self.left[pixel] -= exposure.dwell
        return {
            "spectrum": np.full(64, round(exposure.dwell / 0.01), np.uint32),
            "live_time": exposure.dwell,
            "real_time": exposure.dwell,
        }

    def eels(self, exposure):
        raise AssertionError

    recorded_dwell = 0.02

    @property
    def consumed(self):
        return self.recorded_dwell - self.left

    def remaining(self, row, column):
        return self.left[row, column]

    def restore(self, consumed):
        self.left = 0.02 - consumed


def test_simulated_clock_jumps():
    clock = SimulatedClock()
    clock.advance(10_000.0)
    assert clock.now() == 10_000.0
    with pytest.raises(ValueError, match="seconds"):
        clock.advance(-1.0)


def test_wall_clock_keeps_the_wall_s_pace():
    clock, began = WallClock(), time.monotonic()
    before = clock.now()
    clock.advance(0.01)
    assert 0.01 <= clock.now() - before <= time.monotonic() - began


@pytest.mark.parametrize("kind", [VirtualInstrument, RecordedInstrument])
def test_an_instrument_has_what_the_specimen_gives(kind):
    instrument: Instrument = kind(Recording())
    clock: Clock = instrument.clock
    assert isinstance(instrument, Instrument)
    assert clock.simulated
    assert instrument.detectors == {"haadf", "eds"}
    described = instrument.describe("eds")
    assert described["minimum_dwell"] > 0
    assert {"offset": 0.0, "dispersion": 0.02, "channels": 64, "unit": "keV"}.items() <= described.items()
    assert instrument.describe("haadf").keys() == {"minimum_dwell", "read_out_time"}
    for detector, dwell in (("eels", 1.0), ("eds", 0.0)):
        with pytest.raises(ValueError, match=detector):
            instrument.arm(detector, dwell)


def test_beyond_the_recorded_dwell_time_an_exposure_fails():
    devices = make_devices(RecordedInstrument(Recording()), dwell_time=0.01)
    for _ in range(2):
        devices.eds.trigger().wait()
    with pytest.raises(ValueError, match=r"^eds: pixel \(0, 0\) has 0 s of its recorded dwell left[^\n]*reset"):
        devices.eds.trigger().wait()
    assert devices.beam.blanked.get()
    assert devices.beam.dwell_map[0, 0] == 0.02  # refused before the beam came on
    devices.probe.set((0, 1)).wait()
    devices.eds.trigger().wait()
    assert devices.eds.spectrum.get().sum() == 64


def test_what_an_earlier_run_used_of_a_recording_is_gone():
    before = np.array([[0.02, 0, 0], [0, 0.01, 0], [0, 0, 0]])
    devices = make_devices(RecordedInstrument(Recording()), dwell_time=0.01)
    devices.beam.restore(before, np.ceil(before))
    with pytest.raises(ValueError, match=r"^eds: pixel \(0, 0\)"):
        devices.eds.trigger().wait()
    devices.probe.set((1, 1)).wait()
    devices.eds.trigger().wait()
    with pytest.raises(ValueError, match=r"^eds: pixel \(1, 1\)"):
        devices.eds.trigger().wait()


def test_a_fresh_field_begins_the_recording_anew():
    devices = make_devices(RecordedInstrument(Recording()), dwell_time=0.02)
    devices.eds.trigger().wait()
    devices.beam.reset()
    devices.eds.trigger().wait()
    assert devices.beam.dwell_map[0, 0] == 0.02


def test_a_computed_specimen_does_not_wear_out():
    devices = make_devices(VirtualInstrument(Recording()), dwell_time=0.01)
    devices.beam.restore(np.full((3, 3), 0.02), np.ones((3, 3)))
    devices.eds.trigger().wait()


def test_faults_come_before_the_read_out():
    seen = []

    def fault(exposure):
        seen.append(exposure.number)
        raise OSError("the detector is off")

    devices = make_devices(VirtualInstrument(Recording(), faults={"eds": fault}))
    devices.haadf.trigger().wait()
    with pytest.raises(OSError, match="off"):
        devices.eds.trigger().wait()
    assert seen == [1]
