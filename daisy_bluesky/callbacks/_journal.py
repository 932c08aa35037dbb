"""The RunEngine's first subscriber: every document to the disk before anything else sees it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daisy_bluesky.storage import RunJournal

Document = dict[str, Any]


class Journal:
    """Writes every run to a folder of its own and passes the slim documents on.

    Arrays of more than 16 elements leave their events for LBJ files, and the documents say so as they would for a
    detector that writes its own files (``external: "STREAM:"``, stream_resource, stream_datum). When the call returns,
    the document is with the operating system: it survives the death of the process. Documents of detectors that write
    their own files pass through untouched.

    Subscribe it before anything else: ``RE.subscribe(journal)``, and keep a reference to it.

    Parameters
    ----------
    directory : path-like
        Folder of all journals; each run gets ``<directory>/<run uid>/``.
    sync_interval : float
        Longest time between two fsyncs while documents arrive, s.

    Raises
    ------
    OSError
        From the call, when the disk is full, failed, or may not be written: the plan fails with one line that says so.
    """

    def __init__(self, directory: Path | str, *, sync_interval: float = 0.5) -> None:
        self.directory = Path(directory).absolute()
        self._sync_interval = sync_interval
        self._subscribers: list[Callable[[str, Document], Any]] = []
        self._runs: dict[str, RunJournal] = {}
        self._refused: set[str] = set()
        self._lock = threading.RLock()

    def subscribe(self, callback: Callable[[str, Document], Any]) -> None:
        """Pass every slim document on to `callback`, which is kept alive.

        Parameters
        ----------
        callback : callable
            Called as ``callback(name, document)`` after the document was written; what it raises fails the plan.
        """
        self._subscribers.append(callback)

    def __call__(self, name: str, document: Document) -> None:
        """Write a document and pass on what stands for it."""
        with self._lock:  # monitored signals emit their events from threads of their own
            try:
                written = self._write(name, document)
            except OSError:
                if name == "stop":  # the run has ended, even where a full disk takes no word of it
                    self._pass_on(name, document)
                raise
            for slim_name, slim in written:
                self._pass_on(slim_name, slim)

    def _pass_on(self, name: str, document: Document) -> None:
        for subscriber in self._subscribers:
            subscriber(name, document)

    def _write(self, name: str, document: Document) -> list[tuple[str, Document]]:
        if name == "start":
            return self._start(document)
        if name == "stop" and document["run_start"] in self._refused:
            self._refused.remove(document["run_start"])
            return []
        run = self._runs[self._run_of(name, document)]
        complete = False
        try:
            slim = run.record(name, document)
            complete = True
        finally:
            if name == "stop":
                self._forget(run)
                run.close(complete=complete)
        if name in ("descriptor", "resource"):
            self._runs[document["uid"]] = run
        return slim

    def _start(self, document: Document) -> list[tuple[str, Document]]:
        self._refused.add(document["uid"])  # a RunEngine closes the run that it could not open
        run = RunJournal(self.directory, document, sync_interval=self._sync_interval)
        try:
            slim = run.record("start", document)
        except BaseException:
            run.discard()
            raise
        self._refused.remove(document["uid"])
        self._runs[document["uid"]] = run
        return slim

    def _run_of(self, name: str, document: Document) -> str:
        for key in ("run_start", "descriptor", "resource"):
            if document.get(key) in self._runs:
                return str(document[key])
        if name == "resource" and len(self._runs) == 1:  # a legacy resource does not name its run
            return next(iter(self._runs))
        raise ValueError(f"a {name} document belongs to no run that is being written; subscribe the Journal first")

    def _forget(self, run: RunJournal) -> None:
        self._runs = {uid: other for uid, other in self._runs.items() if other is not run}
