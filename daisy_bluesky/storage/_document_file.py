"""The file of a run's documents: whole lines or nothing, whatever the disk does."""

import contextlib
import os
from pathlib import Path

DOCUMENTS_NAME = "documents.jsonl"


class DocumentFile:
    """Appends lines so that each call's lines are in the operating system's hands when it returns.

    Parameters
    ----------
    path : Path
        File to append to; created when absent.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._size = os.fstat(self._descriptor).st_size

    def append(self, lines: bytes) -> None:
        """Write whole lines; when the disk takes only a part of them, none stays.

        Raises
        ------
        OSError
            If the disk is full or fails.
        """
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._descriptor, lines[written:] if written else lines)
        except OSError:
            with contextlib.suppress(OSError):  # the write's failure is the one to tell
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += written

    def sync(self) -> None:
        """Bring everything to the disk.

        Raises
        ------
        OSError
            If the disk fails.
        """
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; bringing it to the disk is the business of a `GroupSync`."""
        os.close(self._descriptor)
