import time

import numpy as np
import pytest
from bluesky_tiled_plugins.writing.tiled_writer import TiledWriter
from document_streams import journalled, spectrum, spectrum_run

from daisy_bluesky.storage import RunJournal, Uploader, UploadStatus, find_run, read_journal, recover


def spectra(events):
    return np.array([spectrum(seq_num) for seq_num in range(1, events + 1)])


def wait_until(uploader, condition, seconds=60.0):
    """Let an uploader work until its status is as wanted."""
    deadline = time.monotonic() + seconds
    while not condition(uploader.status):
        assert time.monotonic() < deadline, uploader.status
        uploader.flush(0.05)


@pytest.fixture
def store(catalog):
    """A catalog and an empty folder of journals that it may read."""
    client, folder = catalog
    directory = folder / "journal" / str(len(list((folder / "journal").iterdir())))
    directory.mkdir()
    return client, directory


def test_a_closed_run_is_read_back_from_tiled(store):
    client, directory = store
    folder = journalled(directory, spectrum_run(30))
    with Uploader(directory, client, batch=7) as uploader:
        assert uploader.flush(60), uploader.status
        assert (uploader.status.uploaded, uploader.status.pending, uploader.status.error) == (1, (), None)
    primary = client[folder.name]["primary"].read()
    np.testing.assert_array_equal(primary["row"], np.arange(1.0, 31.0))
    np.testing.assert_array_equal(primary["spectrum"], spectra(30))
    assert client[folder.name].stop["exit_status"] == "success"
    assert list(client[folder.name]["decisions"].read()["expected"].values) == [0.5] * 30


def test_a_run_is_followed_while_it_is_written(store):
    client, directory = store
    documents = spectrum_run(40)
    journal = RunJournal(directory, documents[0][1])
    with Uploader(directory, client, batch=5, interval=0.01) as uploader:
        for name, document in documents[:60]:
            journal.record(name, document)
        assert uploader.flush(60)  # what is being written does not hold a flush up
        assert uploader.status.pending == (journal.folder.name,)
        for name, document in documents[60:]:
            journal.record(name, document)
        journal.close()
        assert uploader.flush(60), uploader.status
    np.testing.assert_array_equal(client[journal.folder.name]["primary"].read()["spectrum"], spectra(40))


def test_events_that_were_emitted_again_are_in_tiled_once_and_as_they_were_last(store):
    client, directory = store
    folder = journalled(directory, spectrum_run(10, repeated=[9, 10]))
    with Uploader(directory, client, batch=3) as uploader:
        assert uploader.flush(60), uploader.status
    primary = client[folder.name]["primary"].read()
    assert primary["row"].values.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, -9, -10]
    np.testing.assert_array_equal(primary["spectrum"], spectra(10))


@pytest.mark.parametrize("fed", [12, 42, 43])
def test_what_an_earlier_process_left_in_tiled_is_not_doubled(store, fed):
    client, directory = store
    folder = journalled(directory, spectrum_run(20))
    writer = TiledWriter(client, batch_size=4, max_array_size=0)
    for name, document in list(read_journal(folder))[:fed]:
        writer(name, document)
    with Uploader(directory, client) as uploader:
        assert uploader.flush(60), uploader.status
    np.testing.assert_array_equal(client[folder.name]["primary"].read()["row"], np.arange(1.0, 21.0))
    assert (folder / "primary-spectrum.lbj").exists()


def test_rows_that_a_lost_answer_doubled_are_counted_and_fed_anew(store):
    client, directory = store
    folder = journalled(directory, spectrum_run(20))
    writer = TiledWriter(client, batch_size=4)
    for name, document in read_journal(folder):
        writer(name, document)
        if name == "event" and document["seq_num"] == 8:
            writer(name, document)
    with Uploader(directory, client) as uploader:
        assert uploader.flush(60), uploader.status
    np.testing.assert_array_equal(client[folder.name]["primary"].read()["row"], np.arange(1.0, 21.0))


