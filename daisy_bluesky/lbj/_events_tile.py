"""A tile as events: how many each channel has, then which pixels these are."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bands import band_bounds, pop_bands, pop_places, push_bands, push_places, words_of
from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._levels import LEVELS, level_sizes
from daisy_bluesky.lbj._plane import Events, Plane, ranked
from daisy_bluesky.lbj._scan_counts import by_channel
from daisy_bluesky.lbj._spectrum import Model, take_sizes, write_sizes
from daisy_bluesky.lbj._streams import write_varint
from daisy_bluesky.lbj._subset import MOST_PLACES
from daisy_bluesky.lbj._vectors import take_number, take_vector, write_vector

MOST_CHANNELS = 2**16
EVENTS_PER_BYTE = 64

_TOO_MANY, _OCCUPANCY, _SIZES, _LENGTHS = 1, 2, 3, 4
_WRONG = {
    _TOO_MANY: "more non-zeros claimed than its bytes can hold",
    _OCCUPANCY: "occupied pixels do not decode",
    _SIZES: "the non-zeros of its channels do not decode, or do not add up",
    _LENGTHS: "the lengths of its bands do not decode, or do not add up",
}


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
    if plane.channels > MOST_CHANNELS or plane.pixels > MOST_PLACES:
        raise LBJError(f"a tile of events of {plane.pixels} pixels of {plane.channels} channels")
    if len(channels) == 0:
        return Events.empty(0)
    data = source.rest()
    wrong, place, occupied, sizes, bounds, lengths = _open(data, plane.pixels, plane.channels, model)
    if wrong:
        raise LBJError(_WRONG[wrong])
    window = channels.start, channels.stop
    first, last = _touched(bounds, *window)
    places = occupied.size or plane.pixels
    band, pixels, at, counts = pop_bands(data[place:], lengths, bounds, first, last, sizes, places, *window)
    if band >= 0:
        raise LBJError(f"channels {bounds[band]} to {bounds[band + 1] - 1} do not decode")
    return Events(occupied[pixels] if occupied.size else pixels, at, counts)


@compiled
def _open(
    data: NDArray[np.uint8], pixels: int, channels: int, model: NDArray[np.uint64]
) -> tuple[
    int, int, NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]
]:  # fmt: skip
    """Return what is wrong, where the bands begin, occupied pixels, sizes, bounds of the bands and their lengths."""
    total, place = take_number(data, 0)
    occupied, place = take_number(data, place)
    taken, sizes = np.empty(0, np.uint32), np.empty((1, channels), np.uint32)
    bounds, lengths = np.zeros(1, np.int64), np.zeros(0, np.int64)
    if place < 0 or total > EVENTS_PER_BYTE * data.size:
        return _TOO_MANY, place, taken, sizes, bounds, lengths
    if occupied:
        taken, place = _take_occupancy(data, place, occupied, pixels)
        if place < 0:
            return _OCCUPANCY, place, taken, sizes, bounds, lengths
    sizes, place = take_sizes(data, place, occupied if occupied else pixels, total, channels, model)
    if place < 0:
        return _SIZES, place, taken, sizes, bounds, lengths
    bounds = band_bounds(sizes[0])
    written, place = take_vector(data, place, bounds.size - 1)
    lengths, left = np.zeros(bounds.size - 1, np.int64), np.uint64(max(data.size - place, 0))
    for band in range(lengths.size if place >= 0 else 0):
        if written[band] > left >> np.uint64(2):
            return _LENGTHS, place, taken, sizes, bounds, lengths
        lengths[band] = np.int64(written[band])
        left -= written[band] << np.uint64(2)
    return _LENGTHS if place < 0 or left else 0, place, taken, sizes, bounds, lengths


@compiled
def _take_occupancy(data: NDArray[np.uint8], place: int, occupied: int, pixels: int) -> tuple[NDArray[np.uint32], int]:
    """Return the occupied pixels and where they end, -1 where they are none."""
    length, place = take_number(data, place)
    left = data.size - place
    if place < 0 or length > left >> 2 or occupied > min(pixels, EVENTS_PER_BYTE * left):
        return np.empty(0, np.uint32), -1
    taken = np.empty(occupied, np.uint32)
    whole = pop_places(words_of(data, place, length), pixels, taken)
    return taken, place + 4 * length if whole else -1


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


@compiled
def _touched(bounds: NDArray[np.int64], start: int, stop: int) -> tuple[int, int]:
    """Return the bands from `first` to `last` - 1 that hold the channels from `start` to `stop` - 1."""
    first, last = 0, 0
    while bounds[first + 1] <= start:
        first += 1
    while bounds[last] < stop:
        last += 1
    return first, last
