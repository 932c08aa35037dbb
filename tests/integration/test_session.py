"""One call that wires it all, and all of it let go again."""

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from bluesky import Msg
from bluesky import preprocessors as bpp
from bluesky.utils import RunEngineInterrupted
from command_line import environment
from databroker.client import CatalogOfBlueskyRuns

from daisy_bluesky.config import load_settings
from daisy_bluesky.plans import adaptive_map, multiframe_map, raster_map
from daisy_bluesky.session import start
from daisy_bluesky.storage import open_catalog

SHAPE = (20, 20)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("session") / "daisy-data"


@pytest.fixture
def settings(data):
    return load_settings(data=data, shape=SHAPE)


def threads():
    """Those that are running, but for the pool that dask keeps for whoever asks next."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("ThreadPoolExecutor")}


def lingering(before):
    """What is still running that was not before, once it had time to end."""
    late = threads() - before
    for thread in late:
        thread.join(10)
    return {thread for thread in late if thread.is_alive()}


def pausing_after(plan, saved):
    """The plan, paused once when so many events are saved."""
    seen = 0

    def pause(message):
        nonlocal seen
        seen += message.command == "save"
        if message.command == "checkpoint" and seen == saved:
            seen += 1

            def checkpoint_and_pause():
                yield message
                yield Msg("pause", None, defer=False)

            return checkpoint_and_pause(), None
        return None, None

    return bpp.plan_mutator(plan, pause)


def test_a_session_keeps_a_run_and_closes_without_a_trace(settings, data):
    before = threads()
    with start(settings=settings) as session:
        plan = adaptive_map([session.haadf, session.eds], session.probe, fraction=0.2)
        (uid,) = session.RE(plan)
        assert session.uploader.flush(60)
        assert isinstance(session.catalog, CatalogOfBlueskyRuns)
        run = session.catalog[-1]
        assert run.start["uid"] == uid
        assert run.stop["exit_status"] == "success"
        assert set(run) == {"primary", "decisions", "models", "result"}
        spectra = run["primary"].read()["eds_spectrum"]
        assert spectra.shape == (80, 2048)
    assert session.beam.blanked.get()
    assert session.RE.loop.is_closed()
    assert not lingering(before)
    names = {path.name for path in (data / "journal" / uid).iterdir()}
    assert {"documents.jsonl", "primary-eds_spectrum.lbj", "result-phase_map.lbj"} <= names
    assert "lock" not in names
    assert (data / "tiled" / "profiles" / "daisy.yml").is_file()
    session.close()  # once more does no harm


def test_metadata_and_scan_numbers_outlive_the_session(settings):
    with start(settings=settings) as first:
        first.RE.md["sample"] = {"name": "peridotite", "thickness": 80}
        (earlier,) = first.RE(raster_map([first.haadf], first.probe, shape=(2, 2)))
        assert first.uploader.flush(60)
        number = first.catalog[earlier].start["scan_id"]
    with start(settings=settings) as second:
        (later,) = second.RE(raster_map([second.haadf], second.probe, shape=(2, 2)))
        assert second.uploader.flush(60)
        assert second.catalog[later].start["sample"] == {"name": "peridotite", "thickness": 80}
        assert second.catalog[later].start["scan_id"] == number + 1
        del second.RE.md["sample"]


def test_an_engine_that_was_given_is_handed_back_as_it_was(settings, data, new_engine):
    engine = new_engine()
    engine.md["beamline"] = "STEM 2"
    with start(engine, settings=settings) as session:
        assert session.RE is engine
        (uid,) = engine(raster_map([session.haadf], session.probe, shape=(2, 3)))
        assert session.uploader.flush(60)
        assert session.catalog[uid].start["beamline"] == "STEM 2"
    assert dict(engine.md) == {"beamline": "STEM 2", "scan_id": 1, "versions": engine.md["versions"]}
    (without,) = engine(raster_map([session.haadf], session.probe, shape=(2, 3)))
    assert not (data / "journal" / without).exists()


def test_a_second_session_leaves_the_live_run_of_the_first_alone(settings):
    with start(settings=settings) as first:
        plan = adaptive_map([first.haadf, first.eds], first.probe, fraction=0.2)
        with pytest.raises(RunEngineInterrupted):
            first.RE(pausing_after(plan, 60))
        with start(settings=settings) as second:
            assert second.recovered == []
            (there,) = second.RE(adaptive_map([second.haadf, second.eds], second.probe, fraction=0.2, seed=4))
            assert second.uploader.flush(60)
            assert len(second.catalog[there]["primary"].read()["time"]) == 80
        (here,) = first.RE.resume()
        assert first.uploader.flush(60)
        mine, theirs = first.catalog[here], first.catalog[there]
        assert mine.stop["exit_status"] == theirs.stop["exit_status"] == "success"
        np.testing.assert_array_equal(mine["decisions"].read()["visit"], np.arange(1, 81))
        assert mine.start["scan_id"] != theirs.start["scan_id"]


def test_closing_ends_a_run_that_is_paused(settings):
    with start(settings=settings) as session, pytest.raises(RunEngineInterrupted):
        session.RE(pausing_after(raster_map([session.haadf], session.probe), 7))
    with start(settings=settings) as again:
        assert again.recovered == []
        run = again.catalog[-1]
        assert run.stop["exit_status"] == "abort"
        assert len(run["primary"].read()["time"]) == 7


def test_closing_uploads_what_was_measured_after_a_run_that_tiled_refuses(tmp_path):
    settings = load_settings(data=tmp_path / "data", shape=SHAPE)
    refused = settings.journal_directory / "refused"
    refused.mkdir(parents=True)
    (refused / "documents.jsonl").write_bytes(b'{"name":"start","doc":{"uid":"refused","time":1.0}}\nno document\n')
    with start(settings=settings) as session:
        assert session.uploader.settle(60)
        assert session.uploader.status.failed == ("refused",)
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            session.RE(raster_map([session.haadf], session.probe, shape=(2, 2)), x=object())
        (uid,) = session.RE(raster_map([session.haadf], session.probe, shape=(3, 3)))
    assert {path.name for path in settings.journal_directory.iterdir()} == {"refused", uid}
    with open_catalog(settings.data) as catalog:
        assert len(catalog.client[uid]["primary"].read()["time"]) == 9


FORGETFUL = """
from daisy_bluesky.plans import raster_map
from daisy_bluesky.session import start
session = start()
session.RE(raster_map([session.haadf], session.probe, shape=(3, 3)))
raise SystemExit(5)
"""


def test_a_script_that_closes_nothing_has_its_run_in_tiled(settings, data):
    variables = {"DAISY_DATA": str(data), "DAISY_SHAPE": "[20, 20]"}
    done = subprocess.run(
        [sys.executable, "-c", FORGETFUL], env=environment(**variables), capture_output=True, text=True, timeout=170
    )
    assert (done.returncode, done.stdout, done.stderr) == (5, "", "")
    with open_catalog(data) as catalog:
        run = catalog.client[-1]
        assert run.stop["exit_status"] == "success"
        assert len(run["primary"].read()["time"]) == 9


def test_a_start_that_fails_says_why_in_one_line_and_leaves_nothing_running(settings, data):
    before = threads()
    metadata = data / "metadata.json"
    kept = metadata.read_text()
    assert isinstance(json.loads(kept), dict)
    metadata.write_text("[1, 2]")
    try:
        with pytest.raises(ValueError, match=r"metadata\.json is no JSON object; mend or remove it"):
            start(settings=settings)
    finally:
        metadata.write_text(kept)
    assert not lingering(before)


def test_a_recorded_instrument_without_a_recording_writes_nothing(tmp_path):
    settings = load_settings(data=tmp_path / "data", instrument="recorded")
    with pytest.raises(ValueError, match="set recording = 'FILE'"):
        start(settings=settings)
    assert not list(tmp_path.iterdir())


def test_the_virtual_microscope_scans_frames_of_a_crystal(tmp_path):
    settings = load_settings(data=tmp_path / "daisy-data", shape=(48, 48))
    with start(settings=settings, specimen="crystal") as session:
        assert session.settings.shape == (48, 48)
        frames = multiframe_map([session.haadf, session.eds], session.probe, pixel_size=0.05, dwell_time=2e-5, frames=2)
        (uid,) = session.RE(frames)
        assert session.uploader.flush(60)
        run = session.catalog[uid]
        assert set(run) == {"primary", "registration", "result"}
        assert run["primary"].read(["haadf_image"])["haadf_image"].shape == (2, 53, 53)
        assert session.energy_offset.position == 0.0


def test_a_specimen_that_there_is_not_is_named(settings):
    with pytest.raises(ValueError, match="setting specimen: Input should be 'grains', 'crystal' or 'particles'"):
        start(settings=settings, specimen="glass")
