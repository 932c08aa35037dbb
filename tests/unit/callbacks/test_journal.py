"""The Journal as a RunEngine's first subscriber."""

import gc
import os
import threading
import weakref

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky import Msg, RunEngine
from ophyd.sim import SynAxis

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.storage import final_events, inline, read_journal


class Spectrometer:
    """Counts one more in every channel at each exposure."""

    name = "spectrometer"
    parent = None

    def __init__(self, channels=64):
        self.channels = channels
        self.exposures = 0

    def describe(self):
        source = {"source": "test"}
        return {
            "spectrum": {"dtype": "array", "shape": [self.channels], "dtype_numpy": "<u4", **source},
            "live_time": {"dtype": "number", "shape": [], "dtype_numpy": "<f8", **source},
        }

    def read(self):
        self.exposures += 1
        counts = np.full(self.channels, self.exposures, np.uint32)
        return {"spectrum": {"value": counts, "timestamp": 1.0}, "live_time": {"value": 0.01, "timestamp": 1.0}}

    def describe_configuration(self):
        return {}

    def read_configuration(self):
        return {}


def points(detector, number, *, md=None):
    yield Msg("open_run", None, **(md or {}))
    for _ in range(number):
        yield Msg("checkpoint")
        yield Msg("create", None, name="primary")
        yield Msg("read", detector)
        yield Msg("save")
    yield Msg("close_run")


@pytest.fixture
def engine():
    RE = RunEngine({}, call_returns_result=True)
    yield RE
    RE.loop.call_soon_threadsafe(RE.loop.stop)
    RE._th.join(5)
    RE.loop.close()


def test_an_event_is_in_the_files_before_anyone_else_sees_it(engine, tmp_path):
    journal = Journal(tmp_path)
    found = []

    def look(name, document):
        if name == "event":
            run = inline(read_journal(next(tmp_path.iterdir())))
            found.append(next(d["data"]["spectrum"][0] for n, d in run if n == "event" and d["uid"] == document["uid"]))

    engine.subscribe(journal)
    engine.subscribe(look)
    engine(points(Spectrometer(), 5))
    assert found == [1, 2, 3, 4, 5]


def test_slim_documents_are_passed_on_to_subscribers_that_are_kept_alive(engine, tmp_path):
    journal = Journal(tmp_path)
    seen = []

    class Publisher:
        def publish(self, name, document):
            seen.append((name, document))

    publisher = Publisher()
    alive = weakref.ref(publisher)
    journal.subscribe(publisher.publish)
    del publisher
    gc.collect()
    assert alive() is not None
    engine.subscribe(journal)
    engine(points(Spectrometer(), 2))
    expected = ["start", "descriptor", "stream_resource"] + ["stream_datum", "event"] * 2 + ["stop"]
    assert [name for name, _ in seen] == expected
    descriptor, events = seen[1][1], [document for name, document in seen if name == "event"]
    assert descriptor["data_keys"]["spectrum"]["external"] == "STREAM:"
    assert [event["data"] for event in events] == [{"live_time": 0.01}] * 2


def test_an_event_that_the_engine_emits_again_replaces_the_earlier(engine, tmp_path):
    engine.subscribe(Journal(tmp_path))
    detector = Spectrometer()

    def interrupted():
        yield Msg("open_run")
        for number in range(3):
            yield Msg("checkpoint")
            yield Msg("create", None, name="primary")
            yield Msg("read", detector)
            yield Msg("save")
            if number == 1:
                yield Msg("pause", None, defer=False)
        yield Msg("close_run")

    with pytest.raises(Exception, match=r"(?i)pause|interrupt"):
        engine(interrupted())
    engine.resume()
    folder = next(tmp_path.iterdir())
    events = [document for name, document in inline(final_events(folder)) if name == "event"]
    assert len([name for name, _ in read_journal(folder) if name == "event"]) > len(events)
    assert [event["seq_num"] for event in events] == [1, 2, 3]
    assert [event["data"]["spectrum"][0] for event in events] == [1, 3, detector.exposures]


