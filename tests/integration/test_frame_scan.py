"""A whole frame as one event, under a real RunEngine."""

import threading
import time

import numpy as np
import pytest
from bluesky import plans as bp
from bluesky import preprocessors as bpp
from bluesky.utils import FailedStatus, RunEngineInterrupted

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.devices import DoseLimitExceeded, FrameScan, make_devices
from daisy_bluesky.devices.backends import VirtualInstrument, WallClock
from daisy_bluesky.storage import replay

SHAPE = (6, 9)
DWELL = 0.01


def scan_of(microscope, **options):
    return FrameScan([microscope.haadf, microscope.eds], microscope.probe, shape=SHAPE, dwell_time=DWELL, **options)


def dense(events, channels=2048):
    cube = np.zeros((*SHAPE, channels), np.int64)
    cube[events["row"], events["column"], events["channel"]] += events["count"]
    return cube


def test_a_frame_holds_what_its_pixels_gave_and_books_them(new_engine, microscope, documents):
    scan, before = scan_of(microscope), microscope.eds.dwell_time.get()
    given = {}
    receive = microscope.eds.receive

    def keep(values, timestamp):
        given[microscope.beam.position] = np.array(values["spectrum"])
        receive(values, timestamp)

    microscope.eds.receive = keep
    new_engine()(bp.count([scan]), documents)
    (event,) = documents.events()
    cube = dense(event["data"]["eds_frame"])
    assert len(given) == SHAPE[0] * SHAPE[1]
    for pixel, spectrum in given.items():
        np.testing.assert_array_equal(cube[int(pixel[0]), int(pixel[1])], spectrum)
    assert event["data"]["haadf_image"].shape == SHAPE
    assert event["data"]["frame_charge"] == pytest.approx(microscope.beam.charge) != 0
    np.testing.assert_allclose(microscope.beam.dwell_map[:6, :9], DWELL)
    assert microscope.beam.dwell_map.sum() == pytest.approx(54 * DWELL)
    assert microscope.beam.blanked.get()
    assert microscope.eds.dwell_time.get() == before


def test_the_journal_keeps_a_frame_as_it_was(new_engine, microscope, documents, tmp_path):
    engine = new_engine()
    engine.subscribe(Journal(tmp_path))
    (uid,) = engine(bp.count([scan_of(microscope)], num=2), documents)
    descriptor = documents.one("descriptor")
    assert descriptor["data_keys"]["eds_frame"]["shape"] == [*SHAPE, 2048]
    stored = [doc["data"] for name, doc in replay(tmp_path / uid) if name == "event"]
    for event, kept in zip(documents.events(), stored, strict=True):
        np.testing.assert_array_equal(dense(kept["eds_frame"]), dense(event["data"]["eds_frame"]))
        np.testing.assert_array_equal(kept["haadf_image"], event["data"]["haadf_image"])


def test_a_limit_of_the_beam_ends_the_frame_blanked(specimen):
    microscope = make_devices(VirtualInstrument(specimen), current=100.0, dwell_time=0.1, max_charge=20.5 * DWELL * 100)
    scan = scan_of(microscope)
    status = scan.trigger()
    with pytest.raises(DoseLimitExceeded):
        status.wait(30)
    assert microscope.beam.visits.sum() == 20
    assert microscope.beam.blanked.get()
    with pytest.raises(DoseLimitExceeded):
        scan.read()


def test_a_fault_of_a_detector_fails_the_frame_blanked(new_engine, specimen):
    def jam(exposure):
        if exposure.number == 12:
            raise OSError("the shutter is jammed")

    microscope = make_devices(VirtualInstrument(specimen, faults={"eds": jam}), current=100.0, dwell_time=0.1)
    with pytest.raises(FailedStatus, match="the shutter is jammed"):
        new_engine()(bp.count([scan_of(microscope)]))
    assert microscope.beam.blanked.get()
    assert microscope.beam.visits.sum() == 12