def test_a_run_that_is_complete_is_not_touched_again(store):
    client, directory = store
    folder = journalled(directory, spectrum_run(5))
    with Uploader(directory, client) as uploader:
        assert uploader.flush(60), uploader.status
    created = client[folder.name].item["attributes"]
    with Uploader(directory, lambda: pytest.fail("nothing is to be uploaded")) as uploader:
        assert uploader.flush(60), uploader.status
        assert uploader.status.uploaded == 1
    assert client[folder.name].item["attributes"] == created


def test_a_server_that_is_away_is_asked_again_and_said_so_in_one_line(store):
    client, directory = store
    folder = journalled(directory, spectrum_run(5))
    answers = iter([ConnectionError("no route\nto host")] * 2)

    def connect():
        if error := next(answers, None):
            raise error
        return client

    with Uploader(directory, connect, interval=0.05) as uploader:
        wait_until(uploader, lambda status: status.error)
        assert uploader.status.error == f"run {folder.name} is not in tiled yet: ConnectionError no route"
        assert uploader.flush(60), uploader.status
        assert uploader.status.error is None


def test_one_run_that_cannot_be_uploaded_does_not_hold_up_the_others(store):
    client, directory = store
    bad = journalled(directory, spectrum_run(3))
    path = bad / "documents.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"name":"descriptor"', b'"name":"descriptr"', 1))
    good = journalled(directory, spectrum_run(3))
    with Uploader(directory, client, interval=0.05) as uploader:
        wait_until(uploader, lambda status: status.uploaded == 1 and status.error)
        assert uploader.status.pending == (bad.name,)
        assert bad.name in uploader.status.error
        assert not uploader.flush(0.1)
    assert len(client[good.name]["primary"].read()["row"]) == 3


def test_two_uploaders_feed_each_run_once(store):
    client, directory = store
    folders = [journalled(directory, spectrum_run(15)) for _ in range(4)]
    with Uploader(directory, client, interval=0.02) as first, Uploader(directory, client, interval=0.02) as second:
        assert first.flush(60), first.status
        assert second.flush(60), second.status
    for folder in folders:
        np.testing.assert_array_equal(client[folder.name]["primary"].read()["row"], np.arange(1.0, 16.0))


def test_a_recovered_run_is_uploaded_as_failed(store):
    client, directory = store
    folder = journalled(directory, spectrum_run(6, stop=False))
    recover(directory)
    with Uploader(directory, client) as uploader:
        assert uploader.flush(60), uploader.status
    run = client[folder.name]
    assert (run.stop["exit_status"], run.stop["reason"]) == ("fail", "process died")
    assert len(run["primary"].read()["row"]) == 6


def without_start(directory):
    """A folder whose only document is a stop: what a start document that could not be written once left behind."""
    folder = journalled(directory, spectrum_run(1))
    path = folder / "documents.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[-1])
    return folder


def test_a_folder_without_a_start_document_is_no_run(store):
    client, directory = store
    broken = without_start(directory)
    torn = directory / "torn"
    torn.mkdir()
    (torn / "documents.jsonl").write_bytes(b'{"name":"start","doc":{"uid"')
    good = journalled(directory, spectrum_run(3))
    assert recover(directory) == []
    assert find_run("-1", directory) == good
    with Uploader(directory, client) as uploader:
        assert uploader.flush(60), uploader.status
        assert uploader.status == UploadStatus(1, (), None)
    assert good.name in client
    assert broken.name not in client


def test_a_run_that_fails_is_named_and_neither_first_nor_waited_for(store):
    client, directory = store
    bad = journalled(directory, spectrum_run(3))
    path = bad / "documents.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"name":"descriptor"', b'"name":"descriptr"', 1))
    with Uploader(directory, client, interval=0.05) as uploader:
        assert uploader.settle(60)
        assert uploader.status.failed == uploader.status.pending == (bad.name,)
        good = [journalled(directory, spectrum_run(events)) for events in (3, 700)]
        assert uploader.settle(60)
        assert (uploader.status.uploaded, uploader.status.failed) == (2, (bad.name,))
        assert bad.name in uploader.status.error
        assert not uploader.flush(0.1)
    assert [len(client[folder.name]["primary"].read()["row"]) for folder in good] == [3, 700]
