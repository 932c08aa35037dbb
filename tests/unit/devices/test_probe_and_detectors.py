import numpy as np
import ophyd
import pytest
from bluesky import protocols
from bluesky.utils import NoReplayAllowed
from logging_instrument import LoggingInstrument
from ophyd.utils import LimitError

from daisy_bluesky.devices import EELSDetector, ProbePositioner, make_devices


@pytest.fixture
def instrument():
    return LoggingInstrument()


@pytest.fixture
def devices(instrument):
    return make_devices(instrument, dwell_time=0.5, settle_time=0.25)


def test_a_move_places_both_axes_at_once(devices, instrument):
    devices.probe.set((2, 4.5)).wait()
    assert [call for call in instrument.calls if call[0] == "place_probe"] == [("place_probe", 2.0, 4.5)]
    assert instrument.clock.now() == 0.25
    reading = {key: value["value"] for key, value in devices.probe.read().items()}
    assert reading == {"probe_row": 2.0, "probe_column": 4.5, "probe_x": 2.25, "probe_y": 1.0}
    assert devices.probe.locate() == {"setpoint": (2.0, 4.5), "readback": (2.0, 4.5)}


def test_each_axis_moves_on_its_own(devices):
    devices.probe.set((1, 1)).wait()
    devices.probe.column.set(5).wait()
    devices.probe.row.put(3)
    assert devices.probe.position == (3, 5)
    assert (devices.probe.row.position, devices.probe.column.get()) == (3, 5)


@pytest.mark.parametrize("point", [(-1, 0), (4, 0), (0, 6), (0, -0.1), (float("nan"), 0), (3.01, 0)])
def test_a_point_outside_the_field_is_refused_before_the_probe_moves(devices, instrument, point):
    with pytest.raises(LimitError, match=r"^probe: [^\n]*outside the field of 4 x 6 pixels[^\n]*$"):
        devices.probe.check_value(point)
    with pytest.raises(LimitError, match="outside the field"):
        devices.probe.set(point)
    assert not [call for call in instrument.calls if call[0] == "place_probe"]
    assert instrument.blanked


@pytest.mark.parametrize("point", [3, (1, 2, 3), "ab", (None, 1)])
def test_what_is_no_point_is_refused(devices, point):
    with pytest.raises(ValueError, match=r"^probe: [^\n]* is not a \(row, column\)"):
        devices.probe.set(point)


def test_axis_limits_are_the_field(devices):
    assert devices.probe.limits == (devices.probe.row.limits, devices.probe.column.limits) == ((0, 3), (0, 5))
    devices.probe.row.check_value(3)
    with pytest.raises(LimitError):
        devices.probe.row.check_value(4)
    with pytest.raises(LimitError):
        devices.probe.column.set(6)


@pytest.mark.parametrize("name", ["beam", "probe", "haadf", "eds", "eels"])
def test_they_are_ophyd_devices(devices, name, capsys):
    device = getattr(devices, name)
    assert isinstance(device, ophyd.Device)
    for protocol in (protocols.Readable, protocols.Stageable, protocols.Pausable, protocols.Configurable):
        assert isinstance(device, protocol)
    device.summary()
    assert f"{name}_" in capsys.readouterr().out
    assert list(device.read()) == list(device.describe())
    assert list(device.read_configuration()) == list(device.describe_configuration())
    assert set(device.hints["fields"]) <= set(device.describe())
    for key in device.describe().values():
        assert key["source"].startswith("log:")
        assert "external" not in key


def test_described_types_are_the_measured_ones(devices):
    for detector in devices.detectors:
        detector.trigger().wait()
        for key, data_key in detector.describe().items():
            value = np.asarray(detector.read()[key]["value"])
            assert (list(value.shape), value.dtype) == (data_key["shape"], np.dtype(data_key["dtype_numpy"]))
    assert devices.eds.describe()["eds_spectrum"]["dtype_numpy"] == "<u4"
    assert devices.eels.describe()["eels_spectrum"]["shape"] == [1024]
    assert {devices.eds.describe()[f"eds_{key}"]["units"] for key in ("live_time", "real_time")} == {"s"}


def test_configuration_says_how_to_read_a_spectrum(devices):
    values = {key: value["value"] for key, value in devices.eds.read_configuration().items()}
    expected = {"eds_dwell_time": 0.5, "eds_energy_offset": -0.2, "eds_dispersion": 0.01}
    assert {key: values[key] for key in expected} == expected
    assert devices.eels.describe_configuration()["eels_dispersion"]["units"] == "eV"
    assert devices.beam.read_configuration()["beam_current"]["value"] == 100.0


def test_eds_times(devices):
    devices.eds.trigger().wait()
    reading = {key: value["value"] for key, value in devices.eds.read().items()}
    assert reading["eds_live_time"] == pytest.approx(0.4)
    assert reading["eds_real_time"] == 0.5
    assert reading["eds_dead_time"] == pytest.approx(0.2)


def test_dwell_time_is_set_in_every_way_bluesky_knows(devices, instrument):
    devices.eds.prepare(0.25).wait()
    devices.eds.trigger().wait()
    devices.eds.dwell_time.set(2.0).wait(5)
    devices.eds.configure({"dwell_time": 4.0})
    devices.eds.trigger().wait()
    assert [w.dwell for _, w in instrument.windows] == [0.25, 4.0]
    with pytest.raises(ValueError, match="eds_dwell_time"):
        devices.eds.prepare(0)


def test_a_spectrum_of_another_length_fails_the_exposure(devices, instrument):
    instrument.read_out = lambda *_: {"spectrum": np.zeros(5), "live_time": 1, "real_time": 1}
    with pytest.raises(ValueError, match=r"^eds: .*\(5,\).*\(2048,\)"):
        devices.eds.trigger().wait()


def test_pause_forbids_a_replay_of_the_dose(devices):
    with pytest.raises(NoReplayAllowed):
        devices.eds.pause()
    devices.probe.pause()
    devices.beam.pause()


def test_make_devices_names_what_is_wrong(instrument):
    instrument.detectors = frozenset({"haadf", "eds"})
    devices = make_devices(instrument)
    assert devices.eels is None
    assert [d.name for d in devices.detectors] == ["haadf", "eds"]
    with pytest.raises(ValueError, match=r"^dwell_times: .*'eels'"):
        make_devices(instrument, dwell_times={"eels": 1.0})
    with pytest.raises(ValueError, match=r"^eels: .*has no eels detector"):
        EELSDetector(instrument, devices.beam)
    with pytest.raises(ValueError, match="settle_time"):
        make_devices(instrument, settle_time=-1)
    with pytest.raises(ValueError, match="another instrument"):
        ProbePositioner(LoggingInstrument(), devices.beam)
