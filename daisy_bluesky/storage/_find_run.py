"""Finding a run's journal by its uid."""

from pathlib import Path

from daisy_bluesky.storage._document_file import DOCUMENTS_NAME


def find_run(uid: str, directory: Path | str) -> Path:
    """Return the folder of a run.

    Parameters
    ----------
    uid : str
        The run's uid, or enough of its beginning to tell it from the others.
    directory : path-like
        Folder of all journals.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If no run, or more than one, has a uid that begins so.
    """
    directory = Path(directory)
    runs = (path.parent for path in directory.glob(f"*/{DOCUMENTS_NAME}"))
    folders = [folder for folder in runs if uid and folder.name.startswith(uid)]
    if len(folders) == 1:
        return folders[0]
    if not folders:
        raise ValueError(f"no run in {directory} has a uid that begins with {uid!r}")
    raise ValueError(f"{len(folders)} runs in {directory} have uids that begin with {uid!r}; give more of the uid")
