"""The thread that brings journals into tiled."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from daisy_bluesky.storage._document_file import DOCUMENTS_NAME
from daisy_bluesky.storage._lines import has_start
from daisy_bluesky.storage._lock import has_lock

if TYPE_CHECKING:
    from daisy_bluesky.storage._run_upload import RunUpload

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class UploadStatus:
    """How far the upload is.

    Attributes
    ----------
    uploaded : int
        Runs that are complete in tiled.
    pending : tuple of str
        Uids of the runs that are not yet.
    error : str or None
        What went wrong last, in one line; None when all is well.
    failed : tuple of str
        Uids of those pending runs whose last try failed; they are tried again.
    """

    uploaded: int
    pending: tuple[str, ...]
    error: str | None
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Failure:
    error: str
    times: int
    retry_at: float


class Uploader:
    """Brings every run of a journal folder into tiled, on its own thread: the RunEngine never waits for a server.

    Runs are followed while they are written, those of earlier sessions too. When the server is away, what happened is
    kept in `status` and tried again, at intervals that double up to 30 s. Use it as a context manager, or `start` and
    `stop` it.

    Parameters
    ----------
    directory : path-like
        Folder of all journals.
    client : CatalogOfBlueskyRuns or callable
        The catalog, or what returns it; a callable is asked again after a failure.
    batch : int
        Events per request while a run is being written.
    interval : float
        How long to wait when there was nothing to bring, s.
    """

    def __init__(
        self, directory: Path | str, client: Any | Callable[[], Any], *, batch: int = 200, interval: float = 0.5
    ) -> None:
        self._directory = Path(directory)
        self._client: Callable[[], Any] = client if callable(client) else lambda: client
        self._batch = batch
        self._interval = interval
        self._runs: dict[str, RunUpload] = {}
        self._failures: dict[str, _Failure] = {}
        self._catalog: Any = None
        self._rounds = 0
        self._last_clean_round = 0
        self._last_settled_round = 0
        self._stopping = False
        self._asked = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> UploadStatus:
        """How far the upload is, now."""
        runs = dict(self._runs)
        pending = tuple(uid for uid, run in runs.items() if not run.complete)
        failures = dict(self._failures)
        errors = [failure.error for failure in failures.values()]
        return UploadStatus(len(runs) - len(pending), pending, errors[-1] if errors else None, tuple(failures))

    def start(self) -> None:
        """Begin to upload."""
        if self._thread is None:
            self._stopping = False
            self._thread = threading.Thread(target=self._work, name="uploader", daemon=True)
            self._thread.start()

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until every run that is closed is in tiled.

        Parameters
        ----------
        timeout : float
            How long to wait at most, s.

        Returns
        -------
        bool
            False when it did not come to that; `status` says why.
        """
        return self._wait_for(lambda wanted: self._last_clean_round >= wanted, timeout)

    def settle(self, timeout: float = 60.0) -> bool:
        """Wait until every run that is closed is in tiled or was refused by it.

        Parameters
        ----------
        timeout : float
            How long to wait at most, s.

        Returns
        -------
        bool
            False when it did not come to that.
        """
        return self._wait_for(lambda wanted: self._last_settled_round >= wanted, timeout)

    def stop(self, timeout: float = 60.0) -> None:
        """End the thread after the request it is at; what is left is for the next start.

        Parameters
        ----------
        timeout : float
            How long to wait for it at most, s.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            self._thread = None

    def __enter__(self) -> "Uploader":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_for(self, reached: Callable[[int], bool], timeout: float) -> bool:
        with self._changed:
            self._asked = True
            wanted = self._rounds + 1
            self._changed.notify_all()
            return self._changed.wait_for(lambda: reached(wanted), timeout)

    def _work(self) -> None:
        while not self._stopping:
            with self._changed:
                self._rounds += 1
                self._asked = False
            moved = self._round()
            with self._changed:
                left = {uid for uid, run in self._runs.items() if not run.complete and not has_lock(run.folder)}
                if not left:
                    self._last_clean_round = self._rounds
                if left <= self._failures.keys():
                    self._last_settled_round = self._rounds
                    self._changed.notify_all()
                if not moved and not self._asked and not self._stopping:
                    self._changed.wait(self._interval)
        for run in self._runs.values():
            run.release()

    def _round(self) -> bool:
        self._discover()
        moved = False
        # a run that failed comes last: a server that refuses it may take its time
        for uid, run in sorted(self._runs.items(), key=lambda item: item[0] in self._failures):
            failure = self._failures.get(uid)
            due = failure is None or time.monotonic() >= failure.retry_at
            if due and not run.complete and not self._stopping:
                moved |= self._advance(uid, run)
        return moved

    def _advance(self, uid: str, run: "RunUpload") -> bool:
        try:
            if self._catalog is None:
                self._catalog = self._client()
            moved = run.advance(self._catalog)
        except Exception as error:  # noqa: BLE001  (nothing that a server does may end the thread; it is in the status)
            times = self._failures[uid].times + 1 if uid in self._failures else 1
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (times - 1))
            text = f"run {uid} is not in tiled yet: {type(error).__name__} {error}".splitlines()[0]
            self._failures[uid] = _Failure(text, times, time.monotonic() + wait)
            self._catalog = None
            return False
        self._failures.pop(uid, None)
        return moved

    def _discover(self) -> None:
        from daisy_bluesky.storage._run_upload import (
            RunUpload,
        )  # loads tiled's writer; not on the way to the first event

        found = [path for path in self._directory.glob(f"*/{DOCUMENTS_NAME}") if path.parent.name not in self._runs]
        for path in sorted(found, key=lambda path: path.stat().st_mtime):
            if has_start(path):
                self._runs = {**self._runs, path.parent.name: RunUpload(path.parent, batch=self._batch)}
