import subprocess
import sys

import pytest

from daisy_bluesky.storage import PersistentMetadata


def test_what_was_set_is_there_in_the_next_process(tmp_path):
    PersistentMetadata(tmp_path / "md.json")["sample"] = {"name": "K412", "thickness": 80}
    code = "import sys; from daisy_bluesky.storage import PersistentMetadata as M; print(M(sys.argv[1])['sample'])"
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "md.json")], capture_output=True, text=True, timeout=60
    )
    assert told.stdout.strip() == "{'name': 'K412', 'thickness': 80}"


def test_it_is_a_mapping(tmp_path):
    metadata = PersistentMetadata(tmp_path / "md.json")
    metadata.update(a=1, b=2)
    del metadata["a"]
    assert dict(metadata) == {"b": 2} == dict(PersistentMetadata(tmp_path / "md.json"))


def test_two_sessions_number_their_scans_apart(tmp_path):
    first, second = (PersistentMetadata(tmp_path / "md.json") for _ in range(2))
    numbers = [session.next_scan_id() for _ in range(5) for session in (first, second)]
    assert numbers == list(range(1, 11))


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "md.json").write_text("[1, 2")
    with pytest.raises(ValueError, match=r"md\.json"):
        PersistentMetadata(tmp_path / "md.json")
