"""Runs to replay, by uid, from tiled or from their journals."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from daisy_bluesky.storage._catalog import Catalog, open_catalog
from daisy_bluesky.storage._configuration import DataFolder
from daisy_bluesky.storage._find_run import find_run
from daisy_bluesky.storage._payload_files import NamedDocument
from daisy_bluesky.storage._replay import replay


class RunSource:
    """Gives the runs of a data folder to replay; a context manager.

    Parameters
    ----------
    directory : path-like
        The data folder.
    from_journal : bool
        Read the journals' files instead of tiled.
    """

    def __init__(self, directory: Path | str, *, from_journal: bool = False) -> None:
        self._folder = DataFolder.at(directory)
        self._from_journal = from_journal
        self._catalog: Catalog | None = None

    def uid(self, text: str) -> str:
        """Return the uid of the run that its first letters, or -1 for the latest, name.

        Raises
        ------
        ValueError
            If no run, or more than one, is named.
        """
        return find_run(text, self._folder.journal).name

    def replay(self, uid: str, *, payloads: bool = True) -> Iterator[NamedDocument]:
        """Yield the documents of a run, see `replay`.

        Raises
        ------
        ValueError
            If tiled has no such run.
        """
        if self._from_journal:
            return replay(self._folder.journal / uid, payloads=payloads)
        if self._catalog is None:  # only now: a uid that names no run must not make a catalog
            self._catalog = open_catalog(self._folder.path)
        if uid not in self._catalog.client:
            raise ValueError(f"run {uid} is not in tiled yet; start a session to upload it, or read its journal")
        return replay(self._catalog.client[uid], payloads=payloads)

    def close(self) -> None:
        """Let go of the catalog."""
        if self._catalog is not None:
            self._catalog.close()

    def __enter__(self) -> "RunSource":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
