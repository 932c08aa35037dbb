"""Small items of floats, such as single spectra, coded together when a file is sealed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._guarantee import Guarantee
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._record_writer import LARGE_ITEM, RecordWriter
from daisy_bluesky.lbj._records import Records
from daisy_bluesky.lbj._rows import Rows, by_record
from daisy_bluesky.lbj._sealed import MOST_ITEMS
from daisy_bluesky.lbj._spectra_codecs import SPECTRA
from daisy_bluesky.lbj._values import encode_values

VOXELS_PER_BLOCK = 2**21


def copy_spectra(header: Header, wanted: Rows, records: Records, writer: RecordWriter) -> None:
    """Write items of a file of floats, small ones in blocks.

    What is coded already is copied as it is, or, where some of its items were replaced, exactly, so that values are
    quantised once only. What cannot be down-sampled is kept exactly.

    Raises
    ------
    LBJError
        If a record is damaged.
    """
    fresh = _Gathered(header, writer, header.guarantee)
    coded = _Gathered(header, writer, Guarantee(header.channels))
    for rows in by_record(wanted):
        place = int(rows.places[0])
        stored = records.get(place, int(rows.lengths[0]), int(rows.seq_nums[0]), int(rows.ranks[0]))
        if header.voxels >= LARGE_ITEM:
            writer.item(int(rows.seq_nums[0]), stored.codec, bytes(stored.payload))
            continue
        if stored.codec in SPECTRA and stored.items == rows.seq_nums.size:
            writer.spectra(rows.seq_nums, stored.codec, bytes(stored.payload))
            continue
        items = header.room(rows.seq_nums.size)
        try:
            stored.fill(rows.ranks, items)
        except LBJError as error:
            raise records.named(place, int(rows.seq_nums[0]), error) from None
        (coded if stored.codec in SPECTRA else fresh).add(rows.seq_nums, items)
    fresh.write()
    coded.write()


class _Gathered:
    """Items on their way into a block."""

    def __init__(self, header: Header, writer: RecordWriter, guarantee: Guarantee) -> None:
        self._guarantee = guarantee
        self._writer = writer
        self._most = min(max(VOXELS_PER_BLOCK // max(header.voxels, 1), 1), MOST_ITEMS)
        self._seq_nums: list[int] = []
        self._items: list[NDArray[Any]] = []

    def add(self, seq_nums: NDArray[np.int64], items: NDArray[Any]) -> None:
        """Take in items, (n, voxels)."""
        for seq_num, item in zip(seq_nums.tolist(), items, strict=True):
            self._seq_nums.append(seq_num)
            self._items.append(item)
            if len(self._items) == self._most:
                self.write()

    def write(self) -> None:
        """Write what there is."""
        if not self._items:
            return
        seq_nums, values = np.array(self._seq_nums), np.stack(self._items)
        self._seq_nums, self._items = [], []
        self._write(seq_nums, values)

    def _write(self, seq_nums: NDArray[np.int64], values: NDArray[Any]) -> None:
        try:
            codec, payload = encode_values(values.reshape(-1), self._guarantee)
        except ValueError:  # among them is one that cannot be down-sampled, such as with a NaN
            if seq_nums.size == 1:
                self._write_exactly(seq_nums, values)
                return
            half = seq_nums.size // 2
            self._write(seq_nums[:half], values[:half])
            self._write(seq_nums[half:], values[half:])
            return
        if codec in SPECTRA:
            self._writer.spectra(seq_nums, codec, payload)
        else:
            self._write_exactly(seq_nums, values)

    def _write_exactly(self, seq_nums: NDArray[np.int64], values: NDArray[Any]) -> None:
        for seq_num, item in zip(seq_nums.tolist(), values, strict=True):
            self._writer.item(seq_num, *encode_values(item, Guarantee(self._guarantee.channels)))
