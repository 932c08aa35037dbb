"""The catalog of a data folder as a tiled server."""

import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from daisy_bluesky.storage._catalog import open_catalog
from daisy_bluesky.storage._configuration import DataFolder


def serve_catalog(
    directory: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_key: str | None = None,
    announce: Callable[[str], object] = print,
) -> None:
    """Serve the catalog of a data folder until interrupted.

    Parameters
    ----------
    directory : path-like
        The data folder; made when it is not there. Sessions may have it open.
    host : str
        Address to listen on; the loopback by default, so that nobody else can connect.
    port : int
        Port to listen on; 0 for any that is free.
    api_key : str, optional
        What a client must give; generated and announced when not given.
    announce : callable
        Called with each line that a user must see.

    Raises
    ------
    OSError
        If the port is in use or cannot be listened on, or the folder cannot be written.
    ValueError
        If the key has other characters than letters and digits.
    """
    import uvicorn
    from tiled.server.app import build_app_from_config

    if api_key is not None and not (api_key.isascii() and api_key.isalnum()):
        raise ValueError("api_key: only letters and digits are allowed; choose another key")
    key = api_key or secrets.token_hex(32)
    with _listen(host, port) as listening:
        open_catalog(directory).close()
        app = build_app_from_config(DataFolder.at(directory).server_configuration(key))
        address = f"http://{host}:{listening.getsockname()[1]}"
        announce(f"serving {Path(directory).absolute()} at {address}/api/v1, catalog {address}/api/v1/metadata/raw")
        if api_key is None:
            announce(f"API key (shown once): {key}")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(error.errno or 0, f"cannot listen on {host}: {error.strerror}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        raise OSError(
            error.errno or 0, f"cannot listen on {host} port {port} ({error.strerror}); choose another port"
        ) from None
    return listening
