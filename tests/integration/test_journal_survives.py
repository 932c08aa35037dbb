"""Processes that die and disks that fill up, for real."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from journalling_process import spectrum

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.storage import Uploader, inline, open_catalog, read_journal, recover

SCRIPT = Path(__file__).parent / "journalling_process.py"


def start_process(directory, events, *more):
    command = [sys.executable, str(SCRIPT), str(directory), str(events), *map(str, more)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_after(process, events):
    """Let a process save a number of events, then kill it; return how many it saved."""
    saved = 0
    for line in process.stdout:
        if line.startswith("saved"):
            saved = int(line.split()[1])
            if saved == events:
                process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    return saved


def events_of(folder):
    return [document for name, document in inline(read_journal(folder)) if name == "event"]


def check_events(events, at_least):
    assert len(events) >= at_least
    assert [event["seq_num"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        np.testing.assert_array_equal(event["data"]["spectrum"], spectrum(event["seq_num"]))


def test_every_event_that_was_saved_survives_kill_9_and_is_uploaded_at_the_next_start(tmp_path):
    saved = kill_after(start_process(tmp_path / "journal", 100_000), 200)
    assert saved >= 200
    (folder,) = (tmp_path / "journal").iterdir()
    assert recover(tmp_path / "journal") == [folder.name]
    events = events_of(folder)
    check_events(events, saved)
    with open_catalog(tmp_path) as catalog, Uploader(tmp_path / "journal", catalog.client) as uploader:
        assert uploader.flush(60)
        run = catalog.client[folder.name]
        stored = run["primary"].read()
        assert run.stop["reason"] == "process died"
        assert stored["number"].values.tolist() == [event["data"]["number"] for event in events]
        np.testing.assert_array_equal(stored["spectrum"], [event["data"]["spectrum"] for event in events])


def test_a_run_of_another_living_process_is_left_alone_until_that_dies(tmp_path):
    process = start_process(tmp_path, 1_000_000)
    for line in process.stdout:
        if line.startswith("saved 20"):
            break
    assert recover(tmp_path) == []
    kill_after(process, 21)
    assert len(recover(tmp_path)) == 1


def test_a_full_disk_fails_the_plan_with_one_line_and_loses_no_saved_event(tmp_path):
    process = start_process(tmp_path, 100_000, 50_000)
    output, _ = process.communicate(timeout=60)
    *saved, last = output.strip().splitlines()
    (folder,) = tmp_path.iterdir()
    assert last.startswith("failed: ")
    assert "the journal cannot be written (File too large)" in last
    assert str(folder) in last
    assert (folder / "documents.jsonl").read_bytes().endswith(b"\n")
    check_events(events_of(folder), len(saved))
    recover(tmp_path)
    name, stop = list(read_journal(folder))[-1]
    assert (name, stop["exit_status"]) == ("stop", "fail")


@pytest.mark.parametrize("number", [1, 7])
def test_a_line_that_a_disk_took_only_in_part_is_taken_back(tmp_path, monkeypatch, number):
    documents = []
    journal = Journal(tmp_path)
    journal.subscribe(lambda name, document: documents.append(name))
    run = {"uid": "run", "time": 0.0}
    journal("start", run)
    key = {"dtype": "number", "shape": [], "source": "test"}
    journal("descriptor", {"uid": "d", "run_start": "run", "name": "primary", "time": 0.0, "data_keys": {"x": key}})
    real_write, event = (
        os.write,
        {"uid": "e", "descriptor": "d", "time": 0.0, "timestamps": {"x": 0.0}, "data": {"x": 1.0}},
    )

    def write(descriptor, data):
        if len(data) > number:
            return real_write(descriptor, data[:number])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space left on device"):
        journal("event", {**event, "seq_num": 1})
    monkeypatch.setattr(os, "write", real_write)
    with pytest.raises(OSError, match="No space left on device"):
        journal("event", {**event, "seq_num": 2})
    journal("stop", {"uid": "s", "run_start": "run", "time": 1.0, "exit_status": "fail"})
    assert [name for name, _ in read_journal(tmp_path / "run")] == ["start", "descriptor", "stop"] == documents
