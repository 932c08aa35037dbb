"""What a run leaves behind when something fails: a clear reason, a blanked beam, and every event that was saved."""

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from bluesky.utils import FailedStatus, RunEngineInterrupted
from command_line import begin_in_terminal, environment, run, save_spectrum_image

from daisy_bluesky.callbacks import check_decisions
from daisy_bluesky.config import BeamSettings, load_settings
from daisy_bluesky.devices.backends import VirtualInstrument, WallClock
from daisy_bluesky.plans import adaptive_map, raster_map
from daisy_bluesky.session import start
from daisy_bluesky.specimen import VirtualSpecimen
from daisy_bluesky.storage import open_catalog, replay

SIDE, SEED = 24, 5
PROCESS = Path(__file__).parent / "measuring_process.py"


@pytest.fixture(scope="module")
def field():
    return VirtualSpecimen.demo((SIDE, SIDE), seed=SEED)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("faults") / "daisy-data"


@pytest.fixture
def begin_session(field, data):
    """Start sessions whose instrument has the trouble that is asked for, or lives by a clock of its own."""
    sessions = []

    def begin_one(*, folder=data, clock=None, faults=None, **settings):
        instrument = VirtualInstrument(field, clock=clock, faults=faults)
        sessions.append(start(settings=load_settings(data=folder, **settings), instrument=instrument))
        return sessions[-1]

    yield begin_one
    for session in sessions:
        session.close()


def at_exposure(number, trouble):
    """A fault of the one exposure with that number."""

    def fault(exposure):
        if exposure.number == number:
            trouble()

    return fault


def events(run, stream="primary"):
    names = {}
    for name, document in replay(run):
        if name == "descriptor":
            names[document["uid"]] = document["name"]
        elif name == "event" and names[document["descriptor"]] == stream:
            yield document


def check_ended(session, *, saved, reason):
    """The beam is blanked, the engine free; the run is closed as failed, and in tiled with all that was saved."""
    assert session.instrument.blanked
    assert session.beam.blanked.get()
    assert session.RE.state == "idle"
    assert session.uploader.flush(60)
    run = session.catalog[-1]
    assert run.stop["exit_status"] == "fail"
    assert reason in run.stop["reason"]
    assert [event["seq_num"] for event in events(run)] == list(range(1, saved + 1))
    return run


def test_a_detector_that_raises_ends_the_plan(begin_session):
    def lose_the_link():
        raise ConnectionError("the link to the pulse processor is lost")

    session = begin_session(faults={"eds": at_exposure(31, lose_the_link)})
    plan = adaptive_map([session.haadf, session.eds], session.probe, fraction=0.5)
    with pytest.raises(FailedStatus, match="the link to the pulse processor is lost"):
        session.RE(plan)
    check_ended(session, saved=30, reason="the link to the pulse processor is lost")
    (uid,) = session.RE(raster_map([session.haadf, session.eds], session.probe, shape=(2, 2)))
    assert session.uploader.flush(60)
    assert session.catalog[uid].stop["exit_status"] == "success"


def test_a_detector_that_does_not_answer_ends_the_plan(begin_session):
    session = begin_session(faults={"eds": at_exposure(31, lambda: session.instrument.clock.advance(3600))})
    plan = adaptive_map([session.haadf, session.eds], session.probe, fraction=0.5)
    with pytest.raises(FailedStatus, match="eds: not read out within 10 s after the exposure"):
        session.RE(plan)
    check_ended(session, saved=30, reason="eds: not read out within 10 s")


def test_a_callback_that_raises_ends_the_plan_and_loses_no_event(begin_session):
    session = begin_session()

    def draw(name, document):
        if name == "event" and document["seq_num"] == 20 and "eds_spectrum" in document["data"]:
            raise ZeroDivisionError("nothing to scale the picture by")

    plan = adaptive_map([session.haadf, session.eds], session.probe, fraction=0.5)
    with pytest.raises(ZeroDivisionError, match="nothing to scale the picture by"):
        session.RE(plan, draw)
    run = check_ended(session, saved=20, reason="nothing to scale the picture by")
    assert len(list(events(run, "decisions"))) == 19


def test_a_dose_limit_ends_the_plan_before_it_is_exceeded(begin_session):
    session = begin_session(beam=BeamSettings(current=100.0, max_charge=25.5 * 0.01 * 100.0))
    plan = raster_map([session.eds], session.probe, dwell_time=0.01)
    with pytest.raises(ValueError, match="charge") as refusal:
        session.RE(plan)
    assert "\n" not in str(refusal.value)
    assert session.beam.charge == pytest.approx(25 * 0.01 * 100.0)
    check_ended(session, saved=25, reason="charge")