def test_a_pause_exposes_nothing_twice(new_engine, specimen, documents):
    engine, reached = new_engine(), threading.Event()

    def ask(exposure):
        if exposure.number == 20 and not reached.is_set():
            reached.set()
            engine.request_pause()

    microscope = make_devices(VirtualInstrument(specimen, faults={"eds": ask}), current=100.0, dwell_time=0.1)
    with pytest.raises(RunEngineInterrupted):
        engine(bp.count([scan_of(microscope)]), documents)
    assert microscope.beam.blanked.get()
    assert not documents.events()
    engine.resume()
    assert len(documents.events()) == 1
    assert microscope.beam.visits.max() == 1
    assert microscope.beam.visits.sum() == 54


def test_a_stopped_frame_gives_no_event(microscope):
    scan = scan_of(microscope)
    reached = threading.Event()
    receive = microscope.eds.receive

    def hold(values, timestamp):
        receive(values, timestamp)
        if microscope.beam.exposures == 20:
            threading.Thread(target=scan.stop).start()
            reached.wait(0.2)

    microscope.eds.receive = hold
    scan.trigger().wait(30)
    with pytest.raises(RuntimeError, match="scan the frame again"):
        scan.read()
    assert microscope.beam.visits.sum() < 54
    assert microscope.beam.blanked.get()
    assert microscope.beam.visits.max() <= 1


@pytest.mark.parametrize("way", ["stop", "abort", "halt"])
def test_a_frame_that_was_paused_is_ended_at_once_and_in_silence(new_engine, specimen, documents, way):
    """On a real clock, with a staged detector that takes no part in the frame."""
    engine, begun = new_engine(), []
    microscope = make_devices(VirtualInstrument(specimen, clock=WallClock()), current=100.0, dwell_time=0.001)
    scan = FrameScan([microscope.haadf], microscope.probe, shape=SHAPE, dwell_time=0.002, timeout=5.0)
    unblank = microscope.beam.instrument.unblank

    def unblank_and_ask():
        unblank()
        begun.append(1)
        if len(begun) == 20:
            threading.Thread(target=engine.request_pause, daemon=True).start()

    microscope.beam.instrument.unblank = unblank_and_ask
    plan = bpp.stage_wrapper(bp.count([scan]), [microscope.beam, microscope.eds, microscope.haadf])
    with pytest.raises(RunEngineInterrupted):
        engine(plan, documents)
    assert microscope.beam.blanked.get()
    began = time.monotonic()
    getattr(engine, way)()
    assert time.monotonic() - began < 4.0
    assert engine.state == "idle"
    assert microscope.beam.blanked.get()
    assert not documents.events()
    assert 20 <= microscope.beam.visits.sum() < 54


def test_a_frame_does_not_wait_for_detectors_that_take_no_part(specimen):
    microscope = make_devices(VirtualInstrument(specimen, clock=WallClock()), current=100.0, dwell_time=0.001)
    microscope.eds.stage()
    scan = FrameScan([microscope.haadf], microscope.probe, shape=SHAPE, dwell_time=0.0001)
    began = time.monotonic()
    scan.trigger().wait(30)
    assert time.monotonic() - began < 54 * 0.05
    assert microscope.beam.visits.sum() == 54
    microscope.eds.unstage()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"shape": (0, 4)}, "shape"),
        ({"shape": (3,)}, "shape"),
        ({"shape": "ab"}, "shape"),
        ({"timeout": "x"}, "timeout"),
        ({"dwell_time": "x"}, "dwell"),
        ({"dwell_time": float("inf")}, "dwell"),
        ({"shape": (9999, 4)}, "shape"),
        ({"dwell_time": 0.0}, "dwell"),
    ],
)
def test_bad_arguments_are_named(microscope, options, named):
    with pytest.raises(ValueError, match=named):
        FrameScan([microscope.eds], microscope.probe, **options)
