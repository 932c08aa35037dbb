"""RunEngine metadata that outlives the process, shared by all sessions on a data folder."""

import fcntl
import json
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LAST_SCAN = "last scan_id of all sessions"


class PersistentMetadata(MutableMapping[str, Any]):
    """A mapping kept in one JSON file, for ``RE.md``.

    Every change is read, made and written under a lock, so that two sessions number their scans apart.

    Parameters
    ----------
    path : path-like
        The file; it need not exist, its folder must.

    Raises
    ------
    ValueError
        The file is no JSON object.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._entries = self._read()
        self._entries.pop(LAST_SCAN, None)

    def __getitem__(self, key: str) -> Any:
        return self._entries[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._entries[key] = value
        with self._changing() as entries:
            entries[key] = value

    def __delitem__(self, key: str) -> None:
        del self._entries[key]
        with self._changing() as entries:
            entries.pop(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r}: {self._entries})"

    def next_scan_id(self, metadata: object = None) -> int:  # noqa: ARG002 - the RunEngine hands its metadata over
        """Return the number of the next scan, which no other session gets; for ``RE.scan_id_source``."""
        with self._changing() as entries:
            entries[LAST_SCAN] = int(entries.get(LAST_SCAN, 0)) + 1
            return int(entries[LAST_SCAN])

    def _read(self) -> dict[str, Any]:
        try:
            entries = json.loads(self._path.read_text() or "{}")
        except FileNotFoundError:
            return {}
        except ValueError:
            entries = None
        if not isinstance(entries, dict):
            raise ValueError(f"{self._path} is no JSON object; mend or remove it")
        return entries

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self._read()
            yield entries
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(entries, indent=1) + "\n")
            fresh.replace(self._path)
