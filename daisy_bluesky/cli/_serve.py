"""``daisy-bluesky serve``: the catalog as a tiled server."""

from typing import Annotated

import typer

from daisy_bluesky.config import load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback when not given.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any.")] = None,
) -> None:
    """Serve the catalog with tiled until Ctrl-C; the key to it is printed once unless it is configured."""
    settings = load_settings()
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
