"""Payloads of counts in tiles: what a frame, or a block of many spectra, becomes when it is sealed."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._plane import Events, Plane
from daisy_bluesky.lbj._scan_counts import scan
from daisy_bluesky.lbj._spectrum import Model
from daisy_bluesky.lbj._streams import write_varint
from daisy_bluesky.lbj._subset import MOST_PLACES
from daisy_bluesky.lbj._tile import EVENTS_BY_MODEL, read_tile, write_tile

EVENTS_PER_TILE = 2**17
_BYTES_PER_TILE = 3  # a tile and its line in the directory take no fewer


class Coded(NamedTuple):
    """Counts as tiles, before it is known where in the file they go.

    Attributes
    ----------
    tiles : bytes
        Directory and tiles.
    spectrum : (channels,) uint64
        Non-zeros of each channel.
    needs_model : bool
        Whether a tile is coded by the spectral model.
    """

    tiles: bytes
    spectrum: NDArray[np.uint64]
    needs_model: bool


def encode_dense(values: NDArray[Any], model: Model) -> Coded | None:
    """Return counts as tiles, None where one is negative or there are too many pixels.

    Parameters
    ----------
    values : (pixels, channels) integer or bool
        Contiguous.
    model : (channels,) or (0,) uint64
        Expected non-zeros per channel in some unit; (0,) where there is none.
    """
    if values.shape[0] > MOST_PLACES:
        return None
    return _encoded(_scanned(values), values.shape[1], model, largest_count(values.dtype))


def encode_events(events: Events, plane: Plane, model: Model) -> Coded | None:
    """Return events, ascending by pixel, then channel, as tiles; None where there are too many pixels."""
    if plane.pixels > MOST_PLACES:
        return None
    return _encoded(_split(events, plane.pixels), plane.channels, model, 2**64 - 1)


def _encoded(tiles: Iterator[tuple[Events, int]], channels: int, model: Model, largest: int) -> Coded | None:
    directory, bodies = [], []
    spectrum = np.zeros(channels, np.uint64)
    for events, pixels in tiles:
        if events.size and int(events.counts.max()) > largest:
            return None
        bodies.append(write_tile(events, Plane(pixels, channels), model))
        directory.append(write_varint(pixels) + write_varint(len(bodies[-1])))
        spectrum += np.bincount(events.channels, minlength=channels).astype(np.uint64)
    needs_model = any(body[0] == EVENTS_BY_MODEL for body in bodies)
    return Coded(b"".join([write_varint(len(bodies)), *directory, *bodies]), spectrum, needs_model)


def _scanned(values: NDArray[Any]) -> Iterator[tuple[Events, int]]:
    patterns = values.view(f"u{values.itemsize}")
    room = min(EVENTS_PER_TILE + values.shape[1], values.size)
    buffers = Events.empty(room)
    first = 0
    while first < values.shape[0]:
        found, stop = scan(patterns, first, EVENTS_PER_TILE, buffers.pixels, buffers.channels, buffers.counts)
        yield buffers[:found], stop - first
        first = stop


def _split(events: Events, pixels: int) -> Iterator[tuple[Events, int]]:
    first, begin = 0, 0
    while events.size - begin > EVENTS_PER_TILE:
        stop = int(events.pixels[begin + EVENTS_PER_TILE]) + 1
        end = int(np.searchsorted(events.pixels, stop))
        yield _from(events[begin:end], first), stop - first
        first, begin = stop, end
    if first < pixels:
        yield _from(events[begin:], first), pixels - first


def _from(events: Events, first: int) -> Events:
    return Events(events.pixels - np.uint32(first), events.channels, events.counts)


def largest_count(dtype: np.dtype[Any]) -> int:
    """Return the largest count that a type holds."""
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)


class CodedPlane:
    """Tiles to read from, as many as are asked for.

    Parameters
    ----------
    tiles : bytes or memoryview
        Directory and tiles.
    plane : Plane
        What they cover.
    dtype : numpy.dtype
        Type of the counts; larger ones are damage.
    model : (channels,) uint64 or None
        The spectral model that the payload names.

    Attributes
    ----------
    starts : list of int
        First pixel of each tile, and behind the last, (tiles + 1,).

    Raises
    ------
    LBJError
        If the directory is damaged.
    """

    def __init__(self, tiles: bytes | memoryview, plane: Plane, dtype: np.dtype[Any], model: Model | None) -> None:
        self.plane = plane
        self._largest = np.uint64(largest_count(dtype) if dtype.kind != "f" else 0)
        self._model = model
        source = Bytes(tiles)
        n = source.number()
        if _BYTES_PER_TILE * n > len(source):
            raise LBJError(f"{n} tiles claimed in {len(source)} bytes")
        lines = [(source.number(), source.number()) for _ in range(n)]
        self.starts = [0, *accumulate(pixels for pixels, _ in lines)]
        if plane.pixels > MOST_PLACES or self.starts[-1] != plane.pixels or any(pixels == 0 for pixels, _ in lines):
            raise LBJError(f"tiles of {self.starts[-1]} pixels where {plane.pixels} are due")
        self._tiles = [source.take(length) for _, length in lines]
        if len(source):
            raise LBJError(f"{len(source)} bytes behind the last tile")

    def touched(self, pixels: range) -> range:
        """Return the tiles in which a range of pixels lies."""
        if len(pixels) == 0:
            return range(0)
        return range(bisect_right(self.starts, pixels.start) - 1, bisect_left(self.starts, pixels.stop))

    def tile(self, number: int, channels: range) -> Events:
        """Return the events of one tile in a range of channels; pixels count from the start of the plane.

        Raises
        ------
        LBJError
            If the tile is damaged.
        """
        first = self.starts[number]
        plane = Plane(self.starts[number + 1] - first, self.plane.channels)
        events = read_tile(self._tiles[number], plane, self._model, channels)
        if _any_above(events.counts, self._largest):
            raise LBJError(f"a count is larger than {self._largest}")
        return Events(events.pixels + np.uint32(first), events.channels, events.counts) if first else events


@compiled
def _any_above(counts: NDArray[np.uint64], largest: np.uint64) -> bool:
    most = np.uint64(0)
    for count in counts:
        most = max(most, count)
    return bool(most > largest)
