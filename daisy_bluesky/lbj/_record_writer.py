"""Appending records to a file: items, blocks of items, and the spectral model that they are coded by."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._codecs import CODED
from daisy_bluesky.lbj._coded import Coded, encode_events
from daisy_bluesky.lbj._counts_codec import encode_counts
from daisy_bluesky.lbj._events_tile import MOST_CHANNELS
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._journal_file import JournalFile
from daisy_bluesky.lbj._plane import Events, Plane
from daisy_bluesky.lbj._record import BLOCK, ITEM, SPECTRUM, frame
from daisy_bluesky.lbj._sealed import write_model, write_runs
from daisy_bluesky.lbj._spectrum import NO_MODEL, scaled_model
from daisy_bluesky.lbj._streams import write_varint

LARGE_ITEM = 2**16
"""Voxels from which on an item is coded in tiles as it comes."""

_RENEWED = 8  # a model pays from so many records on, and is renewed when so many times more were seen


def in_tiles(header: Header) -> bool:
    """Return whether the items of a file are coded in tiles as they come."""
    return header.dtype.kind != "f" and header.voxels >= LARGE_ITEM


class RecordWriter:
    """Writes records behind those there are, and learns the spectral model of a file on the way.

    Parameters
    ----------
    file : JournalFile
        What is written to.
    """

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        self._spectrum = np.zeros(file.header.channels if file.header.channels <= MOST_CHANNELS else 0, np.uint64)
        self._seen = 0
        self._due = _RENEWED
        self._model = NO_MODEL
        self._model_place = 0

    def item(self, seq_num: int, codec: int, payload: bytes) -> None:
        """Write one item."""
        place = self._file.end
        self._file.write(frame(self._file.seed, place, ITEM, codec, seq_num, payload))
        self._file.table.add(seq_num, place, len(payload))

    def items(self, seq_nums: Sequence[int], codec: int, payloads: Sequence[bytes]) -> None:
        """Write several items at once: all of them, or none where that fails."""
        places, records, end = list[int](), list[bytes](), self._file.end
        for seq_num, payload in zip(seq_nums, payloads, strict=True):
            places.append(end)
            records.append(frame(self._file.seed, end, ITEM, codec, seq_num, payload))
            end += len(records[-1])
        self._file.write(b"".join(records))
        for seq_num, place, payload in zip(seq_nums, places, payloads, strict=True):
            self._file.table.add(seq_num, place, len(payload))

    def tiles(self, seq_num: int, values: NDArray[Any]) -> None:
        """Write one item, (voxels,) of the file's type, in tiles or, where that is smaller, whole."""
        self._renew_model()
        codec, payload = encode_counts(values, self._file.header.channels, self._model)
        if isinstance(payload, Coded):
            self._tiles(seq_num, payload)
        else:
            self.item(seq_num, codec, payload)

    def listed(self, seq_num: int, events: Events) -> bool:
        """Write one item, given by its events by pixel, then channel, in tiles; return False where that cannot be."""
        self._renew_model()
        header = self._file.header
        coded = encode_events(events, Plane(header.voxels // header.channels, header.channels), self._model)
        if coded is not None:
            self._tiles(seq_num, coded)
        return coded is not None

    def _tiles(self, seq_num: int, coded: Coded) -> None:
        self.item(seq_num, CODED, self._named_model(coded) + coded.tiles)
        self._learn(coded)

    def block(self, seq_nums: NDArray[np.int64], events: Events) -> None:
        """Write items, (n,) ascending, whose pixels follow each other."""
        self._renew_model()
        header = self._file.header
        plane = Plane(seq_nums.size * (header.voxels // header.channels), header.channels)
        coded = encode_events(events, plane, self._model)
        if coded is None:
            raise ValueError(f"a block of {plane.pixels} pixels is too large")
        place = self._file.end
        payload = write_runs(seq_nums) + self._named_model(coded) + coded.tiles
        self._file.write(frame(self._file.seed, place, BLOCK, CODED, int(seq_nums[0]), payload))
        self._file.table.add_block(seq_nums, place, len(payload))
        self._learn(coded)

    def spectra(self, seq_nums: NDArray[np.int64], codec: int, payload: bytes) -> None:
        """Write items, (n,) ascending, that were coded together as spectra."""
        place, payload = self._file.end, write_runs(seq_nums) + payload
        self._file.write(frame(self._file.seed, place, BLOCK, codec, int(seq_nums[0]), payload))
        self._file.table.add_block(seq_nums, place, len(payload))

    def _named_model(self, coded: Coded) -> bytes:
        return write_varint(self._file.end - self._model_place if coded.needs_model else 0)

    def _learn(self, coded: Coded) -> None:
        if coded.spectrum.size == self._spectrum.size:
            self._spectrum += coded.spectrum
            self._seen += 1

    def _renew_model(self) -> None:
        if self._seen < self._due or not np.any(self._spectrum):
            return
        model, place = scaled_model(self._spectrum), self._file.end
        self._file.write(frame(self._file.seed, place, SPECTRUM, 0, 0, write_model(model)))
        self._model, self._model_place, self._due = model, place, _RENEWED * self._seen
