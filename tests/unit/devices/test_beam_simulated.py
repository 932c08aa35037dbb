import numpy as np
import pytest
from logging_instrument import LoggingInstrument

from daisy_bluesky.devices import DoseLimitExceeded, make_devices
from daisy_bluesky.devices.backends import SimulatedClock


@pytest.fixture
def instrument():
    return LoggingInstrument()


def devices_of(instrument, **kwargs):
    return make_devices(instrument, **{"current": 50.0, "dwell_times": {"haadf": 0.25, "eds": 1.0}, **kwargs})


def test_two_detectors_share_one_exposure_from_its_start(instrument):
    d = devices_of(instrument)
    d.probe.set((2, 3)).wait()
    d.haadf.trigger().wait()
    d.eds.trigger().wait()
    assert instrument.clock.now() == 1.0
    assert d.beam.charge == 50.0
    assert [(key, w.number, w.start, w.dwell, w.visit) for key, w in instrument.windows] == [
        ("haadf", 1, 0.0, 0.25, 0),
        ("eds", 1, 0.0, 1.0, 0),
    ]
    assert d.beam.visits[2, 3] == d.beam.visits.sum() == 1
    assert d.beam.dwell_map[2, 3] == d.beam.dwell_map.sum() == 1.0


def test_the_longer_dwell_first_costs_the_same(instrument):
    d = devices_of(instrument)
    d.eds.trigger().wait()
    d.haadf.trigger().wait()
    assert (instrument.clock.now(), d.beam.charge, d.beam.exposures) == (1.0, 50.0, 1)


def test_a_detector_already_in_it_starts_the_next(instrument):
    d = devices_of(instrument)
    for _ in range(3):
        d.haadf.trigger().wait()
    assert (d.beam.exposures, d.beam.charge, d.beam.visits[0, 0]) == (3, 37.5, 3)
    assert [w.visit for _, w in instrument.windows] == [0, 1, 2]


@pytest.mark.parametrize("end", ["move", "stage", "unstage", "stop"])
def test_what_ends_an_exposure_for_joining(instrument, end):
    d = devices_of(instrument)
    d.haadf.trigger().wait()
    {
        "move": lambda: d.probe.set((0, 0)).wait(),
        "stage": d.eds.stage,
        "unstage": d.haadf.unstage,
        "stop": d.beam.stop,
    }[end]()
    d.eds.trigger().wait()
    assert d.beam.exposures == 2
    assert d.beam.charge == 62.5


def test_beam_is_on_only_while_the_clock_runs(instrument):
    d = devices_of(instrument)
    d.probe.set((1, 1)).wait()
    d.eds.trigger().wait()
    assert [call[0] for call in instrument.calls] == ["blank", "place_probe", "arm", "unblank", "blank", "read_out"]
    assert d.beam.blanked.get() is True


@pytest.mark.parametrize("step", ["arm", "unblank", "read_out"])
def test_what_raises_fails_the_status_and_blanks(instrument, step):
    d = devices_of(instrument)
    error = OSError("no answer")

    def fail():
        raise error

    instrument.trouble[step] = fail
    status = d.eds.trigger()
    assert status.done
    assert not status.success
    assert status.exception() is error
    assert instrument.blanked
    assert d.beam.charge == (50.0 if step == "read_out" else 0.0)
    instrument.trouble.clear()
    d.eds.trigger().wait()


def test_an_interrupt_during_the_exposure_blanks_and_books_what_was_given():
    class Interrupted(SimulatedClock):
        def advance(self, seconds):
            super().advance(seconds / 4)
            raise KeyboardInterrupt

    instrument = LoggingInstrument(clock=Interrupted())
    d = devices_of(instrument)
    with pytest.raises(KeyboardInterrupt):
        d.eds.trigger()
    assert instrument.blanked
    assert d.beam.charge == 12.5


def test_a_read_out_beyond_the_timeout_fails(instrument):
    d = devices_of(instrument, timeout=2.0)
    instrument.trouble["read_out"] = lambda: instrument.clock.advance(2.5)
    with pytest.raises(TimeoutError, match=r"^eds: [^\n]*2 s"):
        d.eds.trigger().wait()


def test_limits_refuse_before_anything_is_asked_of_the_instrument(instrument):
    d = devices_of(instrument, max_charge=60.0)
    d.eds.trigger().wait()
    instrument.calls.clear()
    with pytest.raises(DoseLimitExceeded, match="max_charge"):
        d.eds.trigger()
    assert {call[0] for call in instrument.calls} == {"blank"}
    assert (d.beam.charge, d.beam.exposures) == (50.0, 1)


def test_a_join_that_would_break_a_limit_is_refused(instrument):
    d = devices_of(instrument, max_charge=30.0)
    d.haadf.trigger().wait()
    with pytest.raises(DoseLimitExceeded):
        d.eds.trigger()
    assert d.beam.charge == 12.5
    d.probe.set((1, 1)).wait()
    d.haadf.trigger().wait()


def test_reading_is_of_the_latest_exposure(instrument):
    d = devices_of(instrument)
    assert {key: value["value"] for key, value in d.beam.read().items()} == {
        "beam_charge": 0.0,
        "beam_dwell_time": 0.0,
        "beam_total_charge": 0.0,
        "beam_time": 0.0,
    }
    for point in ((0, 0), (0, 1)):
        d.probe.set(point).wait()
        d.haadf.trigger().wait()
        d.eds.trigger().wait()
    assert {key: value["value"] for key, value in d.beam.read().items()} == {
        "beam_charge": 50.0,
        "beam_dwell_time": 1.0,
        "beam_total_charge": 100.0,
        "beam_time": 1.0,
    }
    assert list(d.beam.read()) == list(d.beam.describe())


def test_a_change_of_current_counts_from_the_next_exposure(instrument):
    d = devices_of(instrument)
    d.haadf.trigger().wait()
    d.beam.current.put(200.0)
    d.eds.trigger().wait()  # joins: it is still the first exposure
    d.eds.trigger().wait()
    assert d.beam.charge == 50.0 + 200.0


@pytest.mark.parametrize("current", [0, -5.0, float("nan"), float("inf")])
def test_current_is_positive(instrument, current):
    with pytest.raises(ValueError, match=r"^beam_current: "):
        make_devices(instrument, current=current)
    with pytest.raises(ValueError, match="timeout"):
        make_devices(instrument, timeout=0)


def test_restore_goes_on_with_visits_and_dose(instrument):
    d = devices_of(instrument)
    visits = np.zeros((4, 6), int)
    visits[0, 0] = 3
    d.beam.restore(visits * 0.5, visits)
    assert ("restore",) in instrument.calls
    d.eds.trigger().wait()
    assert instrument.windows[0][1].visit == 3
    assert d.beam.visits[0, 0] == 4
    assert d.beam.charge == 50.0 * 2.5
    assert d.beam.dose.max() * 25.0 == pytest.approx(50.0 * 2.5 * 6241509.074)
    d.beam.reset()
    assert d.beam.charge == d.beam.dose.sum() == d.beam.visits.sum() == 0
