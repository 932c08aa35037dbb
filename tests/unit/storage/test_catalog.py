import os
import subprocess
import sys

import pytest
from databroker.client import BlueskyRun, CatalogOfBlueskyRuns
from document_streams import journalled, spectrum_run

from daisy_bluesky.storage import Uploader, open_catalog

FROM_PROFILE = """
from tiled.client import from_profile
catalog = from_profile("daisy")["raw"]
print(type(catalog).__name__, catalog[-1]["primary"]["spectrum"][3].sum())
"""
UPLOAD = """
import sys
from daisy_bluesky.storage import Uploader, open_catalog
with open_catalog(sys.argv[1]) as catalog, Uploader(sys.argv[2], catalog.client) as uploader:
    print(uploader.flush(60), uploader.status)
"""


def run_python(code, *arguments, **environment):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, check=True
    ).stdout


def test_the_profile_opens_the_same_catalog_in_another_process(tmp_path):
    documents = spectrum_run(4)
    journalled(tmp_path / "journal", documents)
    with open_catalog(tmp_path) as catalog, Uploader(tmp_path / "journal", catalog.client) as uploader:
        assert isinstance(catalog.client, CatalogOfBlueskyRuns)
        assert uploader.flush(60), uploader.status
        assert isinstance(catalog.client[-1], BlueskyRun)
        told = run_python(FROM_PROFILE, TILED_PROFILES=str(tmp_path / "tiled" / "profiles"))
    spectrum = [d["data"]["spectrum"] for n, d in documents if n == "event" and "spectrum" in d["data"]][3]
    assert told.split()[-2:] == ["CatalogOfBlueskyRuns", str(spectrum.sum())]


def test_two_processes_may_upload_into_the_same_folder_at_once(catalog):
    client, folder = catalog
    here, there = folder / "journal" / "here", folder / "journal" / "there"
    mine = [journalled(here, spectrum_run(30)) for _ in range(5)]
    theirs = [journalled(there, spectrum_run(30)) for _ in range(5)]
    with Uploader(here, client, batch=5) as uploader:
        told = run_python(UPLOAD, folder, there)
        assert uploader.flush(60), uploader.status
    assert "True" in told
    for run in (*mine, *theirs):
        assert client[run.name]["primary"].read()["row"].values.tolist() == [float(n) for n in range(1, 31)]


def test_a_folder_that_cannot_be_written_is_refused_with_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="no catalog can be kept here") as caught:
        open_catalog(tmp_path / "file")
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)


def test_importing_storage_loads_no_server_and_no_pictures():
    heavy = ("tiled.server.app", "matplotlib", "torch")
    assert run_python(f"import sys, daisy_bluesky.storage; print([m for m in {heavy} if m in sys.modules])") == "[]\n"


def test_folders_may_be_open_in_one_process_at_once_and_close_in_any_order(catalog, tmp_path):
    client, folder = catalog
    other, again = open_catalog(tmp_path), open_catalog(folder)
    assert len(client) == len(again.client)
    other.close()
    assert len(client) == len(again.client)
    again.close()
    directory = folder / "journal" / "after"
    run = journalled(directory, spectrum_run(3))
    with Uploader(directory, client) as uploader:
        assert uploader.flush(60), uploader.status
    assert len(client[run.name]["primary"].read()["row"]) == 3
