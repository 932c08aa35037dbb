"""Where everything of a data folder is, and how tiled is told."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from daisy_bluesky.storage._payload import file_uri

PROFILE = "daisy"
CATALOG = "raw"


@dataclass(frozen=True)
class DataFolder:
    """The layout of a data folder.

    Attributes
    ----------
    path : Path
        The folder, absolute.
    """

    path: Path

    @classmethod
    def at(cls, directory: Path | str) -> "DataFolder":
        """Return the layout of a folder, which need not exist."""
        return cls(Path(directory).absolute())

    @property
    def journal(self) -> Path:
        """Folder of the runs' journals."""
        return self.path / "journal"

    @property
    def tiled(self) -> Path:
        """Folder of all that belongs to tiled."""
        return self.path / "tiled"

    @property
    def profiles(self) -> Path:
        """Folder to name in the environment variable ``TILED_PROFILES``."""
        return self.tiled / "profiles"

    @property
    def unfinished(self) -> bool:
        """Whether the databases are new: made by `prepare`, and not yet ready for runs."""
        return self._marker.exists()

    def prepare(self) -> None:
        """Make the folders, the databases and the profile; `finish` when the databases are ready for runs.

        Raises
        ------
        OSError, sqlite3.Error
            If they cannot be written.
        """
        for folder in (self.journal, self._arrays, self.profiles):
            folder.mkdir(parents=True, exist_ok=True)
        if self.unfinished:  # a process died, or found its disk full, before anything was in them
            for file in self.tiled.glob("*.db*"):
                file.unlink()
        for database in (self._catalog, self._tables):
            # A write-ahead log keeps readers and writers of several processes from locking each other out. Only a new
            # file may be touched: tiled opens it through another copy of SQLite, and two copies in one process do not
            # see each other's locks (https://sqlite.org/howtocorrupt.html, 2.2.1).
            if not database.exists():
                self._marker.touch()
                with closing(sqlite3.connect(database)) as connection:
                    connection.execute("PRAGMA journal_mode=WAL")
        profile = yaml.safe_dump({PROFILE: {"direct": self.server_configuration()}})
        path = self.profiles / f"{PROFILE}.yml"
        if not path.exists() or path.read_text() != profile:
            path.write_text(profile)

    def finish(self) -> None:
        """Note that the databases are ready; those that never were are made anew by the next `prepare`."""
        self._marker.unlink(missing_ok=True)

    def server_configuration(self, api_key: str | None = None, *, initialise: bool = False) -> dict[str, Any]:
        """Return the configuration of a tiled server for this folder.

        The tables of scalars are in SQLite, which several processes may open at once (DuckDB may not).

        Parameters
        ----------
        api_key : str, optional
            The key that a client must give. Without it tiled makes one for the process; servers inside one process
            share their key, so that those that nobody outside can reach must not each set their own.
        initialise : bool
            Have tiled make its tables in databases that are `unfinished`.
        """
        arguments = {
            "uri": f"sqlite:///{self._catalog}",
            # tiled starts a process to see about this, which takes seconds
            "init_if_not_exists": initialise,
            "writable_storage": [str(self._arrays), f"sqlite:///{self._tables}"],
            # tiled takes the path of a URI as it is spelt: this one must be spelt as those of the files in it
            "readable_storage": [file_uri(self.journal)],
            "adapters_by_mimetype": {"application/x-lbj": "daisy_bluesky.storage:LBJAdapter"},
        }
        exporters = {"application/json-seq": "bluesky_tiled_plugins.exporters:json_seq_exporter"}
        key = {} if api_key is None else {"single_user_api_key": api_key}
        return {
            "authentication": {"allow_anonymous_access": False, **key},
            "trees": [{"path": "/", "tree": "catalog", "args": arguments}],
            "media_types": {"BlueskyRun": exporters},
        }

    @property
    def _marker(self) -> Path:
        return self.tiled / "unfinished"

    @property
    def _arrays(self) -> Path:
        return self.tiled / "arrays"

    @property
    def _catalog(self) -> Path:
        return self.tiled / "catalog.db"

    @property
    def _tables(self) -> Path:
        return self.tiled / "tables.db"
