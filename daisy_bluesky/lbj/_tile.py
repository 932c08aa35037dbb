"""One tile: neighbouring pixels coded together, in the way that takes the fewest bytes."""

import numpy as np

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._dense_tile import read_counts, write_counts
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._events_tile import read_events, write_events
from daisy_bluesky.lbj._pairs_tile import read_pairs, write_pairs
from daisy_bluesky.lbj._plane import Events, Plane
from daisy_bluesky.lbj._spectrum import NO_MODEL, Model
from daisy_bluesky.lbj._varint_tile import read_numbers, write_numbers

EMPTY = 0
EVENTS = 1
EVENTS_BY_MODEL = 2
NUMBERS = 3
COUNTS = 4
PAIRS = 5

_FEW = 4096  # events: below, pairs are tried
_LARGE = np.uint64(16)


def write_tile(events: Events, plane: Plane, model: Model) -> bytes:
    """Return a tile.

    Parameters
    ----------
    events : Events
        Ascending by pixel, then channel.
    plane : Plane
        What they lie in.
    model : (channels,) uint64
        Expected non-zeros per channel in some unit; (0,) where there is none.
    """
    if events.size == 0:
        return bytes([EMPTY])
    best = _as_events(events, plane, model)
    dense = write_counts(events, plane)
    if dense is not None and (not best or len(dense) + 1 < len(best)):
        best = bytes([COUNTS]) + dense
    numbers = write_numbers(events, plane, len(best))
    if numbers is not None and (not best or len(numbers) + 1 < len(best)):
        best = bytes([NUMBERS]) + numbers
    if not best or events.size < _FEW:
        pairs = write_pairs(events, plane)
        best = best if best and len(best) <= len(pairs) + 1 else bytes([PAIRS]) + pairs
    return best


def _as_events(events: Events, plane: Plane, model: Model) -> bytes:
    crowded = 2 * events.size > plane.pixels * plane.channels
    if crowded and np.count_nonzero(events.counts > _LARGE) > events.size // 2:
        return b""
    coded = write_events(events, plane, (NO_MODEL, model) if model.size else (NO_MODEL,))
    return b"" if coded is None else bytes([(EVENTS, EVENTS_BY_MODEL)[coded[1]]]) + coded[0]


def read_tile(data: memoryview, plane: Plane, model: Model | None, channels: range) -> Events:
    """Return the events of a range of channels, in no order that can be relied on.

    Raises
    ------
    LBJError
        If the tile is damaged, or needs a model and there is none.
    """
    source = Bytes(data)
    mode = source.take(1)[0]
    if mode == EMPTY and len(source) == 0:
        return Events.empty(0)
    if mode in (EVENTS, EVENTS_BY_MODEL):
        if mode == EVENTS_BY_MODEL and model is None:
            raise LBJError("a tile needs a spectral model, and none is named")
        return read_events(
            source, plane, model if mode == EVENTS_BY_MODEL and model is not None else NO_MODEL, channels
        )
    if mode == NUMBERS:
        events = read_numbers(source, plane)
    elif mode == COUNTS:
        events = read_counts(source, plane)
    elif mode == PAIRS:
        events = read_pairs(source, plane)
    else:
        raise LBJError(f"tile mode {mode} is not known; install a newer daisy-bluesky")
    kept = (events.channels >= channels.start) & (events.channels < channels.stop)
    return events if len(channels) == plane.channels else events[np.flatnonzero(kept)]
