"""A tile as events: how many each channel has, then which pixels these are."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._bands import band_bounds, pop_bands, pop_places, push_bands, push_places
from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._levels import LEVELS, level_sizes
from daisy_bluesky.lbj._plane import Events, Plane, ranked
from daisy_bluesky.lbj._scan_counts import by_channel
from daisy_bluesky.lbj._spectrum import Model, read_sizes, write_sizes
from daisy_bluesky.lbj._streams import write_varint
from daisy_bluesky.lbj._subset import MOST_PLACES
from daisy_bluesky.lbj._vectors import read_vector, write_vector

MOST_CHANNELS = 2**16
EVENTS_PER_BYTE = 64


def write_events(events: Events, plane: Plane, models: tuple[Model, ...]) -> tuple[bytes, int] | None:
    """Return a tile of events and which of the models it takes, None where it cannot be written so.

    Parameters
    ----------
    events : Events
        Ascending by pixel, then channel.
    plane : Plane
        What they lie in.
    models : tuple of (channels,) or (0,) uint64
        Expected non-zeros per channel; the one that saves most is taken.
    """
    if plane.channels > MOST_CHANNELS or plane.pixels > MOST_PLACES or events.size == 0:
        return None
    ranks, occupied = ranked(events.pixels)
    if not _occupancy_pays(occupied.size, plane.pixels, events.size):
        ranks, occupied = events.pixels, np.zeros(0, np.uint32)
    places = occupied.size or plane.pixels
    starts = np.zeros(plane.channels + 1, np.int64)
    sorted_ranks, counts = np.empty(events.size, np.uint32), np.empty(events.size, np.uint64)
    by_channel(ranks, events.channels, events.counts, starts, sorted_ranks, counts)
    sizes = np.zeros((LEVELS, plane.channels), np.uint32)
    sizes = sizes[: level_sizes(counts, starts, sizes)]
    bounds = band_bounds(sizes[0])
    lengths = np.empty(bounds.size - 1, np.int64)
    members = int(sizes.sum(dtype=np.int64))
    words = push_bands(sorted_ranks, counts, starts, bounds, places, members, lengths)
    written = [write_sizes(sizes, places, model) for model in models]
    chosen = min(range(len(models)), key=lambda i: len(written[i]))
    head = write_varint(events.size) + write_varint(occupied.size)
    parts = [head, _occupancy(occupied, plane.pixels), written[chosen], write_vector(lengths.astype(np.uint64))]
    payload = b"".join([*parts, words.astype("<u4", copy=False).tobytes()])
    return None if events.size > EVENTS_PER_BYTE * len(payload) else (payload, chosen)


def read_events(source: Bytes, plane: Plane, model: Model, channels: range) -> Events:
    """Return the events of a range of channels, channel by channel, ascending by pixel within each.

    Raises
    ------
    LBJError
        If the payload is not a tile of such a plane.
    """
    left = len(source)
    total, occupied = source.number(), source.number()
    if total > EVENTS_PER_BYTE * left or plane.channels > MOST_CHANNELS or plane.pixels > MOST_PLACES:
        raise LBJError(f"{total} non-zeros of {plane.pixels} pixels claimed in {left} bytes")
    pixels = _read_occupancy(source, occupied, plane.pixels) if occupied else None
    places = occupied or plane.pixels
    sizes = read_sizes(source, plane.channels, places, total, model)
    bounds = band_bounds(sizes[0])
    lengths = _lengths(source, bounds.size - 1)
    words = np.frombuffer(bytes(source.take(len(source))), "<u4")
    first, last = _touched(bounds, channels)
    found = Events.empty(int(sizes[0, bounds[first] : bounds[last]].sum(dtype=np.int64)))
    band = pop_bands(words, lengths, bounds, first, last, sizes, places, found.pixels, found.channels, found.counts)
    if band >= 0:
        raise LBJError(f"channels {bounds[band]} to {bounds[band + 1] - 1} do not decode")
    if pixels is not None:
        found.pixels[:] = pixels[found.pixels]
    return _cut(found, channels) if len(channels) < plane.channels else found


def _occupancy_pays(occupied: int, pixels: int, events: int) -> bool:
    """Return whether coding which pixels are empty costs less than it saves; only the writer asks."""
    share = occupied / pixels
    if share == 1:
        return False
    cost = -pixels * (share * np.log2(share) + (1 - share) * np.log2(1 - share)) + 96
    return bool(-events * np.log2(share) > cost)


def _occupancy(occupied: NDArray[np.uint32], pixels: int) -> bytes:
    if occupied.size == 0:
        return b""
    words = push_places(occupied, pixels)
    return write_varint(words.size) + words.astype("<u4", copy=False).tobytes()


def _read_occupancy(source: Bytes, occupied: int, pixels: int) -> NDArray[np.uint32]:
    length = source.number()
    if occupied > min(pixels, EVENTS_PER_BYTE * len(source)):
        raise LBJError(f"{occupied} occupied pixels claimed of {pixels}")
    words = np.frombuffer(bytes(source.take(4 * length)), "<u4")
    taken = np.empty(occupied, np.uint32)
    if not pop_places(words, pixels, taken):
        raise LBJError("occupied pixels do not decode")
    return taken


def _lengths(source: Bytes, bands: int) -> NDArray[np.int64]:
    lengths = read_vector(source, bands)
    if np.any(lengths > len(source)) or 4 * int(lengths.sum()) != len(source):
        raise LBJError(f"streams of {lengths.tolist()} words where {len(source)} bytes are left")
    return lengths.astype(np.int64)


def _touched(bounds: NDArray[np.int64], channels: range) -> tuple[int, int]:
    if len(channels) == 0:
        return 0, 0
    first = int(np.searchsorted(bounds, channels.start, "right")) - 1
    return first, int(np.searchsorted(bounds, channels.stop, "left"))


def _cut(events: Events, channels: range) -> Events:
    first, last = np.searchsorted(events.channels, [channels.start, channels.stop])
    return events[first:last]
