"""A tile as gaps and counts in turn: what wins where there are few of them."""

import numpy as np

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._folding import unpair
from daisy_bluesky.lbj._plane import Events, Plane
from daisy_bluesky.lbj._rice import LONGEST_CODE
from daisy_bluesky.lbj._streams import read_sparse, write_sparse

_ONE = np.uint64(1)


def pairs_of_events(events: Events, plane: Plane) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Return gap and count - 1 of each event in turn, (2 n,) uint64."""
    positions = events.pixels.astype(np.uint64) * np.uint64(plane.channels) + events.channels
    pairs = np.empty(2 * events.size, np.uint64)
    pairs[0::2] = np.diff(positions + _ONE, prepend=np.uint64(0)) - _ONE
    pairs[1::2] = events.counts - _ONE
    return pairs


def events_of_pairs(pairs: np.ndarray[tuple[int], np.dtype[np.uint64]], plane: Plane) -> Events:
    """Return the events, ascending by pixel, then channel; LBJError where one lies outside of the plane."""
    positions, counts = np.empty(pairs.size // 2, np.int64), np.empty(pairs.size // 2, np.uint64)
    if not unpair(pairs, plane.pixels * plane.channels, positions, counts):
        raise LBJError("a count lies outside of its tile")
    pixels, channels = np.divmod(positions, plane.channels)
    return Events(pixels.astype(np.uint32), channels.astype(np.uint32), counts)


def write_pairs(events: Events, plane: Plane) -> bytes:
    """Return a tile of gaps and counts."""
    room = LONGEST_CODE * (2 * events.size + 2)
    return write_sparse(pairs_of_events(events, plane), plane.pixels * plane.channels, room) or b""


def read_pairs(source: Bytes, plane: Plane) -> Events:
    """Return the events of a tile of gaps and counts; LBJError where it is none."""
    return events_of_pairs(read_sparse(bytes(source.take(len(source))), plane.pixels * plane.channels), plane)
