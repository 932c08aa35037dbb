"""A tiled server that comes and goes beside an acquisition."""

import socket
import statistics
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
from journalling_process import acquire, spectrum
from tiled.client import from_uri

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.storage import Uploader, serve_catalog

KEY = "keyoftheserver"


class Server:
    """A tiled server in a process of its own."""

    def __init__(self, directory, *, port=0, api_key=KEY):
        code = "import sys; from daisy_bluesky.storage import serve_catalog; "
        code += f"serve_catalog(sys.argv[1], port={port}, api_key={api_key!r})"
        command = [sys.executable, "-u", "-c", code, str(directory)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.announced = next(line for line in self.process.stdout if line.startswith("serving"))
        self.uri = self.announced.split(" at ")[1].split(",")[0]
        self.port = int(self.uri.split(":")[2].split("/")[0])

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Clients that give up on a dead server soon, and an uploader that asks again soon."""
    monkeypatch.setattr("tiled.client.utils.TILED_RETRY_TIMEOUT", 1.0)
    monkeypatch.setattr("daisy_bluesky.storage._uploader._FIRST_WAIT", 0.1)
    monkeypatch.setattr("daisy_bluesky.storage._uploader._LONGEST_WAIT", 0.5)


def test_a_run_goes_on_at_full_speed_while_the_server_is_dead_and_is_uploaded_once_it_is_back(new_engine, tmp_path):
    engine, server = new_engine(), Server(tmp_path)
    seconds = []

    def watch(number):
        seconds.append(time.perf_counter())
        if number == 400:
            server.kill()

    engine.subscribe(Journal(tmp_path / "journal"))
    client = from_uri(server.uri, api_key=KEY)
    with Uploader(tmp_path / "journal", lambda: client["raw"], batch=50, interval=0.01) as uploader:
        (uid,) = engine(acquire(1200, watch))
        elapsed = np.diff(seconds)
        assert statistics.median(elapsed[420:]) < 3 * statistics.median(elapsed[:380])
        assert max(elapsed[400:]) < 2.0
        assert not uploader.flush(2.0)
        deadline = time.monotonic() + 60
        while uploader.status.error is None:
            assert time.monotonic() < deadline
            uploader.flush(0.1)
        assert uid in uploader.status.error
        server = Server(tmp_path, port=server.port)
        assert uploader.flush(90)
        stored = client["raw"][uid]["primary"].read()
        assert stored["number"].values.tolist() == list(range(1, 1201))
        np.testing.assert_array_equal(stored["spectrum"], [spectrum(number) for number in range(1, 1201)])
    client.context.close()
    server.kill()


def test_the_key_is_made_and_shown_once_and_no_other_is_let_in(tmp_path):
    server = Server(tmp_path, api_key=None)
    key = next(line for line in server.process.stdout if "API key" in line).split()[-1]
    assert "127.0.0.1" in server.uri
    client = from_uri(server.uri, api_key=key)
    assert list(client) == ["raw"]
    client.context.close()
    for headers in ({}, {"Authorization": "Apikey 0123456789abcdef"}):
        assert httpx.get(f"{server.uri}/metadata/raw", headers=headers, timeout=30).status_code == 401
    server.kill()


def test_a_port_in_use_is_refused_with_one_line(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} .*choose another port") as caught:
            serve_catalog(tmp_path, port=port)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_key_that_tiled_would_refuse_is_refused_first(tmp_path):
    with pytest.raises(ValueError, match="only letters and digits"):
        serve_catalog(tmp_path, api_key="with spaces")
