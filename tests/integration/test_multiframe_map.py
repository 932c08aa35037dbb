"""Series of frames under a real RunEngine: what is stated, taken, stored, and taken up again."""

import threading
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from bluesky.simulators import summarize_plan
from bluesky.utils import RunEngineInterrupted
from scipy.constants import elementary_charge

from daisy_bluesky.callbacks import FrameSum, Journal, stored_registrations
from daisy_bluesky.devices import DoseLimitExceeded, make_devices
from daisy_bluesky.devices._line_gate import LineGate
from daisy_bluesky.devices.backends import ScanningInstrument, VirtualInstrument
from daisy_bluesky.plans import multiframe_map
from daisy_bluesky.specimen import DriftingSpectrometer, ScannedSpecimen, VirtualSpecimen, crystal
from daisy_bluesky.spectra import EnergyAxis
from daisy_bluesky.storage import Uploader, find_run, open_catalog, replay, tell_journal_directory

FIELD = (160, 160)
CURRENT, DWELL, PIXEL = 17.0, 1e-3, 0.056
REGION = (0.5, 1.0, 40 * PIXEL, 48 * PIXEL)
SETTINGS = {"pixel_size": PIXEL, "dwell_time": DWELL, "region": REGION}


@pytest.fixture(scope="module")
def projected():
    return crystal(FIELD)


@pytest.fixture
def new_microscope(projected):
    def make(faults=None, **limits):
        axis = EnergyAxis(-20.0, 1.0, 256, "eV")
        specimen = ScannedSpecimen(projected, FIELD, spectrometer=DriftingSpectrometer(axis=axis), seed=3)
        return make_devices(ScanningInstrument(specimen, faults=faults), current=CURRENT, **limits)

    return make


