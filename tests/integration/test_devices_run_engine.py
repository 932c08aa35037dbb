"""The devices under a real RunEngine: stock plans, pauses at every message, faults."""

import os
import signal
import threading

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import Msg, RunEngine
from bluesky.simulators import check_limits
from bluesky.utils import FailedStatus, RunEngineInterrupted
from ophyd.utils import LimitError

from daisy_bluesky.devices import DoseLimitExceeded, _wall_exposer, make_devices
from daisy_bluesky.devices.backends import SimulatedClock, VirtualInstrument, WallClock
from daisy_bluesky.spectra import EnergyAxis

ELECTRONS_PER_PC = 6241509.074460763


class TellTale:
    """Its spectra say which exposure they come from: row, column, visit and number in the first channels."""

    shape = (4, 5)
    pixel_size = 0.5
    identity = "tell-tale"
    eds_axis = EnergyAxis(0.0, 0.01, 2048)
    eels_axis = EnergyAxis(0.0, 1.0, 1024, "eV")

    def _spectrum(self, exposure, channels):
        spectrum = np.zeros(channels, np.uint32)
        spectrum[:4] = exposure.row, exposure.column, exposure.visit, exposure.number
        return spectrum

    def haadf(self, exposure):
        return float(exposure.number)

    def eds(self, exposure):
        return {
            "spectrum": self._spectrum(exposure, 2048),
            "live_time": exposure.dwell,
            "real_time": exposure.dwell,
        }

    def eels(self, exposure):
        return {"spectrum": self._spectrum(exposure, 1024)}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine may take long between two triggers."""
    monkeypatch.setattr(_wall_exposer, "_GATHERING", 0.5)


@pytest.fixture
def engine():
    engine = RunEngine({})
    yield engine
    if engine.state == "paused":
        engine.halt()
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    engine._th.join(timeout=5)
    engine.loop.close()


@pytest.fixture
def documents(engine):
    collected = []
    engine.subscribe(lambda name, doc: collected.append((name, doc)))
    return collected


def bench(clock="simulated", faults=None, **kwargs):
    clocks = {"simulated": SimulatedClock, "wall": WallClock}
    instrument = VirtualInstrument(TellTale(), clock=clocks[clock](), faults=faults)
    return instrument, make_devices(instrument, **{"dwell_time": 0.002, "current": 100.0, "timeout": 5.0, **kwargs})


def events(documents):
    descriptors = {doc["uid"]: doc["name"] for name, doc in documents if name == "descriptor"}
    return [doc["data"] for name, doc in documents if name == "event" and descriptors[doc["descriptor"]] == "primary"]


def raw_map(devices, points):
    """The hot loop of a map: messages only."""
    detectors = [devices.haadf, devices.eds]
    yield Msg("open_run")
    for point in points:
        yield Msg("set", devices.probe, point, group="move")
        yield Msg("wait", None, group="move")
        for detector in detectors:
            yield Msg("trigger", detector, group="expose")
        yield Msg("wait", None, group="expose")
        yield Msg("create", None, name="primary")
        for device in (devices.probe, *detectors, devices.beam):
            yield Msg("read", device)
        yield Msg("save")
        yield Msg("checkpoint")
    yield Msg("close_run")


def assert_aligned(data):
    """Every event holds the one exposure made for it, at its place."""
    for event in data:
        assert list(event["eds_spectrum"][:2]) == [event["probe_row"], event["probe_column"]]
        assert event["eds_spectrum"][3] == event["haadf_intensity"]


@pytest.mark.parametrize("clock", ["simulated", "wall"])
def test_count(engine, documents, clock):
    instrument, d = bench(clock)
    engine(bp.count([d.haadf, d.eds, d.eels, d.beam], 5))
    data = events(documents)
    assert [event["eds_spectrum"][3] for event in data] == [1, 2, 3, 4, 5]
    assert [event["eels_spectrum"][2] for event in data] == [0, 1, 2, 3, 4]
    assert d.beam.visits[0, 0] == d.beam.visits.sum() == 5
    assert instrument.blanked
    assert data[-1]["beam_total_charge"] == d.beam.charge == pytest.approx(sum(event["beam_charge"] for event in data))
    if clock == "simulated":
        assert d.beam.charge == pytest.approx(5 * 0.002 * 100.0)


@pytest.mark.parametrize("snake", [False, True])
def test_grid_scan(engine, documents, snake):
    instrument, d = bench()
    engine(bp.grid_scan([d.eds, d.haadf], d.probe.row, 0, 3, 4, d.probe.column, 0, 4, 5, snake_axes=snake))
    data = events(documents)
    assert_aligned(data)
    assert len(data) == 20
    np.testing.assert_array_equal(d.beam.visits, np.ones((4, 5)))
    np.testing.assert_allclose(d.beam.dose, 0.002 * 100.0 * ELECTRONS_PER_PC / 25.0)
    assert instrument.blanked
    (start,) = [doc for name, doc in documents if name == "start"]
    assert start["hints"]["dimensions"] == [(["probe_row"], "primary"), (["probe_column"], "primary")]


def test_list_grid_scan_and_relative_scan(engine, documents):
    _, d = bench()
    engine(bp.list_grid_scan([d.eds, d.haadf], d.probe.row, [0, 3], d.probe.column, [4, 1, 2]))
    d.probe.set((2, 2)).wait()
    engine(bp.rel_scan([d.eds, d.haadf], d.probe.column, -1, 1, 3))
    data = events(documents)
    assert [event["probe_column"] for event in data] == [4, 1, 2, 4, 1, 2, 1, 2, 3]
    assert d.beam.visits.sum() == 9
    assert d.probe.position == (2, 2)


def test_moving_the_whole_probe_in_a_stock_plan(engine, documents):
    _, d = bench()
    engine(bp.list_scan([d.eds, d.haadf], d.probe, [(0, 1), (2, 3)]))
    assert_aligned(events(documents))
    assert d.beam.visits[0, 1] == d.beam.visits[2, 3] == 1


def test_check_limits_finds_what_the_probe_refuses(engine):
    _, d = bench()
    with pytest.raises(LimitError, match="outside the field"):
        check_limits(bp.scan([d.eds], d.probe.row, 0, 7, 8))
    with pytest.raises(LimitError, match="outside the field"):
        engine(bp.scan([d.eds], d.probe.row, 0, 7, 8))
    assert d.beam.visits.sum() == 4


PLANS = {
    "raw": lambda d: bpp.stage_wrapper(raw_map(d, [(0, 0), (1, 2), (3, 4)]), [d.haadf, d.eds, d.probe]),
    "grid_scan": lambda d: bp.grid_scan([d.haadf, d.eds, d.beam], d.probe.row, 1, 2, 2, d.probe.column, 3, 3, 1),
    "count": lambda d: bp.count([d.haadf, d.eds], 2),
}


def pausing_before(plan, index, seen):
    """Let a plan run, with a pause before its message number `index`; the commands go to `seen`."""

    def pause_and(msg):
        yield Msg("pause", None, defer=False)
        return (yield msg)

    def insert(msg):
        seen.append(msg)
        return (pause_and(msg), None) if len(seen) - 1 == index else (None, None)

    return bpp.plan_mutator(plan, insert)


@pytest.mark.parametrize("clock", ["simulated", "wall"])
@pytest.mark.parametrize("name", PLANS)
def test_pause_and_resume_at_every_message(engine, documents, name, clock):
    expected = 3 if name == "raw" else 2
    messages = len(list(PLANS[name](bench()[1])))
    paused = 0
    for index in range(messages):
        documents.clear()
        instrument, d = bench(clock, settle_time=0.001)
        seen = []
        try:
            engine(pausing_before(PLANS[name](d), index, seen))
        except RunEngineInterrupted:
            paused += 1
            assert instrument.blanked
            engine.resume()
        data = events(documents)
        assert len(data) == expected, (index, seen[index])
        assert d.beam.exposures == d.beam.visits.sum() == expected, (index, seen[index])
        assert [event["eds_spectrum"][3] for event in data] == list(range(1, expected + 1))
        assert [event["haadf_intensity"] for event in data] == list(range(1, expected + 1))
        assert instrument.blanked
    assert paused >= messages - 2


def test_a_pause_in_mid_exposure_lets_it_end(engine, documents):
    instrument, d = bench("wall", dwell_time=0.2)
    unblank = instrument.unblank

    def unblank_and_ask_for_a_pause():
        unblank()
        if d.beam.exposures == 2:
            threading.Thread(target=engine.request_pause, daemon=True).start()

    instrument.unblank = unblank_and_ask_for_a_pause
    with pytest.raises(RunEngineInterrupted):
        engine(raw_map(d, [(0, 0), (1, 1), (2, 2)]))
    assert instrument.blanked
    assert d.beam.dwell_map[1, 1] >= 0.2
    engine.resume()
    assert_aligned(events(documents))
    np.testing.assert_array_equal([d.beam.visits[i, i] for i in range(3)], 1)
    assert d.beam.visits.sum() == len(events(documents)) == 3


@pytest.mark.parametrize("clock", ["simulated", "wall"])
def test_a_detector_is_not_read_before_its_read_out(engine, documents, clock):
    _, d = bench(clock)

    def impatient():
        yield Msg("open_run")
        yield Msg("trigger", d.eds, group="never waited for")
        yield Msg("create", None, name="primary")
        yield Msg("read", d.eds)
        yield Msg("save")
        yield Msg("close_run")

    engine(impatient())
    assert [event["eds_spectrum"][3] for event in events(documents)] == [1]


@pytest.mark.parametrize("clock", ["simulated", "wall"])
@pytest.mark.parametrize("way", ["abort", "stop", "halt"])
def test_abort_stop_and_halt_leave_the_beam_blanked(engine, documents, way, clock):
    instrument, d = bench(clock)
    with pytest.raises(RunEngineInterrupted):
        engine(pausing_before(raw_map(d, [(0, 0), (1, 1)]), 15, []))
    getattr(engine, way)()
    assert instrument.blanked
    (stop,) = [doc for name, doc in documents if name == "stop"]
    assert stop["exit_status"] == ("success" if way == "stop" else "abort")


def test_ctrl_c_leaves_the_beam_blanked(engine):
    instrument, d = bench("wall", dwell_time=0.05)
    done = threading.Event()

    def interrupt_until_it_gives_way():
        while not done.wait(0.3):
            os.kill(os.getpid(), signal.SIGINT)

    @bpp.stage_decorator([d.eds, d.probe])
    def endless():
        yield from raw_map(d, ((i % 4, i % 5) for i in iter(int, 1)))

    sender = threading.Thread(target=interrupt_until_it_gives_way)
    unblank = instrument.unblank

    def unblank_and_start():
        unblank()
        if d.beam.exposures == 2:
            sender.start()

    instrument.unblank = unblank_and_start
    try:
        with pytest.raises(RunEngineInterrupted):
            engine(endless())
    finally:
        done.set()
        sender.join(5)
    assert engine.state == "paused"
    assert instrument.blanked
    engine.abort()
    assert instrument.blanked
    assert d.beam.exposures == d.beam.visits.sum()


@pytest.mark.parametrize("clock", ["simulated", "wall"])
@pytest.mark.parametrize("staged", [True, False])
def test_a_detector_that_raises_fails_the_plan(engine, documents, clock, staged):
    def fault(exposure):
        if exposure.number == 2:
            raise OSError("the detector is off")

    instrument, d = bench(clock, faults={"eds": fault})
    plan = raw_map(d, [(0, 0), (1, 1), (2, 2)])
    with pytest.raises(FailedStatus, match="the detector is off") as failure:
        engine(bpp.stage_wrapper(plan, [d.eds]) if staged else plan)
    assert isinstance(failure.value.__cause__, OSError)
    assert instrument.blanked
    assert len(events(documents)) == 1
    assert [doc["exit_status"] for name, doc in documents if name == "stop"] == ["fail"]


@pytest.mark.parametrize("clock", ["simulated", "wall"])
def test_a_detector_that_times_out_fails_the_plan(engine, documents, clock):
    released = threading.Event()
    instrument, d = bench(clock, faults={"eds": lambda _: hang()}, timeout=0.1)

    def hang():
        if clock == "simulated":
            instrument.clock.advance(60.0)
        else:
            released.wait(30)

    try:
        with pytest.raises(FailedStatus) as failure:
            engine(bp.count([d.haadf, d.eds]))
    finally:
        released.set()
    assert isinstance(failure.value.__cause__, TimeoutError)
    assert str(failure.value.__cause__).startswith("eds: not read out within 0.1 s")
    assert instrument.blanked
    assert [doc["exit_status"] for name, doc in documents if name == "stop"] == ["fail"]


@pytest.mark.parametrize("clock", ["simulated", "wall"])
@pytest.mark.parametrize(
    "limits", [{"max_charge": 7 * 0.002 * 150.0}, {"max_pixel_dose": 1.5 * 0.3 * ELECTRONS_PER_PC / 25}]
)
def test_limits_refuse_the_exposure_that_would_break_them(engine, documents, clock, limits):
    instrument, d = bench(clock, current=150.0, **limits)
    with pytest.raises(DoseLimitExceeded) as failure:
        engine(bp.count([d.eds, d.haadf], 20))
    assert "\n" not in str(failure.value)
    assert instrument.blanked
    assert d.beam.visits.sum() == len(events(documents)) <= 7
    if clock == "simulated":
        assert d.beam.charge <= limits.get("max_charge", np.inf) * (1 + 1e-9)
        assert d.beam.dose.max() <= limits.get("max_pixel_dose", np.inf)
        assert d.beam.visits.sum() == (7 if "max_charge" in limits else 1)


def test_a_plan_that_fails_without_staging_or_moving_is_blanked_by_the_beam_itself(engine):
    instrument, d = bench("wall", dwell_time=0.1)
    statuses = []

    def careless():
        statuses.append((yield from bps.trigger(d.eds)))
        raise RuntimeError("careless")

    with pytest.raises(RuntimeError, match="careless"):
        engine(careless())
    statuses[0].wait(5)
    assert instrument.blanked
    assert 0.1 <= d.beam.dwell_map[0, 0] < 2.0


def test_an_abort_ends_a_long_exposure_at_once(engine):
    instrument, d = bench("wall", dwell_time=60.0)
    unblank = instrument.unblank

    def unblank_and_abort():
        unblank()
        threading.Thread(target=engine.abort, daemon=True).start()

    instrument.unblank = unblank_and_abort
    with pytest.raises(RunEngineInterrupted):
        engine(bp.count([d.eds]))
    assert instrument.blanked
    assert d.beam.dwell_map[0, 0] < 30.0
