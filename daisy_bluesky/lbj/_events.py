"""Event lists: counts by row, column and channel, instead of the dense item they stand for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._folding import fold
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._plane import Events, order_by_pixel


def _plane(header: Header) -> tuple[int, int]:
    """Rows and columns of an item; axes before its last count together as rows."""
    columns = header.shape[-1] if header.shape else 1
    return header.voxels // max(columns * header.channels, 1), columns


def pairs_of(events: NDArray[np.void], header: Header) -> NDArray[np.uint64]:
    """Return gap and magnitude - 1 of each non-zero that a list of events adds up to, (2 n,) uint64.

    Parameters
    ----------
    events : (n,) structured
        Fields ``channel``; ``row`` and ``column`` unless the item is one spectrum; ``count``, 1 where there is none.
    header : Header
        What an item of the file is.

    Raises
    ------
    ValueError
        If a field is missing, an event lies outside of the item, or a count does not fit the file's type.
    """
    if header.dtype.kind not in "iu":
        raise ValueError(
            f"events are counts; the file stores {header.dtype}: append arrays, or open it with an integer dtype"
        )
    rows, columns = _plane(header)
    names = events.dtype.names or ()
    row = _field(events, "row", rows, optional=not header.shape)
    column = _field(events, "column", columns, optional=not header.shape)
    channel = _field(events, "channel", header.channels, optional=False)
    places = (row * columns + column) * header.channels + channel
    counts = _counts(events) if "count" in names else np.ones(places.size, np.uint64)
    return _pairs(*_summed(places, counts, header.dtype))


def events_of(parts: Sequence[tuple[Events, range]], first: int, header: Header) -> NDArray[np.void]:
    """Return the events of one item.

    Parameters
    ----------
    parts : sequence of (Events, range)
        Events in ascending ranges of pixels; in each the channels of a pixel ascend.
    first : int
        First pixel of the item.
    header : Header
        What an item of the file is.

    Returns
    -------
    (n,) structured
        Fields ``row``, ``column``, ``channel`` (int32) and ``count`` (the file's type), sorted.
    """
    _, columns = _plane(header)
    listed = np.empty(sum(events.size for events, _ in parts), header.event_dtype)
    end = 0
    for events, pixels in parts:
        begin, end = end, end + events.size
        into = listed[begin:end]
        views = into["row"], into["column"], into["channel"], into["count"]
        _list(events.pixels, events.channels, events.counts, pixels.start, pixels.stop, first, columns, *views)
    return listed


@compiled
def _list(
    pixels: NDArray[np.uint32],
    channels: NDArray[np.uint32],
    counts: NDArray[np.uint64],
    start: int,
    stop: int,
    first: int,
    columns: int,
    row: NDArray[np.int32],
    column: NDArray[np.int32],
    channel: NDArray[np.int32],
    count: NDArray[np.integer],
) -> None:
    """Fill the fields of a list with events of the pixels from `start` to `stop` - 1, sorted by pixel."""
    few = stop - start > 4 * pixels.size
    order = order_by_pixel(pixels, start, stop) if few else np.empty(0, np.uint32)
    ends = np.zeros(0 if few else stop - start + 1, np.uint32)
    for i in range(0 if few else pixels.size):
        ends[np.int64(pixels[i]) - start + 1] += np.uint32(1)
    for pixel in range(1, ends.size):
        ends[pixel] += ends[pixel - 1]
    for n in range(pixels.size):
        event, place = np.int64(n), np.int64(n)
        if few:
            event = np.int64(order[n])
        else:
            place = np.int64(ends[np.int64(pixels[n]) - start])
            ends[np.int64(pixels[n]) - start] += np.uint32(1)
        at = np.uint32(np.int64(pixels[event]) - first)
        row[place] = at // np.uint32(columns)
        column[place] = at % np.uint32(columns)
        channel[place] = channels[event]
        count[place] = counts[event]


def _field(events: NDArray[np.void], name: str, length: int, *, optional: bool) -> NDArray[np.int64]:
    if name not in (events.dtype.names or ()):
        if optional:
            return np.zeros(events.size, np.int64)
        raise ValueError(f"events have no field {name!r}; row, column, channel and optionally count are needed")
    values = events[name]
    if values.dtype.kind not in "iu":
        raise ValueError(f"event field {name!r} must be whole numbers, not {values.dtype}")
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < length:
        raise ValueError(
            f"event field {name!r} reaches from {values.min()} to {values.max()}, outside 0 to {length - 1}"
        )
    return values.reshape(-1).astype(np.int64)


def _counts(events: NDArray[np.void]) -> NDArray[Any]:
    counts = events["count"].reshape(-1)
    if counts.dtype.kind not in "iu":
        raise ValueError(f"event field 'count' must be whole numbers, not {counts.dtype}")
    return counts.astype(np.int64 if counts.dtype.kind == "i" else np.uint64)


def _summed(
    places: NDArray[np.int64], counts: NDArray[Any], dtype: np.dtype[Any]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    if np.any(places[1:] <= places[:-1]):
        order = np.argsort(places, kind="stable")
        places, counts = places[order], counts[order]
        first = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        exact = np.add.reduceat(counts, first)
        rough = np.add.reduceat(counts.astype(np.float64), first)
        repeated = np.diff(first, append=places.size) > 1
        if np.any(np.abs(rough[repeated]) > 2.0**62):
            raise ValueError("counts of events at one place add up to more than 2**62")
        places, counts = places[first], exact
    limits = np.iinfo(dtype)
    if counts.size and not limits.min <= int(counts.min()) <= int(counts.max()) <= limits.max:
        remedy = "signed" if dtype.kind == "u" and counts.min() < 0 else "wider"
        raise ValueError(
            f"event counts reach from {counts.min()} to {counts.max()}, more than {dtype} holds; open the file with a "
            f"{remedy} dtype"
        )
    kept = np.flatnonzero(counts)
    return places[kept], counts[kept].astype(dtype)


def _pairs(places: NDArray[np.int64], counts: NDArray[Any]) -> NDArray[np.uint64]:
    pairs = np.empty(2 * places.size, np.uint64)
    pairs[0::2] = np.diff(places, prepend=-1) - 1
    bits = 8 * counts.itemsize if counts.dtype.kind == "i" else 0
    pairs[1::2] = fold(counts.view(f"u{counts.itemsize}"), bits) - np.uint64(1)
    return pairs