def test_ctrl_c_twice_pauses_with_the_beam_blanked_and_abort_closes_the_run(begin_session):
    session = begin_session(clock=WallClock())
    again = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))  # as fast as a hand can

    def press_twice(name, document):
        if name == "event" and document["seq_num"] == 2:
            os.kill(os.getpid(), signal.SIGINT)
            again.start()

    plan = raster_map([session.haadf, session.eds], session.probe, dwell_time=0.6)
    with pytest.raises(RunEngineInterrupted):
        session.RE(plan, press_twice)
    again.join()
    assert session.RE.state == "paused"
    assert session.instrument.blanked
    charge = session.beam.charge
    session.RE.abort("no more today")
    assert session.RE.state == "idle"
    assert session.instrument.blanked
    assert session.beam.charge == charge
    assert session.uploader.flush(60)
    run = session.catalog[-1]
    assert run.stop["exit_status"] == "abort"
    assert len(list(events(run))) in (2, 3)


def kill_in_mid_run(folder, after):
    """Let a process map until it has said that so many events are saved, then kill it; return how many it said."""
    command = [sys.executable, PROCESS, str(SIDE), str(SEED)]
    process = subprocess.Popen(command, env=environment(DAISY_DATA=str(folder)), stdout=subprocess.PIPE, text=True)
    said = 0
    for line in process.stdout:
        said = int(line.removeprefix("saved "))
        if said == after:
            process.kill()
    process.wait(60)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    return said


def test_a_run_whose_process_was_killed_is_kept_closed_uploaded_and_gone_on_with(begin_session, data):
    said = kill_in_mid_run(data, 60)
    session = begin_session()
    (uid,) = session.recovered
    before = list(events(data / "journal" / uid))
    assert len(before) >= said
    assert all(event["data"]["eds_spectrum"].shape == (2048,) for event in before)
    assert session.uploader.flush(60)
    killed = session.catalog[uid]
    assert (killed.stop["exit_status"], killed.stop["reason"]) == ("fail", "process died")
    for stored, kept in zip(events(killed), before, strict=True):
        np.testing.assert_array_equal(stored["data"]["eds_spectrum"], kept["data"]["eds_spectrum"])
    points = len(before) + 40
    plan = adaptive_map([session.haadf, session.eds], session.probe, continue_from=uid[:8], fraction=points / SIDE**2)
    (continued,) = session.RE(plan)
    assert session.uploader.flush(60)
    after = list(events(session.catalog[continued]))
    assert len(after) == 40
    visited = [(event["data"]["probe_row"], event["data"]["probe_column"]) for event in before + after]
    assert len(set(visited)) == points
    assert session.beam.visits.sum() == points
    assert check_decisions(lambda uid: replay(session.catalog[uid]), continued).different == 0


def test_a_full_disk_ends_the_demo_with_one_line_and_loses_nothing(begin_session, tmp_path):
    save_spectrum_image(tmp_path / "grains.npz", (40, 40))
    largest = 1_000_000

    def fill_the_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    done = run("demo", "--recorded", "grains.npz", "--fraction", "1", cwd=tmp_path, preexec_fn=fill_the_disk)
    assert done.returncode == 2
    (folder,) = (tmp_path / "daisy-data" / "journal").iterdir()
    assert done.stderr == (
        f"daisy-bluesky: {folder}: the journal cannot be written (File too large); free or choose another data folder\n"
    )
    assert not (tmp_path / "report.png").exists()
    saved = list(events(folder))
    assert len(saved) > 100
    assert f" {len(saved)}/1600 points" in done.stdout
    session = begin_session(folder=tmp_path / "daisy-data")
    assert session.uploader.flush(60)
    assert session.catalog[folder.name].stop["exit_status"] == "fail"
    assert len(list(events(session.catalog[folder.name]))) == len(saved)


def test_a_catalog_that_was_never_finished_is_made_anew_and_a_damaged_one_is_named(tmp_path):
    databases = tmp_path / "tiled"
    databases.mkdir()
    (databases / "catalog.db").write_bytes(b"SQLite format 3\0 and no more, for the disk was full")
    with pytest.raises(OSError, match="tiled cannot use its databases") as refusal:
        open_catalog(tmp_path)
    assert refusal.value.filename == str(databases)
    assert "\n" not in str(refusal.value)
    (databases / "unfinished").touch()
    with open_catalog(tmp_path) as catalog:
        assert len(catalog.client) == 0
    with open_catalog(tmp_path) as catalog:
        assert len(catalog.client) == 0


def test_ctrl_c_ends_the_demo_with_one_line_and_keeps_the_run(tmp_path):
    save_spectrum_image(tmp_path / "grains.npz", (64, 64))
    demo, terminal = begin_in_terminal("demo", "--recorded", "grains.npz", "--fraction", "1", cwd=tmp_path)
    shown = b""
    while b" points  " not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    err = demo.stderr.read()
    shown += os.read(terminal, 1 << 16)
    demo.stderr.close()
    os.close(terminal)
    assert (demo.wait(60), err) == (130, "daisy-bluesky: interrupted\n")
    (folder,) = (tmp_path / "daisy-data" / "journal").iterdir()
    saved = list(events(folder))
    assert 0 < len(saved) < 64 * 64
    told = f"the beam is blanked, run {folder.name} is closed and keeps its {len(saved)} points"
    assert told in shown.decode()
    *_, (name, stop) = replay(folder)
    assert (name, stop["exit_status"], stop["num_events"]["primary"]) == ("stop", "abort", len(saved))
