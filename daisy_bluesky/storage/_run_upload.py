"""Bringing one run from its journal into tiled."""

import fcntl
import os
from pathlib import Path
from typing import Any

import orjson

from daisy_bluesky.storage._event_feed import EventFeed, count_rows, stored_rows
from daisy_bluesky.storage._journal_tail import JournalTail
from daisy_bluesky.storage._lock import has_lock
from daisy_bluesky.storage._read_journal import final_events

_PROGRESS_NAME = "upload.json"
_LOCK_NAME = "upload.lock"
_LARGE_BATCH = 5000


class RunUpload:
    """Feeds a run's documents to tiled while they are written, and makes sure that each event is there once.

    A run that is in tiled only in part, because a server or a process died, is deleted there and fed again from the
    journal: what a lost answer left behind could not be told from what is missing.

    Parameters
    ----------
    folder : Path
        The run's folder.
    batch : int
        Events per request while the run is being written; more when it is complete.

    Attributes
    ----------
    complete : bool
        True when the whole run is in tiled.
    """

    def __init__(self, folder: Path, *, batch: int) -> None:
        self.folder = folder
        self.complete = _is_complete(folder)
        self._batch = batch
        self._lock: int | None = None
        self._feed: EventFeed | None = None
        self._tail = JournalTail(folder)

    def advance(self, catalog: Any) -> bool:
        """Feed what the journal has gained; False when that was nothing, or another process feeds this run.

        Parameters
        ----------
        catalog : CatalogOfBlueskyRuns

        Raises
        ------
        Exception
            Whatever the server or the connection raised. The next call begins the run anew.
        """
        if self.complete or not self._take_lock():
            return False
        try:
            if self._feed is None and self._is_stored(catalog):
                self._save(complete=True)
                return True
            documents = self._feed_on(catalog)
        except BaseException:
            self._feed = None
            raise
        if documents:
            self._save(complete=documents[-1][0] == "stop")
        return bool(documents)

    def release(self) -> None:
        """Stop feeding this run; another process may."""
        self._feed = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _feed_on(self, catalog: Any) -> list[Any]:
        if self._feed is None:
            self._tail = JournalTail(self.folder)
            self._feed = EventFeed(catalog, self._batch if has_lock(self.folder) else max(self._batch, _LARGE_BATCH))
        documents = self._tail.read()
        for name, document in documents:
            self._feed(name, document)
        if documents and documents[-1][0] == "stop":
            self._verify(catalog, self._feed)
        return documents

    def _verify(self, catalog: Any, feed: EventFeed) -> None:
        uid = self.folder.name
        if not feed.repeated and stored_rows(catalog[uid]) == feed.rows:
            return
        _delete(catalog, uid)
        feed = EventFeed(catalog, _LARGE_BATCH)
        for name, document in final_events(self.folder):
            feed(name, document)
        stored = stored_rows(catalog[uid])
        if stored != feed.rows:
            raise RuntimeError(f"tiled holds {stored} events of run {uid}, the journal {feed.rows}; it is fed again")

    def _is_stored(self, catalog: Any) -> bool:
        uid = self.folder.name
        if uid not in catalog:
            return False
        stored = stored_rows(catalog[uid])
        if stored and stored == count_rows(final_events(self.folder)):
            return True
        _delete(catalog, uid)
        return False

    def _take_lock(self) -> bool:
        if self._lock is not None:
            return True
        lock = os.open(self.folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            self._lock = lock
        self.complete = _is_complete(self.folder)  # another process may have fed it in the meantime
        if self.complete:
            self.release()
        return self._lock is not None

    def _save(self, *, complete: bool) -> None:
        progress = {"complete": complete, "offset": self._tail.offset}
        temporary = self.folder / f"{_PROGRESS_NAME}.new"
        temporary.write_bytes(orjson.dumps(progress))
        temporary.replace(self.folder / _PROGRESS_NAME)
        self.complete = complete
        if complete:
            self.release()


def _is_complete(folder: Path) -> bool:
    try:
        return bool(orjson.loads((folder / _PROGRESS_NAME).read_bytes())["complete"])
    except FileNotFoundError:
        return False


def _delete(catalog: Any, uid: str) -> None:
    # external_only=False lets go of tables and arrays that tiled manages; the journal's own files stay
    catalog.delete_contents(uid, recursive=True, external_only=False)
