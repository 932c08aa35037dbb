"""A new file with everything of a damaged one that is whole."""

import os
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from daisy_bluesky.lbj._beside import check_free, written_beside
from daisy_bluesky.lbj._coded import EVENTS_PER_TILE
from daisy_bluesky.lbj._compact import write_rows
from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._examination import Fault, damaged_stretches, unreadable
from daisy_bluesky.lbj._journal_file import sync_directory
from daisy_bluesky.lbj._source import opened_source


class Repaired(NamedTuple):
    """What came of a repair.

    Attributes
    ----------
    rows : int
        Items of the new file.
    lost : list of Fault
        Stretches of bytes that are no whole records, and items whose records are whole, but do not decode; by place.
    """

    rows: int
    lost: list[Fault]


def repair(path: str | os.PathLike[str], target: str | os.PathLike[str]) -> Repaired:
    """Write every item of a file that can be read to a new, closed file; the old one is left as it is.

    Where something was lost and no item is whole, no file is written.

    Raises
    ------
    LBJError
        If the file has no header of the format.
    FileExistsError
        If the target exists.
    OSError
        If it cannot be written; nothing is left of it then.
    """
    final = Path(target)
    check_free(final)
    with closing(opened_source(Path(path))) as source:
        contents = Contents(source, salvage=True)
        bad = list(unreadable(source, contents))
        lost = sorted([*damaged_stretches(source, contents.seed), *(fault for _, fault in bad)])
        whole = np.ones(contents.rows.seq_nums.size, np.bool_)
        whole[[number for number, _ in bad]] = False
        rows = int(whole.sum())
        if rows or not lost:
            with written_beside(final) as beside:
                write_rows(source, contents, contents.rows[whole], beside, EVENTS_PER_TILE)
            sync_directory(final.parent)
    return Repaired(rows, lost)
