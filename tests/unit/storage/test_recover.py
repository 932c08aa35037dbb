import os

import pytest
from document_streams import journalled, spectrum, spectrum_run

from daisy_bluesky.storage import RunJournal, inline, read_journal, recover


def primary_events(folder):
    documents = list(inline(read_journal(folder)))
    primary = next(d["uid"] for n, d in documents if n == "descriptor" and d["name"] == "primary")
    return [d for n, d in documents if n == "event" and d["descriptor"] == primary]


def test_a_run_that_was_left_behind_is_closed_as_failed_with_every_event_counted(tmp_path):
    documents = spectrum_run(5, stop=False, repeated=[5])
    folder = journalled(tmp_path, documents)
    assert recover(tmp_path) == [documents[0][1]["uid"]]
    name, stop = list(read_journal(folder))[-1]
    assert name == "stop"
    assert (stop["exit_status"], stop["reason"]) == ("fail", "process died")
    assert stop["num_events"] == {"primary": 5, "decisions": 5}
    assert stop["run_start"] == documents[0][1]["uid"]
    assert recover(tmp_path) == []


def test_a_torn_last_line_is_dropped_and_the_rest_kept(tmp_path):
    folder = journalled(tmp_path, spectrum_run(5, stop=False))
    path = folder / "documents.jsonl"
    os.truncate(path, path.stat().st_size - 7)
    assert recover(tmp_path) == [folder.name]
    assert list(read_journal(folder))[-1][1]["num_events"] == {"primary": 5, "decisions": 4}


def test_events_whose_payload_did_not_reach_the_disk_are_dropped(tmp_path):
    folder = journalled(tmp_path, spectrum_run(5, stop=False))
    payload = folder / "primary-spectrum.lbj"
    sizes = payload.stat().st_size
    with payload.open("rb+") as file:
        file.truncate(sizes // 2)
    assert recover(tmp_path) == [folder.name]
    events = primary_events(folder)
    assert 0 < len(events) < 5
    for event in events:
        assert event["data"]["spectrum"].tolist() == spectrum(event["seq_num"]).tolist()


def test_a_live_run_is_left_alone(tmp_path):
    documents = spectrum_run(2)
    journal = RunJournal(tmp_path, documents[0][1])
    for name, document in documents[:-1]:
        journal.record(name, document)
    assert recover(tmp_path) == []
    journal.record(*documents[-1])
    journal.close()
    assert not (journal.folder / "lock").exists()
    assert recover(tmp_path) == []


def test_a_run_that_died_between_its_stop_document_and_its_lock_stays_as_it_is(tmp_path):
    folder = journalled(tmp_path, spectrum_run(2))
    (folder / "lock").touch()
    before = (folder / "documents.jsonl").read_bytes()
    assert recover(tmp_path) == []
    assert (folder / "documents.jsonl").read_bytes() == before
    assert not (folder / "lock").exists()


def test_a_run_that_died_before_its_first_document_harms_nobody(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "lock").touch()
    assert recover(tmp_path) == []
    assert recover(tmp_path / "nowhere") == []


def test_a_damaged_line_in_mid_file_is_named(tmp_path):
    folder = journalled(tmp_path, spectrum_run(3))
    path = folder / "documents.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"{]\n", *lines[3:]]))
    with pytest.raises(ValueError, match=r"documents\.jsonl line 4 is damaged"):
        list(read_journal(folder))


@pytest.mark.parametrize("written", [None, b"", b'{"name":"start","doc":{"uid":'])
def test_a_folder_that_got_no_start_document_is_removed(tmp_path, written):
    folder = tmp_path / "died"
    folder.mkdir()
    (folder / "lock").touch()
    if written is not None:
        (folder / "documents.jsonl").write_bytes(written)
    assert recover(tmp_path) == []
    assert not folder.exists()
