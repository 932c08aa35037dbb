"""Bringing what was written to the disk in groups, so that no event waits for a disk."""

import os
import threading
from pathlib import Path


class GroupSync:
    """Calls fsync on a set of files at an interval, on its own thread, while something was written.

    Parameters
    ----------
    interval : float
        Longest time that what was written stays with the operating system only, s.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._descriptors: list[int] = []
        self._written = False
        self._error: OSError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal fsync", daemon=True)
        self._thread.start()

    def add(self, path: Path) -> None:
        """Take on a file, or a folder so that the names in it are kept.

        Raises
        ------
        OSError
            If it cannot be opened.
        """
        self._descriptors = [*self._descriptors, os.open(path, os.O_RDONLY)]

    def wrote(self) -> None:
        """Note that there is something to bring to the disk.

        Raises
        ------
        OSError
            If an earlier fsync failed: what it was asked to keep may be lost.
        """
        if self._error is not None:
            raise self._error
        self._written = True

    def stop(self) -> None:
        """End the thread and bring everything to the disk.

        Raises
        ------
        OSError
            If the disk fails, or failed earlier.
        """
        self._stop.set()
        self._thread.join()
        try:
            self._sync()
        finally:
            for descriptor in self._descriptors:
                os.close(descriptor)
        if self._error is not None:
            raise self._error

    def _sync(self) -> None:
        self._written = False
        # the newest first: payload files are on the disk before the documents that point into them
        for descriptor in reversed(self._descriptors):
            os.fsync(descriptor)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            if self._written and self._error is None:
                try:
                    self._sync()
                except OSError as error:
                    self._error = error
