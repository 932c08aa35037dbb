import event_model
import numpy as np
import pytest
from document_streams import journalled, last_wins, normalised, spectrum_run

from daisy_bluesky.storage import RunSource, Uploader, read_stream, replay


def events(documents):
    return [document for name, document in documents if name == "event"]


def frames_run(frames: int):
    """A run whose frames, 8 x 9 pixels, are event lists; the counts of pixel (r, c) are in channel r * c of 64."""
    run = event_model.compose_run()
    fields = [["row", "<u2"], ["column", "<u2"], ["channel", "<u2"]]
    key = {"dtype": "array", "shape": [8, 9, 64], "dtype_numpy": fields, "source": "test"}
    frame = run.compose_descriptor(name="primary", data_keys={"events": key})
    documents = [("start", run.start_doc), ("descriptor", frame.descriptor_doc)]
    for number in range(frames):
        places = np.random.default_rng(number).integers(0, 72, 50)
        listed = np.empty(50, [(name, kind) for name, kind in fields])
        listed["row"], listed["column"] = np.divmod(places, 9)
        listed["channel"] = listed["row"] * listed["column"]
        event = frame.compose_event(data={"events": listed}, timestamps={"events": 1.0}, validate=False)
        documents.append(("event", event))
    return [*documents, ("stop", run.compose_stop())]


@pytest.fixture(scope="module")
def stored(catalog):
    """The documents of two runs, as they were emitted, with the runs in tiled and their journals."""
    client, folder = catalog
    directory = folder / "journal" / "replay"
    runs = {"spectra": spectrum_run(700, repeated=[700]), "frames": frames_run(5)}
    journals = {name: journalled(directory, documents) for name, documents in runs.items()}
    with Uploader(directory, client) as uploader:
        assert uploader.flush(60), uploader.status
    return {name: (runs[name], client[journals[name].name], journals[name]) for name in runs}


def test_a_journal_replays_the_very_documents(stored):
    documents, _, journal = stored["spectra"]
    assert normalised(replay(journal)) == normalised(last_wins(documents))


def test_tiled_replays_data_timestamps_and_order_with_payloads_inline(stored):
    documents, run, _ = stored["spectra"]
    emitted, replayed = events(last_wins(documents)), list(replay(run))
    assert [name for name, _ in replayed].count("start") == 1
    assert replayed[0] == ("start", documents[0][1])
    assert replayed[-1][0] == "stop"
    told = ("data", "timestamps", "seq_num", "descriptor")
    by_place = {(e["descriptor"], e["seq_num"]): e for e in emitted}
    for event in events(replayed):
        original = by_place.pop((event["descriptor"], event["seq_num"]))
        assert normalised([[event[key] for key in told]]) == normalised([[original[key] for key in told]])
    assert not by_place


def test_streams_from_tiled_are_interleaved_as_they_were_acquired(stored):
    documents, run, _ = stored["spectra"]
    order = [(e["descriptor"], e["seq_num"]) for e in events(documents) if e["seq_num"] < 700]
    replayed = [(e["descriptor"], e["seq_num"]) for e in events(replay(run)) if e["seq_num"] < 700]
    assert replayed == order
    described = set()
    for name, document in replay(run, payloads=False):
        if name == "descriptor":
            described.add(document["uid"])
        assert name != "event" or document["descriptor"] in described


@pytest.mark.parametrize("source", [1, 2], ids=["tiled", "journal"])
def test_event_lists_come_back_as_lists_sorted_by_place(stored, source):
    documents = stored["frames"][0]
    replayed = events(replay(stored["frames"][source]))
    assert len(replayed) == 5
    for event, original in zip(replayed, events(documents), strict=True):
        listed = original["data"]["events"]
        np.testing.assert_array_equal(event["data"]["events"], np.sort(listed, order=["row", "column", "channel"]))
        assert event["data"]["events"].dtype == listed.dtype


def test_frames_larger_than_a_block_are_read_in_slabs(stored, monkeypatch):
    documents, run, _ = stored["frames"]
    monkeypatch.setattr("daisy_bluesky.storage._stored_payload._BLOCK_BYTES", 8 * 9 * 64)
    for event, original in zip(events(replay(run)), events(documents), strict=True):
        expected = np.sort(original["data"]["events"], order=["row", "column", "channel"])
        np.testing.assert_array_equal(event["data"]["events"], expected)


@pytest.mark.parametrize("source", [1, 2], ids=["tiled", "journal"])
def test_payloads_can_be_left_out(stored, source):
    for event in events(replay(stored["spectra"][source], payloads=False)):
        assert event["data"].keys() <= {"row", "expected"}


def test_bluesky_s_own_reconstruction_of_the_run_works_too(stored):
    _, run, _ = stored["spectra"]
    assert len([name for name, _ in run.documents() if name == "event"]) == 1400


def test_a_stream_is_read_lazily_and_eagerly(stored):
    documents, run, _ = stored["frames"]
    lazy, eager = read_stream(run, lazy=True), read_stream(run)
    dense = np.zeros((8, 9, 64), np.uint32)
    listed = events(documents)[3]["data"]["events"]
    np.add.at(dense, (listed["row"], listed["column"], listed["channel"]), 1)
    np.testing.assert_array_equal(eager["events"][3], dense)
    assert lazy["events"].chunks is not None
    np.testing.assert_array_equal(lazy["events"][3, 2:4].compute(), dense[2:4])
    with pytest.raises(ValueError, match="no stream 'baseline'; it has primary"):
        read_stream(run, "baseline")


def test_runs_to_replay_are_found_by_uid(catalog):
    folder = catalog[1]
    journal = journalled(folder / "journal", spectrum_run(3))
    with RunSource(folder, from_journal=True) as runs:
        assert runs.uid("-1") == runs.uid(journal.name[:8]) == journal.name
        assert len(events(runs.replay(journal.name))) == 6
    with RunSource(folder) as runs, pytest.raises(ValueError, match="not in tiled yet"):
        runs.replay(journal.name)