def test_stock_plans_and_concurrent_monitors_are_journalled(engine, tmp_path):
    engine.subscribe(Journal(tmp_path))
    axis = SynAxis(name="axis")
    detector = Spectrometer()

    def plan():
        yield from bps.open_run()
        yield from bps.monitor(axis.readback, name="axis_monitor")
        for position in (1, 2, 3):
            yield from bps.mv(axis, position)
            yield from bps.trigger_and_read([detector, axis])
        yield from bps.close_run()

    engine(plan())
    documents = list(inline(read_journal(next(tmp_path.iterdir()))))
    names = {document["name"] for name, document in documents if name == "descriptor"}
    assert names == {"primary", "axis_monitor"}
    assert documents[-1][1]["num_events"]["primary"] == 3


def test_a_folder_that_cannot_be_written_fails_the_plan_with_one_line(engine, tmp_path):
    (tmp_path / "file").write_text("")
    engine.subscribe(Journal(tmp_path / "file" / "journal"))
    with pytest.raises(OSError, match="the journal cannot be written") as caught:
        engine(points(Spectrometer(), 2))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)


@pytest.mark.parametrize("md", [{"seed": 10**30}, {"x": object()}])
def test_a_start_document_that_cannot_be_written_fails_the_plan_and_leaves_nothing(engine, tmp_path, md):
    passed_on = []
    journal = Journal(tmp_path)
    journal.subscribe(lambda name, document: passed_on.append(name))
    engine.subscribe(journal)
    with pytest.raises(ValueError, match="the start document cannot be written as JSON"):
        engine(points(Spectrometer(), 2, md=md))
    assert not list(tmp_path.iterdir())
    assert not passed_on
    assert "journal fsync" not in {thread.name for thread in threading.enumerate()}
    engine(points(Spectrometer(), 2))
    assert len([name for name, _ in final_events(next(tmp_path.iterdir())) if name == "event"]) == 2


def test_a_start_document_that_a_full_disk_refuses_leaves_nothing(engine, tmp_path, monkeypatch):
    def write(descriptor, line):
        raise OSError(28, "No space left on device")

    engine.subscribe(Journal(tmp_path))
    monkeypatch.setattr("daisy_bluesky.storage._document_file.os.write", write)
    with pytest.raises(OSError, match=r"the journal cannot be written \(No space left on device\)"):
        engine(points(Spectrometer(), 2))
    assert not list(tmp_path.iterdir())


def test_subscribers_hear_of_the_end_of_a_run_that_a_full_disk_takes_no_word_of(engine, tmp_path, monkeypatch):
    journal, heard, written = Journal(tmp_path), [], os.write

    def write(descriptor, line):
        if b'"name":"event"' in line or b'"name":"stop"' in line:
            raise OSError(28, "No space left on device")
        return written(descriptor, line)

    journal.subscribe(lambda name, document: heard.append((name, document.get("exit_status"))))
    engine.subscribe(journal)
    monkeypatch.setattr("daisy_bluesky.storage._document_file.os.write", write)
    with pytest.raises(OSError, match=r"the journal cannot be written \(No space left on device\)"):
        engine(points(Spectrometer(), 2))
    assert heard[0] == ("start", None)
    assert heard[-1] == ("stop", "fail")


def test_a_disk_that_fails_behind_the_scenes_fails_the_plan_at_the_next_document(engine, tmp_path, monkeypatch):
    failed = threading.Event()
    real_fsync = os.fsync

    def fsync(descriptor):
        if threading.current_thread().name == "journal fsync":
            failed.set()
            raise OSError(5, "Input/output error")
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    engine.subscribe(Journal(tmp_path, sync_interval=0.01))

    def plan():
        yield Msg("open_run")
        assert failed.wait(10)
        for _ in range(10_000):
            yield Msg("create", None, name="primary")
            yield Msg("read", detector)
            yield Msg("save")

    detector = Spectrometer()
    with pytest.raises(OSError, match=r"the journal cannot be written \(Input/output error\)"):
        engine(plan())
    assert detector.exposures < 10_000


def test_a_document_of_no_known_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="subscribe the Journal first"):
        Journal(tmp_path)("event", {"descriptor": "unknown"})