@pytest.fixture
def laboratory(new_engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine, folder = new_engine(), tmp_path / "daisy-data" / "journal"
    journal = Journal(folder)
    engine.subscribe(journal)
    tell_journal_directory(engine, folder)
    return SimpleNamespace(engine=engine, journal=journal, folder=folder, data=tmp_path / "daisy-data")


def plan_for(microscope, detectors=("haadf", "eds"), **arguments):
    measuring = [getattr(microscope, name) for name in detectors]
    return multiframe_map(measuring, microscope.probe, **arguments)


def series_for(microscope, **arguments):
    return plan_for(microscope, **{**SETTINGS, "frames": 3, **arguments})


def test_a_frame_is_an_event_and_its_pixels_are_of_the_size_asked_for(laboratory, new_microscope, documents):
    microscope = new_microscope()
    laboratory.engine(series_for(microscope, pixel_size=0.05), documents)
    settings = documents.one("start")["multiframe"]
    assert settings["shape"] == [int(np.ceil(48 * PIXEL / 0.05)), int(np.ceil(40 * PIXEL / 0.05))]
    events = documents.events()
    assert [event["data"]["frame_number"] for event in events] == [0, 1, 2]
    for event in events:
        assert list(event["data"]["haadf_image"].shape) == settings["shape"]
        assert event["data"]["eds_frame"]["row"].max() < settings["shape"][0]
    assert microscope.beam.blanked.get()


def test_what_is_stated_beforehand_is_what_the_specimen_receives(laboratory, new_microscope, documents, capsys):
    microscope = new_microscope()
    laboratory.engine(series_for(microscope, survey=True, focus=2), documents)
    doses, electrons = documents.one("start")["multiframe"]["doses"], 1e-12 / elementary_charge
    assert doses["pixel_charge"] == pytest.approx(CURRENT * DWELL * electrons)
    assert doses["dose_per_frame"] == pytest.approx(CURRENT * DWELL * electrons / (10 * PIXEL) ** 2)
    assert doses["frame_time"] == pytest.approx(40 * 48 * DWELL)
    assert doses["dose_rate"] == pytest.approx(doses["dose_per_frame"] / doses["frame_time"])
    clock = microscope.beam.instrument.clock
    assert doses["series_time"] == pytest.approx(3 * (40 * 48 * DWELL + 48 * 1e-4 + 0.05))
    assert clock.now() > doses["series_time"]
    middle = (round(1.0 / PIXEL) + 24, round(0.5 / PIXEL) + 20)
    assert doses["area_dose"] == pytest.approx(microscope.beam.dose[middle], rel=0.01)
    assert documents.one("start")["multiframe"]["statement"] in capsys.readouterr().out
    assert [len(documents.events(stream)) for stream in ("survey", "focus", "primary")] == [1, 2, 3]
    assert documents.events("survey")[0]["data"]["haadf_image"].shape == FIELD
    charges = sum(event["data"]["frame_charge"] for event in documents.events())
    charges += sum(event["data"]["focus_charge"] for event in documents.events("focus"))
    charges += documents.events("survey")[0]["data"]["survey_charge"]
    assert charges == pytest.approx(microscope.beam.charge)


def test_focus_exposures_longer_than_a_frame_are_stated_as_they_are(laboratory, new_microscope, documents):
    microscope = new_microscope()
    laboratory.engine(series_for(microscope, dwell_time=2e-6, frames=1, focus=3, registration=False), documents)
    doses = documents.one("start")["multiframe"]["doses"]
    middle = (round(1.0 / PIXEL) + 24, round(0.5 / PIXEL) + 20)
    assert doses["area_dose"] == pytest.approx(microscope.beam.dose[middle], rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"energy_offset_step": "x"}, "energy_offset_step: 'x' is not a finite number of eV"),
        ({"energy_offset_step": float("nan")}, "energy_offset_step: nan is not a finite number of eV"),
        ({"on_completion": 3}, "on_completion: 3 cannot be called"),
        ({"frame_sum": 3}, "frame_sum: 3 sums no frames"),
        ({"survey": "no"}, "survey: 'no' is neither True nor False"),
        ({"detectors": ()}, "detectors: there is none"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_exposed(laboratory, new_microscope, wrong, line):
    microscope = new_microscope()
    with pytest.raises(ValueError, match=line):
        laboratory.engine(series_for(microscope, **wrong))
    assert microscope.beam.charge == 0


@pytest.mark.parametrize(
    ("limits", "asked", "named"),
    [
        ({}, {"max_dose": 1e6}, "max_dose"),
        ({"max_pixel_dose": 1e6}, {}, "max_pixel_dose"),
        ({"max_charge": 90.0}, {}, "max_charge"),
    ],
)
def test_a_series_over_a_limit_is_refused_in_one_line(laboratory, new_microscope, limits, asked, named):
    microscope = new_microscope(**limits)
    with pytest.raises(DoseLimitExceeded, match=named) as refusal:
        laboratory.engine(series_for(microscope, **asked))
    assert "\n" not in str(refusal.value)
    assert microscope.beam.charge == 0
    assert not laboratory.folder.exists() or not list(laboratory.folder.iterdir())
    if named != "max_charge":
        assert "2 of 3 frames" in str(refusal.value)
        laboratory.engine(series_for(microscope, **asked, frames=2))


def test_from_the_journal_and_from_tiled_the_frames_are_the_same(laboratory, new_microscope, documents):
    (uid,) = laboratory.engine(series_for(new_microscope()), documents)
    live = [event["data"] for event in documents.events()]
    check_frames(live, replay(laboratory.folder / uid))
    with open_catalog(laboratory.data) as catalog, Uploader(laboratory.folder, catalog.client) as uploader:
        assert uploader.flush(60)
        run = catalog.client[uid]
        check_frames(live, replay(run))
        stored = stored_registrations([replay(run)])
        check_sums(replay(run), replay(laboratory.folder / uid))
    np.testing.assert_array_equal(
        stored[0].displacement(2), stored_registrations([replay(laboratory.folder / uid)])[0].displacement(2)
    )


def check_sums(*runs):
    sums = [FrameSum(), FrameSum()]
    for watching, documents in zip(sums, runs, strict=True):
        for name, document in documents:
            watching(name, document)
    np.testing.assert_array_equal(sums[0].image(), sums[1].image())
    np.testing.assert_array_equal(sums[0].spectra().volume((0, 50)), sums[1].spectra().volume((0, 50)))


def check_frames(live, documents):
    streams, found = {}, []
    for name, document in documents:
        if name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name == "event" and streams[document["descriptor"]] == "primary":
            found.append(document["data"])
    assert len(found) == len(live)
    for one, stored in zip(live, found, strict=True):
        np.testing.assert_array_equal(one["haadf_image"], stored["haadf_image"])
        for field in ("row", "column", "channel", "count"):
            np.testing.assert_array_equal(np.sort(one["eds_frame"], order=FIELDS)[field], sorted_events(stored)[field])
        assert one["frame_charge"] == stored["frame_charge"]


FIELDS = ["row", "column", "channel"]


def sorted_events(data):
    """Events of single counts merged by channel, as the journal keeps them, split up again."""
    events = np.repeat(np.asarray(data["eds_frame"]), np.asarray(data["eds_frame"]["count"]))
    events["count"] = 1
    return np.sort(events, order=FIELDS)


def test_the_running_sums_are_those_of_the_stored_frames(laboratory, new_microscope):
    watching, seen = FrameSum(upsample=2), []

    def look(name, document):
        if name == "event" and "eds_frame" in document["data"]:
            seen.append((len(watching.frames), np.nansum(watching.image())))

    microscope = new_microscope()
    measure = series_for(microscope, frames=6, frame_sum=watching)
    (uid,) = laboratory.engine(measure, look)
    again = FrameSum(upsample=2)
    for name, document in replay(laboratory.folder / uid):
        again(name, document)
    assert again.frames == watching.frames == list(range(6))
    np.testing.assert_array_equal(again.image(), watching.image())
    window = [(2.9, 3.1), (1.3, 1.5)]
    np.testing.assert_array_equal(again.maps(window), watching.maps(window))
    assert len(seen) == 6
    registration = stored_registrations([replay(laboratory.folder / uid)])[0]
    for number in range(6):
        np.testing.assert_array_equal(registration.displacement(number), watching.registration().displacement(number))


def test_the_registration_finds_the_displacement_there_was(laboratory, new_microscope):
    microscope, watching = new_microscope(), FrameSum(spectra=False)
    region = (0.5, 0.5, 96 * PIXEL, 96 * PIXEL)
    laboratory.engine(series_for(microscope, frames=20, region=region, frame_sum=watching))
    specimen = microscope.beam.instrument.specimen
    # the first frames are registered against each other: their own distortion is not told apart yet
    found = np.array([watching.registration().displacement(number) for number in range(10, 20)])
    truth = np.array([specimen.scan.displacement(number, (96, 96)) for number in range(10, 20)])
    error = (found - found.mean(axis=0)) - (truth - truth.mean(axis=0))
    assert np.sqrt((error[:, 8:-8, 8:-8] ** 2).mean()) < 0.04


def test_several_virgin_areas_do_not_touch(laboratory, new_microscope, documents):
    microscope, watching = new_microscope(), FrameSum()
    laboratory.engine(series_for(microscope, areas=5, frames=2, frame_sum=watching), documents)
    origins = np.array(documents.one("start")["multiframe"]["areas"])
    assert origins[0].tolist() == list(REGION[:2])
    apart = np.abs(origins[:, None] - origins[None])
    touching = (apart < np.array(REGION[2:])).all(axis=2)
    np.testing.assert_array_equal(touching, np.eye(5, dtype=bool))
    assert [event["data"]["area"] for event in documents.events()] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert watching.areas == [0, 1, 2, 3, 4]
    assert microscope.beam.visits.max() == 2
    with pytest.raises(ValueError, match=r"^areas: \d+ virgin areas of .* fit into the field of .* not 99"):
        laboratory.engine(series_for(microscope, areas=99))


def test_areas_of_one_crystal_are_merged(laboratory, new_microscope):
    watching = FrameSum(merge_areas=True)
    region = (0.2, 0.2, 64 * PIXEL, 64 * PIXEL)
    laboratory.engine(series_for(new_microscope(), region=region, areas=2, frames=4, frame_sum=watching))
    assert watching.frames == list(range(8))
    one = FrameSum()
    (folder,) = laboratory.folder.iterdir()
    for name, document in replay(folder):
        one(name, document)
    inside = np.s_[20:44, 20:44]
    assert watching.image()[inside].std() > 0.9 * one.image()[inside].std()


def test_frames_are_added_to_a_finished_series(laboratory, new_microscope, documents):
    microscope = new_microscope()
    (uid,) = laboratory.engine(series_for(microscope))
    with pytest.raises(ValueError, match=r"^frames: series .* has 3 frames already; give more, in all"):
        laboratory.engine(plan_for(microscope, continue_from=uid))
    with pytest.raises(ValueError, match=r"has 3 frames already"):
        laboratory.engine(plan_for(microscope, continue_from=uid, frames=2))
    with pytest.raises(ValueError, match=r"^pixel_size: series .* goes on as it was begun; leave pixel_size out"):
        laboratory.engine(plan_for(microscope, continue_from=uid, frames=5, pixel_size=0.05))
    watching = FrameSum()
    (later,) = laboratory.engine(plan_for(microscope, continue_from=uid, frames=5, frame_sum=watching), documents)
    assert [event["data"]["frame_number"] for event in documents.events()] == [3, 4]
    assert documents.one("start")["continues"] == [uid]
    assert watching.frames == [0, 1, 2, 3, 4]
    runs = [replay(laboratory.folder / run) for run in (uid, later)]
    np.testing.assert_array_equal(
        stored_registrations(runs)[0].displacement(1), watching.registration().displacement(1)
    )
    assert microscope.beam.visits.max() == 5


def test_a_series_that_failed_goes_on_in_another_session(laboratory, new_microscope, documents):
    first = new_microscope()

    def fail(name, document):
        if name == "event" and document["data"].get("frame_number") == 1 and "eds_frame" in document["data"]:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        laboratory.engine(series_for(first), fail)
    assert first.beam.blanked.get()
    (folder,) = laboratory.folder.iterdir()
    later = new_microscope()
    laboratory.engine(plan_for(later, continue_from=folder.name[:8]), documents)
    assert [event["data"]["frame_number"] for event in documents.events()] == [2]
    np.testing.assert_allclose(later.beam.charge_map, 1.5 * first.beam.charge_map, rtol=1e-6)
    with pytest.raises(DoseLimitExceeded, match="max_dose"):
        laboratory.engine(plan_for(new_microscope(), continue_from=folder.name, frames=4, max_dose=1.2e6))


def test_a_pause_in_mid_frame_exposes_nothing_twice(laboratory, new_microscope, documents, monkeypatch):
    lines, heard, pause = [], threading.Event(), LineGate.pause

    def ask(frame):
        lines.append(frame.number)
        if len(lines) == 60:
            laboratory.engine.request_pause()
            heard.wait(10)

    def hear(gate):
        heard.set()
        pause(gate)

    monkeypatch.setattr(LineGate, "pause", hear)
    microscope = new_microscope(faults={"scan": ask})
    with pytest.raises(RunEngineInterrupted):
        laboratory.engine(series_for(microscope), documents)
    assert microscope.beam.blanked.get()
    assert 60 <= len(lines) < 96
    assert len(documents.events()) == 1
    laboratory.engine.resume()
    assert len(documents.events()) == 3
    assert lines == [0] * 48 + [1] * 48 + [2] * 48
    assert microscope.beam.visits.max() == 3
    assert microscope.beam.blanked.get()


def test_an_aborted_frame_leaves_whole_frames_and_a_blanked_beam(laboratory, new_microscope, documents):
    reached = threading.Event()

    def ask(frame):
        if frame.number == 1 and not reached.is_set():
            reached.set()
            laboratory.engine.request_pause()

    microscope = new_microscope(faults={"scan": ask})
    with pytest.raises(RunEngineInterrupted):
        laboratory.engine(series_for(microscope), documents)
    laboratory.engine.abort()
    assert microscope.beam.blanked.get()
    assert len(documents.events()) == 1
    assert documents.one("stop")["exit_status"] == "abort"
    (folder,) = laboratory.folder.iterdir()
    later = []
    laboratory.engine(plan_for(microscope, continue_from=folder.name), lambda name, doc: later.append((name, doc)))
    assert sum(name == "event" and "eds_frame" in doc["data"] for name, doc in later) == 2


def test_a_detector_that_fails_ends_the_series_blanked(laboratory, new_microscope, documents):
    def jam(frame):
        if frame.number == 1:
            raise OSError("the shutter is jammed")

    microscope = new_microscope(faults={"eds": jam})
    with pytest.raises(Exception, match="the shutter is jammed"):
        laboratory.engine(series_for(microscope), documents)
    assert microscope.beam.blanked.get()
    assert documents.one("stop")["exit_status"] == "fail"


def test_a_limit_that_is_met_on_the_way_ends_the_series_with_what_it_has(laboratory, new_microscope, documents):
    microscope = new_microscope(max_charge=100.0)

    def turn_up(name, document):
        if name == "event" and "eds_frame" in document["data"]:
            microscope.beam.current.put(10 * CURRENT)

    laboratory.engine(series_for(microscope), [turn_up, documents])
    assert len(documents.events()) == 1
    assert documents.one("stop")["reason"].startswith("limit of the beam: max_charge")
    assert microscope.beam.blanked.get()


def test_the_survey_of_an_earlier_session_counts(laboratory, new_microscope, documents):
    (uid,) = laboratory.engine(series_for(new_microscope(), survey=True))
    microscope = new_microscope()
    laboratory.engine(plan_for(microscope, continue_from=uid, frames=4), documents)
    doses = documents.one("start")["multiframe"]["doses"]
    assert doses["survey_dose"] == 0
    middle = (round(1.0 / PIXEL) + 24, round(0.5 / PIXEL) + 20)
    assert doses["area_dose"] == pytest.approx(microscope.beam.dose[middle], rel=1e-3)


def test_a_hook_is_called_at_the_end_and_may_fail(laboratory, new_microscope, documents, capsys):
    called = []

    def close_the_valve(uid):
        called.append(uid)
        raise RuntimeError("it is stuck")

    (uid,) = laboratory.engine(series_for(new_microscope(), on_completion=close_the_valve), documents)
    assert called == [uid]
    said = " ".join(capsys.readouterr().out.split())
    assert f"on_completion: close_the_valve failed (RuntimeError: it is stuck); run {uid} is complete" in said
    assert documents.one("stop")["exit_status"] == "success"


def test_a_hook_may_be_a_plan(laboratory, new_microscope):
    microscope = new_microscope()

    def turn_down(uid):
        from bluesky import plan_stubs as bps

        yield from bps.mv(microscope.beam.current, 1.0)

    laboratory.engine(series_for(microscope, frames=1, on_completion=turn_down))
    assert microscope.beam.current.get() == 1.0


def test_the_drift_tube_is_stepped_and_the_sum_put_right(laboratory, new_microscope, documents):
    microscope, watching = new_microscope(), FrameSum()
    plan = plan_for(
        microscope,
        ("haadf", "eels"),
        **SETTINGS,
        frames=4,
        energy_offset=microscope.energy_offset,
        energy_offset_step=5.0,
        frame_sum=watching,
    )
    laboratory.engine(plan, documents)
    assert [event["data"]["eels_energy_offset"] for event in documents.events()] == [-20.0, -15.0, -10.0, -5.0]
    assert microscope.energy_offset.position == 0.0
    peaks = [int(event["data"]["eels_frame"].sum(axis=(0, 1)).argmax()) for event in documents.events()]
    assert peaks == [20, 15, 10, 5]
    assert int(watching.spectra().volume().sum(axis=(0, 1)).argmax()) == 20


def test_frames_that_cannot_be_used_are_reported_and_not_averaged(laboratory, new_microscope, caplog):
    microscope, watching = new_microscope(), FrameSum()
    specimen = microscope.beam.instrument.specimen
    image = specimen.image

    def spoilt(frame):
        found = image(frame)
        if frame.number == 1:
            found[:] = 7.0
        if frame.number == 3:
            found[3, 3] = np.nan
        return found

    specimen.image = spoilt
    (uid,) = laboratory.engine(series_for(microscope, frames=6, frame_sum=watching))
    assert watching.frames == [0, 2, 4, 5]
    assert watching.excluded.keys() == {1, 3}
    assert "blank" in watching.excluded[1]
    assert "frame 1 is left out: blank" in caplog.text
    assert np.isfinite(watching.image()[20:28, 16:24]).all()
    assert watching.spectra().frames == (0, 2, 4, 5)
    stored = stored_registrations([replay(laboratory.folder / uid)])[0]
    assert dict(stored.excluded) == watching.excluded


def test_a_sum_that_does_not_fit_is_refused_before_the_first_electron(laboratory, new_microscope):
    microscope = new_microscope()
    with pytest.raises(MemoryError):
        laboratory.engine(series_for(microscope, frame_sum=FrameSum(upsample=8, memory_limit=2**19)))
    assert microscope.beam.charge == 0


def test_memory_holds_one_frame(laboratory, new_microscope):
    microscope = new_microscope()
    frame = 48 * 40 * 256 * 4

    def held(frames):
        tracemalloc.start()
        laboratory.engine(plan_for(microscope, ("haadf", "eels"), **SETTINGS, frames=frames))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    held(1)
    assert held(12) - held(3) < 0.5 * frame


def test_an_instrument_without_frames_is_led_from_pixel_to_pixel(laboratory, documents):
    microscope = make_devices(VirtualInstrument(VirtualSpecimen.demo((40, 40), seed=3)), current=100.0)
    size = microscope.probe.pixel_size
    plan = plan_for(
        microscope,
        pixel_size=2 * size,
        dwell_time=0.01,
        frames=2,
        region=(0, 0, 32 * size, 36 * size),
    )
    laboratory.engine(plan, documents)
    assert [event["data"]["haadf_image"].shape for event in documents.events()] == [(18, 16)] * 2
    assert microscope.beam.visits.max() == 2
    assert microscope.beam.visits.sum() == 2 * 18 * 16
    with pytest.raises(ValueError, match="sub_pixel"):
        laboratory.engine(plan_for(microscope, pixel_size=size, dwell_time=0.01, frames=2, sub_pixel=4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pixel_size": None}, "^pixel_size: a new series needs"),
        ({"pixel_size": -0.1}, "^pixel_size: -0.1 is not a positive"),
        ({"frames": 0}, "^frames: 0 is not a whole number"),
        ({"region": (0, 0, 99, 99)}, "^region: 99 x 99 nm .* does not lie in the field of 8.96 x 8.96 nm"),
        ({"region": (0, 0, 5)}, "^region: "),
        ({"areas": "all"}, "^areas: "),
        ({"areas": [(0, 0), (50, 0)]}, "^areas: the area at x 50"),
        ({"energy_offset_step": 2.0}, "^energy_offset_step: 2 eV need the drift tube"),
        ({"pixel_size": 0.3}, "^pixel_size: frames of .* are too small to register"),
        ({"detectors": ("eds",)}, "^detectors: none of .eds. gives images"),
        ({"detectors": ("eds",), "survey": True}, "^survey, focus: none of .eds."),
        ({"md": {"multiframe": 1}}, "^md: multiframe is the plan's own"),
    ],
)
def test_what_is_wrong_is_named_before_the_first_electron(laboratory, new_microscope, arguments, message):
    microscope = new_microscope()
    with pytest.raises(ValueError, match=message):
        laboratory.engine(series_for(microscope, **arguments))
    assert microscope.beam.charge == 0


def test_a_summary_exposes_nothing(laboratory, new_microscope, capsys):
    microscope = new_microscope()
    summarize_plan(series_for(microscope))
    assert "total dose" in capsys.readouterr().out
    assert microscope.beam.charge == 0


def test_regions_are_numbered(laboratory, new_microscope, documents):
    microscope = new_microscope()
    (uid,) = laboratory.engine(series_for(microscope, frames=1))
    laboratory.engine(plan_for(microscope, continue_from=uid, frames=2))
    laboratory.engine(series_for(microscope, frames=1), documents)
    assert documents.one("start")["multiframe"]["region_number"] == 2
    assert find_run(uid, laboratory.folder).name == uid
