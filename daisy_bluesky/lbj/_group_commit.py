"""Bringing what was appended to the disk in groups, so that no exposure waits for a disk."""

import threading
from collections.abc import Callable

from daisy_bluesky.lbj._arguments import whole_number


def check_group(records: int | None, interval: float | None) -> None:
    """Check what makes a group.

    Raises
    ------
    ValueError
        If one of them is not positive.
    TypeError
        If `records` is no whole number.
    """
    if records is not None:
        whole_number("sync_records", records)
    if (records is not None and records < 1) or (interval is not None and not interval > 0):
        raise ValueError(f"sync_records {records} and sync_interval {interval} must be positive, or None")


class GroupCommit:
    """Calls `sync` in the background, after so many records or so long, whichever comes first.

    Parameters
    ----------
    sync : callable
        Brings what was written to the disk.
    records : int or None
        How many records may wait.
    interval : float or None
        How long a record may wait, s.
    """

    def __init__(self, sync: Callable[[], None], records: int | None, interval: float | None) -> None:
        self._sync = sync
        self._records = records
        self._interval = interval
        self._waiting = 0
        self._due = threading.Event()
        self._stopped = False
        self._error: OSError | None = None
        self._thread: threading.Thread | None = None
        if records is not None or interval is not None:
            self._thread = threading.Thread(target=self._run, name="lbj group commit", daemon=True)
            self._thread.start()

    def wrote(self) -> None:
        """Note that a record waits.

        Raises
        ------
        OSError
            If an earlier sync failed: what it was asked to keep may be lost.
        """
        if self._error is not None:
            raise self._error
        self._waiting += 1
        if self._records is not None and self._waiting == self._records:
            self._due.set()

    def stop(self) -> None:
        """End the background thread; it leaves the last records to the caller."""
        self._stopped = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped and self._error is None:
            self._due.wait(self._interval)
            self._due.clear()
            if self._stopped or not self._waiting:
                continue
            self._waiting = 0
            try:
                self._sync()
            except OSError as error:
                self._error = error
