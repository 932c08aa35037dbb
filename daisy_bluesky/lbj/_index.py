"""The footer: where every row of a closed file is, so that opening it need not read it."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._folding import fold, unfold
from daisy_bluesky.lbj._record import END, INDEX, LARGEST_SEQ_NUM, OVERHEAD, frame, parse_head
from daisy_bluesky.lbj._rows import NO_ROWS, Rows
from daisy_bluesky.lbj._scan import whole_record_at
from daisy_bluesky.lbj._source import Source
from daisy_bluesky.lbj._streams import read_dense, read_varint, write_dense, write_varint

RUNS = 4

_COLUMNS = 5  # first sequence number, place, payload length, first rank, rows - 1
_MOST_ROWS_PER_BYTE = 2**12
_LARGEST = np.uint64(2**64 - 1)


def footer(seed: int, place: int, rows: Rows) -> bytes:
    """Return the index and end records to be written at byte `place`."""
    n = rows.seq_nums.size
    together = (np.diff(rows.places) == 0) & (np.diff(rows.seq_nums) == 1) & (np.diff(rows.ranks) == 1)
    first = np.flatnonzero(np.append(True, ~together)) if n else np.empty(0, np.int64)
    runs = rows[first]
    columns = np.stack([runs.seq_nums, runs.places, runs.lengths, runs.ranks, np.diff(first, append=n) - 1])
    magnitudes = fold(np.diff(columns, axis=1, prepend=0).reshape(-1).view(np.uint64), 64)
    stream = write_dense(magnitudes, 12 * magnitudes.size)
    index = frame(seed, place, INDEX, RUNS, 0, write_varint(first.size) + (stream or b""))
    return index + frame(seed, place + len(index), END, 0, place, b"")


def read_footer(source: Source, seed: int, start: int, stop: int) -> Rows | None:
    """Return the rows of a file that was closed, None where its last bytes are no whole footer.

    Parameters
    ----------
    source : Source
        The file.
    seed : int
        Checksum of its header.
    start, stop : int
        Where its records begin and where it ends.
    """
    place = stop - OVERHEAD
    end = whole_record_at(source, seed, place, stop) if place >= start else None
    if end is None or end.kind != END or not start <= end.seq_num < place:
        return None
    record = source.read(end.seq_num, place - end.seq_num)
    index = parse_head(record)
    if index is None or (index.kind, index.codec) != (INDEX, RUNS) or index.size != len(record):
        return None
    if whole_record_at(source, seed, end.seq_num, place) is None:
        return None
    try:
        return _parse(record[OVERHEAD:], start, end.seq_num)
    except LBJError:  # the index only repeats what a forward scan finds
        return None


def _parse(payload: bytes, start: int, stop: int) -> Rows:
    n, begin = read_varint(payload)
    magnitudes = read_dense(payload[begin:], _COLUMNS * n)
    differences = np.empty(magnitudes.size, np.int64)
    unfold(magnitudes, 64, _LARGEST, differences.view(np.uint64))
    seq_nums, places, lengths, ranks, more = np.cumsum(differences.reshape(_COLUMNS, n), axis=1)
    inside = (places >= start) & (lengths >= 0) & (lengths < stop) & (places <= stop - OVERHEAD - lengths)
    counted = (more >= 0) & (ranks >= 0) & (more + ranks <= _MOST_ROWS_PER_BYTE * lengths)
    in_range = (seq_nums >= 0) & (seq_nums <= LARGEST_SEQ_NUM - np.maximum(more, 0))
    if n == 0:
        return NO_ROWS
    if not np.all(inside & counted & in_range) or np.any(seq_nums[1:] <= seq_nums[:-1] + more[:-1]):
        raise LBJError("index points outside of the file")
    rows = Rows(seq_nums, places, lengths, ranks)[np.repeat(np.arange(n), _room(more + 1, stop))]
    within = np.arange(rows.seq_nums.size) - np.repeat(np.cumsum(more + 1) - more - 1, more + 1)
    return Rows(rows.seq_nums + within, rows.places, rows.lengths, rows.ranks + within)


def _room(times: NDArray[np.int64], stop: int) -> NDArray[np.int64]:
    if int(times.sum()) > _MOST_ROWS_PER_BYTE * stop:
        raise LBJError(f"index claims {int(times.sum())} rows in a file of {stop} bytes")
    return times
