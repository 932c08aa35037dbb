"""Finding a run's journal by its uid."""

from collections.abc import Iterator
from pathlib import Path

from daisy_bluesky.storage._document_file import DOCUMENTS_NAME
from daisy_bluesky.storage._lines import Document, has_start
from daisy_bluesky.storage._read_journal import read_journal


def find_run(uid: str, directory: Path | str) -> Path:
    """Return the folder of a run.

    Parameters
    ----------
    uid : str
        The run's uid, enough of its beginning to tell it from the others, or -1 for the latest, -2 for the one before.
    directory : path-like
        Folder of all journals.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If no run, or more than one, is named.
    """
    directory = Path(directory)
    folders = [path.parent for path in directory.glob(f"*/{DOCUMENTS_NAME}") if has_start(path)]
    if uid.startswith("-") and uid[1:].isdecimal():
        number = int(uid[1:])
        if not 1 <= number <= len(folders):
            raise ValueError(f"there is no run {uid} in {directory}, which has {len(folders)}")
        return sorted(folders, key=_start_time)[-number]
    named = [folder for folder in folders if uid and folder.name.startswith(uid)]
    if len(named) == 1:
        return named[0]
    if not named:
        raise ValueError(f"no run in {directory} has a uid that begins with {uid!r}")
    raise ValueError(f"{len(named)} runs in {directory} have uids that begin with {uid!r}; give more of the uid")


def start_documents(directory: Path | str) -> Iterator[Document]:
    """Yield the start document of every run in a folder of journals, in no order; runs that are damaged are left out.

    Parameters
    ----------
    directory : path-like
        Folder of all journals; it need not exist.
    """
    for path in Path(directory).glob(f"*/{DOCUMENTS_NAME}"):
        try:
            name, document = next(read_journal(path), ("", {}))
        except ValueError:
            continue  # whoever reads that run says what is wrong with it
        if name == "start":
            yield document


def _start_time(folder: Path) -> float:
    return float(next(read_journal(folder))[1]["time"])
