"""What a file is, and everything that is wrong with it."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from daisy_bluesky.lbj._contents import Contents
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._header import PREFIX_SIZE, Header, description_length
from daisy_bluesky.lbj._index import read_footer
from daisy_bluesky.lbj._record import END
from daisy_bluesky.lbj._records import Records
from daisy_bluesky.lbj._rows import Rows
from daisy_bluesky.lbj._scan import next_whole_record, whole_records
from daisy_bluesky.lbj._source import Source, opened_source


class Fault(NamedTuple):
    """Something that is wrong with a file.

    Attributes
    ----------
    place : int
        Byte at which it is.
    reason : str
        What it is.
    """

    place: int
    reason: str

    def __str__(self) -> str:
        return f"byte {self.place}: {self.reason}"


@dataclass(frozen=True)
class Summary:
    """What a file is.

    Attributes
    ----------
    header : Header
        What its items are, and what it promises of them.
    rows : int
        Items.
    nbytes : int
        Bytes of the file.
    is_closed : bool
        Whether it ends with an index; otherwise it is being written, or its writer died.
    torn_bytes : int
        Bytes behind the last whole record.
    """

    header: Header
    rows: int
    nbytes: int
    is_closed: bool
    torn_bytes: int

    @property
    def dense_bytes(self) -> int:
        """Bytes of all items as plain arrays."""
        return self.rows * self.header.voxels * self.header.dtype.itemsize

    @property
    def ratio(self) -> float:
        """How many times smaller the file is than its items as plain arrays."""
        return self.dense_bytes / self.nbytes


def summary(path: str | os.PathLike[str]) -> Summary:
    """Return what a file is, without decoding its items.

    Raises
    ------
    LBJError
        If it is none of the format, or damaged other than by a torn tail.
    """
    with closing(opened_source(Path(path))) as source:
        contents, size = Contents(source), source.size()
        return Summary(
            contents.header, contents.rows.seq_nums.size, size, contents.is_indexed, max(size - contents.end, 0)
        )


def verify(path: str | os.PathLike[str]) -> list[Fault]:
    """Return everything that is wrong with a file, by place: every checksum is compared, every item decoded.

    Raises
    ------
    LBJError
        If it has no header of the format.
    """
    with closing(opened_source(Path(path))) as source:
        contents = Contents(source, salvage=True)
        faults = [*damaged_stretches(source, contents.seed), *_wrong_index(source, contents)]
        faults += [fault for _, fault in unreadable(source, contents)]
        return sorted(faults)


def unreadable(source: Source, contents: Contents) -> Iterator[tuple[int, Fault]]:
    """Yield the numbers of the rows that do not decode, and why."""
    rows, records = contents.rows, Records(source, contents)
    for number in range(rows.seq_nums.size):
        place, seq_num = int(rows.places[number]), int(rows.seq_nums[number])
        try:
            stored = records.get(place, int(rows.lengths[number]), seq_num, int(rows.ranks[number]))
            stored.check(int(rows.ranks[number]))
        except LBJError as error:
            yield number, Fault(place, f"item {seq_num}: {str(error).rpartition(f'at byte {place}: ')[2]}")


def damaged_stretches(source: Source, seed: int) -> Iterator[Fault]:
    """Yield where bytes are no whole record."""
    size = source.size()
    place = PREFIX_SIZE + description_length(source.read(0, PREFIX_SIZE))
    while True:
        for start, head in whole_records(source, seed, place, size):
            place = start + head.size
        if place >= size:
            return
        following = next_whole_record(source, seed, place, size)
        if following is None:
            yield Fault(
                place, f"{size - place} bytes of no whole record, to the end: its writer died, or it is cut short"
            )
            return
        yield Fault(place, f"{following - place} bytes of no whole record; they are damaged")
        place = following


def _wrong_index(source: Source, contents: Contents) -> Iterator[Fault]:
    """Yield a fault where the file ends like a closed one, but its index is not that of its rows."""
    size = source.size()
    start = PREFIX_SIZE + description_length(source.read(0, PREFIX_SIZE))
    last = None
    for place, head in whole_records(source, contents.seed, start, size):
        last = (place, head)
    if last is None or last[1].kind != END or last[0] + last[1].size != size:
        return
    indexed = read_footer(source, contents.seed, start, size)
    if indexed is None:
        yield Fault(last[0], "the index that it names is none")
    elif not _same(indexed, contents.rows):
        yield Fault(last[1].seq_num, "the index names other items than the records do")


def _same(left: Rows, right: Rows) -> bool:
    pairs = zip(vars(left).values(), vars(right).values(), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)
