"""What blocks and spectral models carry beside their tiles."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._record import LARGEST_SEQ_NUM
from daisy_bluesky.lbj._spectrum import LARGEST_MODEL, NO_MODEL, Model, first_level
from daisy_bluesky.lbj._streams import write_varint
from daisy_bluesky.lbj._vectors import read_vector, write_vector

MOST_ITEMS = 2**20
"""Items of one block."""


def write_runs(seq_nums: NDArray[np.int64]) -> bytes:
    """Return ascending sequence numbers, (n,), as runs of consecutive ones: gap before and length - 1 of each."""
    first = np.flatnonzero(np.append(True, np.diff(seq_nums) != 1))
    written, expected = [write_varint(first.size)], 0
    for start, stop in zip(first.tolist(), [*first[1:].tolist(), seq_nums.size], strict=True):
        written += [write_varint(int(seq_nums[start]) - expected), write_varint(stop - start - 1)]
        expected = int(seq_nums[stop - 1]) + 1
    return b"".join(written)


def read_runs(source: Bytes) -> NDArray[np.int64]:
    """Return the sequence numbers of a block, (n,) int64; LBJError where there are none, or too many or too large."""
    runs, expected, total = source.number(), 0, 0
    if not 0 < 2 * runs <= len(source):
        raise LBJError(f"{runs} runs of items claimed in {len(source)} bytes")
    parts = []
    for _ in range(runs):
        start, more = expected + source.number(), source.number()
        total += more + 1
        if total > MOST_ITEMS or start + more > LARGEST_SEQ_NUM:
            raise LBJError(f"{total} items up to {start + more} claimed in a block")
        parts.append(np.arange(start, start + more + 1, dtype=np.int64))
        expected = start + more + 1
    return np.concatenate(parts)


def write_model(model: Model) -> bytes:
    """Return a spectral model, (channels,) uint64."""
    return write_vector(first_level(model, NO_MODEL, np.uint64(0), False))


def read_model(payload: bytes, channels: int) -> Model:
    """Return the spectral model of a record; LBJError where it is none."""
    source = Bytes(payload)
    model = first_level(read_vector(source, channels), NO_MODEL, np.uint64(0), True)
    if len(source) or np.any(model > LARGEST_MODEL) or not 0 < int(model.sum()) <= LARGEST_MODEL:
        raise LBJError("a spectral model that is none")
    return model
