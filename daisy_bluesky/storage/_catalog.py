"""The catalog of runs, served inside this process."""

import fcntl
import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from errno import EIO
from pathlib import Path
from types import TracebackType
from typing import Any

from daisy_bluesky.storage._configuration import CATALOG, DataFolder
from daisy_bluesky.storage._interrupts import interrupts_deferred


class Catalog:
    """The runs of a data folder, through tiled, without a server: use it as a context manager or `close` it.

    Several processes may have the same folder open.

    Attributes
    ----------
    client : CatalogOfBlueskyRuns
        What ``databroker.client`` calls a catalog: ``client[-1]`` is the last run, ``client[uid]`` any.
    """

    def __init__(self, context: Any, client: Any) -> None:
        self._context = context
        self.client = client

    def close(self) -> None:
        """Stop serving."""
        with interrupts_deferred():
            self._context.close()

    def __enter__(self) -> "Catalog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_catalog(directory: Path | str) -> Catalog:
    """Open the catalog of a data folder, making it when it is not there.

    The tiled profile of the folder is written too: with ``TILED_PROFILES=<directory>/tiled/profiles``,
    ``tiled.client.from_profile("daisy")["raw"]`` gives the same catalog in any process.

    Parameters
    ----------
    directory : path-like
        The data folder; journals are in its subfolder ``journal``.

    Returns
    -------
    Catalog

    Raises
    ------
    OSError
        If the folder cannot be written, or what is in it cannot be read, naming it.
    ValueError
        If tiled cannot name databases in a folder of this path: it holds ``#``, ``?`` or a line break.
    """
    catalog = None
    folder = DataFolder.at(directory)
    _refuse_unspeakable(folder.path)
    try:
        with interrupts_deferred():
            catalog = _open(folder)
    except KeyboardInterrupt:
        if catalog is not None:
            catalog.close()
        raise
    return catalog


def _refuse_unspeakable(path: Path) -> None:
    from tiled.utils import ensure_uri, path_from_uri

    if path_from_uri(ensure_uri(path)) != path:
        raise ValueError(
            f"data folder {str(path)!r}: tiled cannot keep databases where '#', '?' or a line break is in the path; "
            "choose another data folder"
        )


def _open(folder: DataFolder) -> Catalog:
    from httpx import HTTPError
    from sqlalchemy.exc import SQLAlchemyError
    from tiled.catalog.adapter import DatabaseInitializationError

    with _alone(folder), warnings.catch_warnings():
        # tiled's in-process transport is starlette's test client, whose choice of HTTP library is not ours to change
        warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
        try:
            folder.prepare()
            catalog = _serve_within(folder)
            folder.finish()
        except (sqlite3.Error, SQLAlchemyError, HTTPError, DatabaseInitializationError) as error:
            raise OSError(
                EIO,
                f"tiled cannot use its databases ({type(error).__name__}); is the disk full, or a database damaged?",
                str(folder.tiled),
            ) from error
    return catalog


def _serve_within(folder: DataFolder) -> Catalog:
    from tiled.client import from_context
    from tiled.client.context import Context
    from tiled.server.app import build_app_from_config

    logging.getLogger("tiled.server.app").setLevel(logging.WARNING)  # it writes its version to every terminal
    app = build_app_from_config(folder.server_configuration(initialise=folder.unfinished))
    with ExitStack() as undo:
        context = undo.enter_context(closing(Context.from_app(app)))
        catalog = Catalog(context, catalog_of_runs(from_context(context)))
        undo.pop_all()
    return catalog


def catalog_of_runs(root: Any) -> Any:
    """Return the catalog of runs under a server's root, made when it is not there."""
    from tiled.structures.core import Spec

    if CATALOG not in root:
        root.create_container(CATALOG, specs=[Spec("CatalogOfBlueskyRuns", version="3.0")])
    return root[CATALOG]


@contextmanager
def _alone(folder: DataFolder) -> Iterator[None]:
    # two processes that both find no catalog would both make one
    try:
        folder.tiled.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder.tiled / "opening", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OSError(
            error.errno or 0,
            f"no catalog can be kept here ({error.strerror}); choose another data folder",
            str(folder.path),
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
