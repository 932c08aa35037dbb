"""The footer: where every row of a closed file is, so that opening it need not read it."""

import numpy as np

from daisy_bluesky.lbj._codecs import DENSE
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._folding import fold, unfold
from daisy_bluesky.lbj._record import END, INDEX, OVERHEAD, frame, parse_head
from daisy_bluesky.lbj._rows import Rows
from daisy_bluesky.lbj._scan import whole_record_at
from daisy_bluesky.lbj._source import Source
from daisy_bluesky.lbj._streams import read_dense, read_varint, write_dense, write_varint

_LARGEST = np.uint64(2**64 - 1)


def footer(seed: int, place: int, rows: Rows) -> bytes:
    """Return the index and end records to be written at byte `place`."""
    differences = np.stack(
        [np.diff(column, prepend=0) for column in (rows.seq_nums, rows.places, rows.lengths)], axis=1
    )
    magnitudes = fold(differences.reshape(-1).view(np.uint64), 64)
    stream = write_dense(magnitudes, 12 * magnitudes.size)
    index = frame(seed, place, INDEX, DENSE, 0, write_varint(rows.seq_nums.size) + (stream or b""))
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
    if index is None or index.kind != INDEX or index.size != len(record):
        return None
    if whole_record_at(source, seed, end.seq_num, place) is None:
        return None
    try:
        return _parse(record[OVERHEAD:], start, end.seq_num)
    except LBJError:  # the index only repeats what a forward scan finds
        return None


def _parse(payload: bytes, start: int, stop: int) -> Rows:
    n, begin = read_varint(payload)
    magnitudes = read_dense(payload[begin:], 3 * n)
    differences = np.empty(magnitudes.size, np.int64)
    unfold(magnitudes, 64, _LARGEST, differences.view(np.uint64))
    seq_nums, places, lengths = np.cumsum(differences.reshape(-1, 3), axis=0).T.copy()
    ascending = n == 0 or (int(seq_nums[0]) >= 0 and bool(np.all(seq_nums[1:] > seq_nums[:-1])))
    inside = (places >= start) & (lengths >= 0) & (lengths < stop) & (places <= stop - OVERHEAD - lengths)
    if not ascending or not np.all(inside):
        raise LBJError("index points outside of the file")
    return Rows(seq_nums, places, lengths)
