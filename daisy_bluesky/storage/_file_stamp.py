"""Whether a file is still the one that was read."""

from pathlib import Path

Stamp = tuple[int, int]


def file_stamp(path: Path) -> Stamp:
    """Return time of change, ns, and size of a file: what is kept of it holds as long as these do.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_size
