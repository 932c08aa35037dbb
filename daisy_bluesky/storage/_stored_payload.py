"""The arrays of a stream in tiled, event by event."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.storage._payload import Payload

_BLOCK_BYTES = 16 * 2**20


def stored_values(node: Any, payload: Payload | None) -> Iterator[Any]:
    """Yield the value of each event in the form in which its device gave it.

    Parameters
    ----------
    node : ArrayClient
        (events, ...) in tiled. It is read in blocks of a few MB.
    payload : Payload or None
        What the values were before they left their events; None to give arrays as they are.

    Yields
    ------
    array
        Dense, or, where the payload is an event list, structured and sorted by row, column and channel.
    """
    list_dtype = payload.list_dtype if payload is not None else None
    events = max(1, _BLOCK_BYTES // _item_bytes(node))
    for start in range(0, node.shape[0], events):
        if _item_bytes(node) > _BLOCK_BYTES:
            yield _large_value(node, start, list_dtype)
        elif list_dtype is not None:
            yield from (_listed(frame, 0, list_dtype) for frame in node[start : start + events])
        else:
            yield from node[start : start + events]


def _large_value(node: Any, event: int, list_dtype: np.dtype[Any] | None) -> NDArray[Any]:
    rows = max(1, _BLOCK_BYTES * node.shape[1] // _item_bytes(node))
    slabs = ((row, node[event, row : row + rows]) for row in range(0, node.shape[1], rows))
    if list_dtype is None:
        return np.concatenate([slab for _, slab in slabs])
    return np.concatenate([_listed(slab, row, list_dtype) for row, slab in slabs])


def _listed(frame: NDArray[Any], first_row: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    row, column, channel = np.nonzero(frame)
    count = frame[row, column, channel]
    names = dtype.names or ()
    times = np.ones_like(count) if "count" in names else count
    fields = {"row": row + first_row, "column": column, "channel": channel, "count": count}
    listed = np.empty(int(times.sum()), dtype)
    for name in names:
        listed[name] = np.repeat(fields[name], times)
    return listed


def _item_bytes(node: Any) -> int:
    return int(node.dtype.itemsize * math.prod(node.shape[1:]))
