"""A new file that is there once it is whole, and that never takes the place of another."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
_OF_WRITING = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


def check_free(final: Path) -> None:
    """Raise FileExistsError or FileNotFoundError where no new file can come to a path."""
    if os.path.lexists(final):
        raise FileExistsError(f"{final} exists; name a new file")
    if not final.parent.is_dir():
        raise FileNotFoundError(f"{final.parent}: there is no such folder")


@contextmanager
def written_beside(final: Path) -> Iterator[Path]:
    """Give a path to write to, of the same name in a folder of its own; put it at `final` when that ended well.

    Raises
    ------
    FileExistsError
        If there is something at `final`, also where it came there meanwhile.
    OSError
        If it cannot be written; nothing is left of it then.
    """
    check_free(final)
    hidden = final.absolute().with_name(f".{final.name}.")
    try:
        with TemporaryDirectory(prefix=hidden.name, dir=hidden.parent) as folder:
            yield Path(folder, final.name)
            _put(Path(folder, final.name), final)
    except OSError as error:
        of_writing = error.filename is None and error.errno in _OF_WRITING
        if error.strerror and (of_writing or str(error.filename).startswith(str(hidden))):
            raise type(error)(error.errno, error.strerror, str(final)) from error
        raise


def _put(made: Path, final: Path) -> None:
    if made.is_dir():  # a folder is never renamed over one that holds something, nor over a file
        made.rename(final)
        return
    try:
        os.link(made, final)  # unlike a renamed file, it never takes the place of one
    except FileExistsError:
        raise FileExistsError(f"{final} exists by now; name a new file") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        final.open("xb").close()  # a file system without links: claim the name, then fill it
        made.replace(final)
