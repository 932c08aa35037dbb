"""Asking whether a run is being written."""

import subprocess
import sys

import pytest
from document_streams import spectrum_run

from daisy_bluesky.storage import RunJournal, being_written, recover

WRITES = """
import sys
from daisy_bluesky.storage import RunJournal
journal = RunJournal(sys.argv[1], {"uid": "theirs"})
journal.record("start", {"uid": "theirs", "time": 1.0})
print("writing", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path):
    """A process that writes the run `theirs`."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


def test_a_run_of_this_process_is_being_written_until_it_is_closed(tmp_path):
    documents = spectrum_run(3)
    journal = RunJournal(tmp_path, documents[0][1])
    for name, document in documents:
        journal.record(name, document)
        assert being_written(journal.folder)
        assert recover(tmp_path) == []  # the question has not let go of the lock
    journal.close()
    assert not being_written(journal.folder)
    assert not (journal.folder / "lock").exists()


def test_a_run_of_another_process_is_being_written_until_that_dies(tmp_path, other_process):
    folder = tmp_path / "theirs"
    assert being_written(folder)
    assert being_written(str(folder))
    other_process.kill()
    other_process.wait(30)
    assert not being_written(folder)
    assert recover(tmp_path) == ["theirs"]
    assert not being_written(folder)


def test_a_folder_that_is_not_there_is_not_being_written(tmp_path):
    assert not being_written(tmp_path / "none")
