"""What a file holds: its header, and which record is which row."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._header import PREFIX_SIZE, Header, description_length, parse_header
from daisy_bluesky.lbj._index import read_footer
from daisy_bluesky.lbj._record import BLOCK, ITEM, OVERHEAD, Head
from daisy_bluesky.lbj._rows import Rows, RowTable
from daisy_bluesky.lbj._scan import next_whole_record, whole_records
from daisy_bluesky.lbj._sealed import read_runs
from daisy_bluesky.lbj._source import Source


class Contents:
    """The rows of a file as far as it is whole; a torn tail is left out.

    Parameters
    ----------
    source : Source
        The file.
    salvage : bool
        Pass over damaged stretches, and trust no index, instead of raising.

    Raises
    ------
    LBJError
        If the header is none, or, unless `salvage`, if whole items follow a damaged record.

    Attributes
    ----------
    header : Header
        What the items are.
    seed : int
        Checksum of the header.
    end : int
        Where the whole records end.
    table : RowTable
        The rows.
    is_indexed : bool
        Whether the rows were taken from the index of a closed file.
    """

    def __init__(self, source: Source, *, salvage: bool = False) -> None:
        self._source = source
        self._salvage = salvage
        self.header, self.seed, self.end = _read_header(source)
        size = source.size()
        rows = None if salvage else read_footer(source, self.seed, self.end, size)
        self.table = RowTable(rows)
        self.is_indexed = rows is not None
        if self.is_indexed:
            self.end = size
        else:
            self.refresh()

    @property
    def rows(self) -> Rows:
        """The rows by ascending sequence number; of a repeated one, the last."""
        return self.table.rows

    def refresh(self) -> None:
        """Take in what was appended since."""
        size = self._source.size()
        if size < self.end:
            raise LBJError(f"{self._source.name}: {size} bytes are left of {self.end}; it was cut short while open")
        self._scan(size)
        while self.end < size:
            resumed = self._whole_item_after(self.end, size)
            if resumed is None:
                return
            if not self._salvage:
                raise LBJError(
                    f"{self._source.name}: damaged record at byte {self.end}, but whole ones follow from {resumed};"
                    " read what is whole with Reader(path, salvage=True)"
                )
            self.end = resumed
            self._scan(size)

    def _scan(self, size: int) -> None:
        for place, head in whole_records(self._source, self.seed, self.end, size):
            if head.kind == ITEM:
                self.table.add(head.seq_num, place, head.length)
            elif head.kind == BLOCK:
                self.table.add_block(self._items_of(place, head), place, head.length)
            self.end = place + head.size

    def _items_of(self, place: int, head: Head) -> NDArray[np.int64]:
        try:
            return read_runs(Bytes(self._source.read(place + OVERHEAD, head.length)))
        except LBJError as error:
            raise LBJError(f"{self._source.name}: block at byte {place}: {error}") from None

    def _whole_item_after(self, place: int, size: int) -> int | None:
        found = next_whole_record(self._source, self.seed, place, size)
        while found is not None:
            if any(head.kind in (ITEM, BLOCK) for _, head in whole_records(self._source, self.seed, found, size)):
                return found
            found = next_whole_record(self._source, self.seed, found + 1, size)
        return None


def _read_header(source: Source) -> tuple[Header, int, int]:
    prefix = source.read(0, PREFIX_SIZE)
    try:
        length = description_length(prefix)
        header, seed = parse_header(prefix, source.read(PREFIX_SIZE, length))
    except LBJError as error:
        raise LBJError(f"{source.name}: {error}") from None
    return header, seed, PREFIX_SIZE + length
