"""Short lists of magnitudes within a payload, sparse or dense, whichever is shorter."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._folding import pair, scatter
from daisy_bluesky.lbj._streams import read_dense, read_sparse, write_dense, write_sparse, write_varint

_LARGEST = np.uint64(2**64 - 1)
_LONGEST = 9  # bytes of one value


def write_vector(values: NDArray[np.uint64]) -> bytes:
    """Return values below 2**64 - 1, (n,) uint64: twice their length in bytes, plus 1 where sparse, and themselves."""
    room = _LONGEST * 2 * (values.size + 1)
    dense, sparse = write_dense(values, room), write_sparse(pair(values, 0), values.size, room)
    if sparse is None or (dense is not None and len(dense) <= len(sparse)):
        return write_varint(2 * len(dense or b"")) + (dense or b"")
    return write_varint(2 * len(sparse) + 1) + sparse


def read_vector(source: Bytes, n: int) -> NDArray[np.uint64]:
    """Return the `n` values that `write_vector` wrote; LBJError where they are none."""
    length = source.number()
    payload = bytes(source.take(length // 2))
    if not length % 2:
        return read_dense(payload, n)
    values = np.zeros(n, np.uint64)
    if not scatter(read_sparse(payload, n), 0, _LARGEST, values):
        raise LBJError("a value lies outside of its list")
    return values
