"""Data folders whose names a URI has to quote, or cannot hold."""

import subprocess
import sys

import numpy as np
import pytest
from command_line import environment
from tiled.client import from_uri

from daisy_bluesky.config import load_settings
from daisy_bluesky.plans import raster_map
from daisy_bluesky.session import start
from daisy_bluesky.storage import inline, open_catalog, read_journal, replay

KEY = "keyoftheserver"
NAMES = ["d v", "100 %20 µ;日 本+a&b=c@d:e"]


@pytest.fixture(params=NAMES, scope="module")
def data(request, tmp_path_factory):
    return tmp_path_factory.mktemp("folders") / request.param


@pytest.fixture(scope="module")
def measured(data):
    return measure(data)


def measure(data):
    """Map 3 by 3 probe positions; return the run's uid and the spectra that the journal holds."""
    with start(settings=load_settings(data=data, shape=(16, 16))) as session:
        (uid,) = session.RE(raster_map([session.haadf, session.eds], session.probe, shape=(3, 3)))
        assert session.uploader.flush(60), session.uploader.status
        stored = session.catalog[uid]["primary"].read()["eds_spectrum"].values
        replayed = spectra(replay(session.catalog[uid]))
    journalled = spectra(inline(read_journal(data / "journal" / uid)))
    assert journalled.shape == (9, 2048)
    assert journalled.sum() > 0
    np.testing.assert_array_equal(stored, journalled)
    np.testing.assert_array_equal(replayed, journalled)
    np.testing.assert_array_equal(spectra(replay(data / "journal" / uid)), journalled)
    return uid, journalled


def spectra(documents):
    return np.array([d["data"]["eds_spectrum"] for n, d in documents if n == "event" and "eds_spectrum" in d["data"]])


def test_a_run_is_measured_uploaded_read_and_replayed(data, measured):
    uid, expected = measured
    assert [path.name for path in data.parent.iterdir()] == [data.name]  # nothing beside it, under a name misread
    with open_catalog(data) as again:
        np.testing.assert_array_equal(again.client[uid]["primary"].read()["eds_spectrum"].values, expected)


def test_a_server_serves_its_runs(data, measured):
    uid, expected = measured
    code = "import sys; from daisy_bluesky.storage import serve_catalog; "
    code += f"serve_catalog(sys.argv[1], port=0, api_key={KEY!r})"
    command = [sys.executable, "-u", "-c", code, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as server:
        try:
            announced = next(line for line in server.stdout if line.startswith("serving"))
            client = from_uri(announced.rsplit(" at ", 1)[1].split(",")[0], api_key=KEY)
            np.testing.assert_array_equal(client["raw"][uid]["primary"].read()["eds_spectrum"].values, expected)
            client.context.close()
        finally:
            server.kill()


@pytest.mark.parametrize("name", ["d#v", "really?"])
def test_a_name_that_tiled_cannot_take_is_refused_in_one_line_before_anything_is_written(name, tmp_path):
    with pytest.raises(ValueError, match="choose another data folder") as refused:
        start(settings=load_settings(data=tmp_path / name, shape=(16, 16)))
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())
