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
        while not _locked(descriptor, fcntl.LOCK_EX):
            # one who only asks, `being_written`, shares, and has done so in no time
            if not _locked(descriptor, fcntl.LOCK_SH):
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


def being_written(folder: Path | str) -> bool:
    """Tell whether a living process, this one included, is writing a run.

    The run and whoever writes it are not disturbed.

    Parameters
    ----------
    folder : path-like
        The run's folder, as `find_run` gives it.

    Returns
    -------
    bool
        False, too, for a run whose process died and which nobody has closed yet.

    Raises
    ------
    OSError
        If the lock cannot be read.
    """
    try:
        descriptor = os.open(Path(folder) / LOCK_NAME, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def has_lock(folder: Path) -> bool:
    """Tell whether a run is being written, or was when its process died."""
    return (folder / LOCK_NAME).exists()
