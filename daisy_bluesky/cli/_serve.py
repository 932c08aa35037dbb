"""``daisy-bluesky serve``: the catalog as a tiled server."""

import socket
from typing import Annotated

import typer

from daisy_bluesky.config import load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback when not given.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any.")] = None,
) -> None:
    """Serve the catalog with tiled until Ctrl-C; the key to it is printed once unless it is configured."""
    settings = load_settings()
    _check_host(host or settings.server.host)
    from daisy_bluesky.storage import serve_catalog

    try:
        serve_catalog(
            settings.data,
            host=host or settings.server.host,
            port=settings.server.port if port is None else port,
            api_key=settings.server.api_key,
            announce=typer.echo,
        )
    except KeyboardInterrupt:  # the way in which a server is meant to end
        typer.echo("stopped")


def _check_host(host: str) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.bind(address)
    except OSError as error:
        raise ValueError(
            f"host: {host} is no address of this machine ({error.strerror}); give one, such as 127.0.0.1"
        ) from None
