"""Telling a run that is being written from one whose process died."""

import fcntl
import os
from pathlib import Path

LOCK_NAME = "lock"


class RunLock:
    """The lock of one run's folder, held as long as the process that writes the run lives.

    The operating system drops it when the process dies, however it dies. A run that was closed has no lock file.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> "RunLock | None":
        """Take the lock of a run's folder; None when a living process holds it."""
        path = folder / LOCK_NAME
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def release(self) -> None:
        """Give the lock back and remove its file: the run is closed."""
        self._path.unlink(missing_ok=True)
        self.abandon()

    def abandon(self) -> None:
        """Give the lock back and leave its file: the run still needs `recover`."""
        os.close(self._descriptor)


def has_lock(folder: Path) -> bool:
    """Tell whether a run is being written, or was when its process died."""
    return (folder / LOCK_NAME).exists()
