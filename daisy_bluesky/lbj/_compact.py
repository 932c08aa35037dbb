"""The compact form of a journal: the same rows, every one once, sealed; written beside it, then put in its place."""

import os
import stat
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._codecs import CODED
from daisy_bluesky.lbj._coded import largest_count
from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._index import footer
from daisy_bluesky.lbj._journal_file import JournalFile, sync_directory
from daisy_bluesky.lbj._plane import Events, by_pixel
from daisy_bluesky.lbj._record_writer import RecordWriter, in_tiles
from daisy_bluesky.lbj._records import Records
from daisy_bluesky.lbj._rows import Rows, by_record
from daisy_bluesky.lbj._sealed import MOST_ITEMS
from daisy_bluesky.lbj._source import Source
from daisy_bluesky.lbj._spectra_blocks import copy_spectra

WORTH = 2**14
"""Bytes that must be to be gained, or to be sealed."""


def compact_path(path: Path) -> Path:
    """Return where the compact form of a file is written."""
    return path.with_name(f".{path.name}.compact")


def write_compact(file: JournalFile, path: Path, enough: int) -> bool:
    """Put the compact form of a file in its place; who has the old one open keeps it.

    Parameters
    ----------
    file : JournalFile
        A whole journal, on the disk.
    path : pathlib.Path
        Where it was opened. Another file that lies there by now is not touched.
    enough : int
        Non-zeros of a block.

    Returns
    -------
    bool
        False where the file was moved or removed meanwhile; it is as it was then.

    Raises
    ------
    LBJError
        If a record is damaged.
    OSError
        If the disk is full.
    """
    if not file.is_in_place():
        return False
    beside = compact_path(path)
    try:
        with closing(file.source()) as source:
            contents = Contents(source)
            write_rows(source, contents, contents.rows, beside, enough)
        _keep_owner_and_mode(beside, file.stat())
        if not file.is_in_place():
            return False
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True


def _keep_owner_and_mode(path: Path, known: os.stat_result) -> None:
    if sys.platform != "win32":
        for owner, group in ((-1, known.st_gid), (known.st_uid, -1)):
            with suppress(PermissionError):  # only an administrator may give files away
                os.chown(path, owner, group)
    path.chmod(stat.S_IMODE(known.st_mode))


def write_rows(source: Source, contents: Contents, rows: Rows, path: Path, enough: int) -> None:
    """Write some rows of a file to a new one, sealed, and bring it to the disk; an old one at `path` is replaced.

    Raises
    ------
    LBJError
        If a record is damaged.
    OSError
        If the disk is full.
    """
    path.unlink(missing_ok=True)
    file = JournalFile(path, contents.header, append=False, keep_metadata=False)
    try:
        records, writer = Records(source, contents), RecordWriter(file)
        if contents.header.dtype.kind == "f":
            copy_spectra(contents.header, rows, records, writer)
        else:
            _copy(contents.header, rows, records, writer, enough)
        file.write(footer(file.seed, file.end, file.table.rows))
    finally:
        file.close(sync=True)


def _copy(header: Header, wanted: Rows, records: Records, writer: RecordWriter, enough: int) -> None:
    block = _Block(writer, enough, header.dtype)
    large = in_tiles(header)
    per_item = header.voxels // header.channels
    for rows in by_record(wanted):
        place, length = int(rows.places[0]), int(rows.lengths[0])
        stored = records.get(place, length, int(rows.seq_nums[0]), int(rows.ranks[0]))
        first, last = int(rows.ranks[0]), int(rows.ranks[-1]) + 1
        if large and stored.codec != CODED:
            writer.item(int(rows.seq_nums[0]), stored.codec, bytes(stored.payload))
            continue
        try:
            found = stored.events(range(first * per_item, last * per_item), stored.all_channels)
        except LBJError as error:
            raise records.named(place, int(rows.seq_nums[0]), error) from None
        events = by_pixel(found, first * per_item, last * per_item)
        events = Events(events.pixels - np.uint32(first * per_item), events.channels, events.counts)
        if large:
            writer.listed(int(rows.seq_nums[0]), events)
        elif not block.add(rows.seq_nums, events, per_item):
            writer.item(int(rows.seq_nums[0]), stored.codec, bytes(stored.payload))
    block.write()


class _Block:
    """Gathers small items into blocks."""

    def __init__(self, writer: RecordWriter, enough: int, dtype: np.dtype[Any]) -> None:
        self._writer = writer
        self._enough = enough
        self._largest = 0 if dtype.kind == "f" else largest_count(dtype)
        self._items: list[NDArray[np.int64]] = []
        self._events: list[Events] = []
        self._pixels, self._gathered, self._counted = 0, 0, 0

    def add(self, seq_nums: NDArray[np.int64], events: Events, per_item: int) -> bool:
        """Take items in; return False where one is not a count."""
        if int(events.counts.max(initial=0)) > self._largest:
            return False
        if self._gathered + seq_nums.size > MOST_ITEMS:
            self.write()
        self._items.append(seq_nums)
        self._events.append(Events(events.pixels + np.uint32(self._pixels), events.channels, events.counts))
        self._pixels += seq_nums.size * per_item
        self._gathered += seq_nums.size
        self._counted += events.size
        if self._counted >= self._enough:
            self.write()
        return True

    def write(self) -> None:
        """Write what there is."""
        if self._items:
            self._writer.block(np.concatenate(self._items), Events.joined(self._events))
        self._items, self._events = [], []
        self._pixels, self._gathered, self._counted = 0, 0, 0
