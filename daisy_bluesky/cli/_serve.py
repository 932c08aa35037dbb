"""``daisy-bluesky serve``: the catalog as a tiled server."""

from typing import Annotated

import typer

from daisy_bluesky.config import load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback when not given.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
) -> None:
    """Serve the catalog with tiled; the key to it is printed once unless it is configured."""
    from daisy_bluesky.storage import serve_catalog

    settings = load_settings()
    serve_catalog(
        settings.data,
        host=host or settings.server.host,
        port=settings.server.port if port is None else port,
        api_key=settings.server.api_key,
    )
