"""The beam on a real clock: what ends an exposure is its own thread."""

import threading

import pytest
from logging_instrument import LoggingInstrument

from daisy_bluesky.devices import DoseLimitExceeded, _wall_exposer, make_devices
from daisy_bluesky.devices.backends import WallClock


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine may take long between two triggers."""
    monkeypatch.setattr(_wall_exposer, "_GATHERING", 0.5)


@pytest.fixture
def instrument():
    return LoggingInstrument(clock=WallClock())


def devices_of(instrument, **kwargs):
    return make_devices(instrument, **{"current": 100.0, "dwell_time": 0.02, "timeout": 5.0, **kwargs})


def test_an_exposure_ends_by_itself(instrument):
    d = devices_of(instrument)
    status = d.eds.trigger()
    assert not instrument.blanked
    status.wait(5)
    assert instrument.blanked
    assert 0.02 <= d.beam.dwell_map[0, 0] < 1.0
    assert d.beam.charge == pytest.approx(100.0 * d.beam.dwell_map[0, 0])
    assert d.eds.spectrum.get()[7] == 1


def test_joining_extends_the_exposure_and_the_charge_is_of_the_unblanked_time(instrument):
    d = devices_of(instrument, dwell_times={"haadf": 0.25, "eds": 0.3})
    first, second = d.haadf.trigger(), d.eds.trigger()
    first.wait(5)
    second.wait(5)
    assert d.beam.exposures == 1
    assert [call[0] for call in instrument.calls].count("unblank") == 1
    (window,) = [w for key, w in instrument.windows if key == "eds"]
    assert window.dwell == 0.3
    assert 0.3 <= d.beam.dwell_map[0, 0] < 1.0


def test_a_detector_already_in_it_waits_for_the_next(instrument):
    d = devices_of(instrument)
    first = d.eds.trigger()
    second = d.eds.trigger()
    assert first.done
    second.wait(5)
    assert d.beam.visits[0, 0] == 2


def test_the_probe_does_not_move_under_an_open_exposure(instrument):
    d = devices_of(instrument)
    blanked = []
    instrument.trouble["place_probe"] = lambda: blanked.append(instrument.blanked)
    status = d.eds.trigger()
    d.probe.set((1, 2)).wait(5)
    assert status.done
    assert blanked == [True]
    assert (d.beam.visits[0, 0], d.probe.position) == (1, (1, 2))


def test_settling_takes_its_time(instrument):
    d = devices_of(instrument, settle_time=0.05)
    before = instrument.clock.now()
    status = d.probe.set((1, 2))
    assert not status.done
    status.wait(5)
    assert instrument.clock.now() - before >= 0.05


def test_interrupt_blanks_at_once_and_reads_what_there_is(instrument):
    d = devices_of(instrument, dwell_time=60.0)
    status = d.eds.trigger()
    d.eds.unstage()
    assert instrument.blanked
    status.wait(5)
    assert d.beam.dwell_map[0, 0] < 30.0
    assert d.eds.real_time.get() == pytest.approx(d.beam.dwell_map[0, 0], abs=1.0)


def test_a_detector_that_hangs_fails_after_the_timeout_and_its_late_answer_is_dropped(instrument):
    d = devices_of(instrument, timeout=0.05)
    d.haadf.stage(), d.eds.stage()
    answer, answered = threading.Event(), threading.Event()
    main_read_out = instrument.read_out

    def hang(detector, exposure):
        if detector == "eds" and not answer.is_set():
            answer.wait(10)
            values = main_read_out(detector, exposure)
            answered.set()
            return values
        return main_read_out(detector, exposure)

    instrument.read_out = hang
    healthy, hung = d.haadf.trigger(), d.eds.trigger()
    healthy.wait(5)
    with pytest.raises(TimeoutError, match=r"^eds: not read out within 0.05 s"):
        hung.wait(5)
    assert instrument.blanked
    answer.set()
    assert answered.wait(5)
    d.probe.set((1, 1)).wait(5)
    d.haadf.unstage()
    d.eds.trigger().wait(5)
    assert d.eds.spectrum.get()[7] == 2


@pytest.mark.parametrize("step", ["arm", "unblank", "read_out"])
def test_what_raises_fails_the_status_and_blanks(instrument, step):
    d = devices_of(instrument)
    error = OSError("no answer")

    def fail():
        raise error

    instrument.trouble[step] = fail
    status = d.eds.trigger()
    assert status.exception(5) is error
    assert instrument.blanked


def test_a_blanker_that_fails_fails_the_exposure(instrument, caplog):
    d = devices_of(instrument)

    def fail():
        raise OSError("stuck")

    instrument.trouble["blank"] = fail
    status = d.eds.trigger()
    assert isinstance(status.exception(5), OSError)
    instrument.trouble.clear()
    d.beam.stop()
    assert instrument.blanked


def test_limits_refuse_before_the_exposure(instrument):
    d = devices_of(instrument, max_charge=3.0, dwell_times={"eds": 0.1})
    instrument.calls.clear()
    with pytest.raises(DoseLimitExceeded):
        d.eds.trigger()
    assert {call[0] for call in instrument.calls} == {"blank"}
    status = d.haadf.trigger()
    with pytest.raises(DoseLimitExceeded):
        d.eds.trigger()
    assert instrument.blanked
    status.wait(5)
    assert d.beam.exposures == 1


def test_pause_waits_for_exposure_and_read_out(instrument):
    d = devices_of(instrument)
    status = d.eds.trigger()
    d.probe.stop(success=True)
    assert status.done
    assert status.success
    assert instrument.blanked
    assert d.beam.dwell_map[0, 0] >= 0.02


@pytest.fixture
def staged(instrument):
    d = devices_of(instrument)
    d.haadf.stage()
    d.eds.stage()
    instrument.calls.clear()
    return d


def test_staged_detectors_begin_together(staged, instrument):
    first = staged.haadf.trigger()
    second = staged.eds.trigger()
    first.wait(5)
    second.wait(5)
    assert [call[0] for call in instrument.calls[:4]] == ["arm", "arm", "unblank", "blank"]
    assert len({w.start for _, w in instrument.windows}) == 1
    assert staged.beam.exposures == 1


def test_a_staged_detector_that_is_not_triggered_is_not_waited_for_long(staged, instrument):
    staged.eds.trigger().wait(5)
    assert [key for key, _ in instrument.windows] == ["eds"]
    assert (staged.beam.exposures, instrument.blanked) == (1, True)


def test_a_move_exposes_first_what_waits_for_its_detectors(staged):
    status = staged.eds.trigger()
    staged.probe.set((1, 1)).wait(5)
    assert status.done
    assert (staged.beam.visits[0, 0], staged.beam.visits[1, 1]) == (1, 0)


def test_a_pause_holds_what_waits_for_its_detectors(staged, instrument):
    first = staged.haadf.trigger()
    staged.probe.stop(success=True)
    staged.probe.pause()
    assert not first.done
    assert staged.beam.exposures == 0
    staged.probe.resume()
    second = staged.eds.trigger()
    first.wait(5)
    second.wait(5)
    assert staged.beam.exposures == 1


def test_what_is_held_goes_on_by_itself_after_resume(staged):
    status = staged.haadf.trigger()
    staged.beam.pause()
    staged.beam.resume()
    status.wait(5)
    assert staged.beam.exposures == 1


def test_unstaging_drops_what_has_not_begun(staged, instrument):
    status = staged.haadf.trigger()
    staged.beam.pause()
    staged.haadf.unstage()
    assert status.done
    assert (staged.beam.exposures, staged.beam.charge, instrument.windows) == (0, 0.0, [])


def test_a_blanker_that_does_not_open_fails_the_detectors_it_kept_waiting(staged, instrument):
    def fail():
        raise OSError("stuck")

    instrument.trouble["unblank"] = fail
    status = staged.haadf.trigger()
    assert isinstance(status.exception(5), OSError)
    instrument.trouble.clear()
    staged.haadf.trigger().wait(5)
    assert instrument.blanked
