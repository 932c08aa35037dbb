"""A record of items, decoded as far as is asked for."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._bytes import Bytes
from daisy_bluesky.lbj._codecs import CODED, SPARSE, decode_events, decode_item
from daisy_bluesky.lbj._coded import CodedPlane
from daisy_bluesky.lbj._errors import LBJError
from daisy_bluesky.lbj._header import Header
from daisy_bluesky.lbj._plane import Events, Plane, by_pixel
from daisy_bluesky.lbj._selection import Selection
from daisy_bluesky.lbj._spectra_codecs import SPECTRA, check_room
from daisy_bluesky.lbj._spectrum import NO_MODEL, Model

_TILES_KEPT = 4


class TileCache:
    """The last tiles that were decoded whole although only some of their pixels were asked for."""

    def __init__(self) -> None:
        self._tiles: OrderedDict[tuple[int, int], Events] = OrderedDict()
        self._lock = Lock()

    def get(self, place: int, tile: int) -> Events | None:
        """Return a tile's events by pixel, None where they are not kept."""
        with self._lock:
            if (place, tile) in self._tiles:
                self._tiles.move_to_end((place, tile))
            return self._tiles.get((place, tile))

    def put(self, place: int, tile: int, events: Events) -> None:
        """Keep a tile's events, ascending by pixel."""
        with self._lock:
            self._tiles[place, tile] = events
            while len(self._tiles) > _TILES_KEPT:
                self._tiles.popitem(last=False)


class Stored:
    """One record of one or more items.

    Parameters
    ----------
    header : Header
        What the items are.
    codec : int
        How the payload is written.
    payload : bytes
        Behind the sequence numbers and the place of the model.
    seq_nums : list of int
        Of the items, ascending.
    model : (channels,) uint64 or None
        The spectral model that the record names.
    place : int
        Of the record.
    cache : TileCache
        Where tiles are kept.
    """

    def __init__(
        self, header: Header, codec: int, payload: bytes | memoryview, seq_nums: list[int], model: Model | None,
        place: int, cache: TileCache,
    ) -> None:  # fmt: skip
        self._header = header
        self.codec = codec
        self.seq_nums = seq_nums
        self.items = len(seq_nums)
        self.payload = payload
        self._place = place
        self._cache = cache
        self._pixels_per_item = header.voxels // header.channels
        self.plane = Plane(self.items * self._pixels_per_item, header.channels)
        self._tiles = CodedPlane(payload, self.plane, header.dtype, model) if codec == CODED else None
        self._spectra: NDArray[Any] | None = None

    def fill(self, ranks: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Fill `out`, (n, voxels) zeros of the file's type, with the items of `ranks`, (n,).

        Raises
        ------
        LBJError
            If the record is damaged.
        """
        if self._tiles is None and self.items > 1:
            out[:] = self._together()[ranks]
            return
        if self._tiles is None:
            decode_item(self.codec, bytes(self.payload), out[0])
            if len(out) > 1:
                out[1:] = out[0]
            return
        unique, inverse = np.unique(ranks, return_inverse=True)
        target = out if np.array_equal(unique, ranks) else np.zeros_like(out[: unique.size])
        for first, last in _runs(unique):
            per_item, start = self._pixels_per_item, int(unique[first])
            events = self.events(range(start * per_item, (start + last - first) * per_item), self.all_channels)
            flat = target[first:last].reshape(-1, self._header.channels)
            flat[events.pixels - np.uint32(start * per_item), events.channels] = events.counts.astype(out.dtype)
        if target is not out:
            out[:] = target[inverse]

    def check(self, rank: int) -> None:
        """Decode an item and let go of it; LBJError where the record is damaged."""
        if self._tiles is not None:
            pixels = self._pixels_per_item
            self.events(range(rank * pixels, (rank + 1) * pixels), self.all_channels)
        elif self.items > 1:
            self._together()
        elif self.codec == SPARSE:  # however large the item is said to be
            decode_events(SPARSE, bytes(self.payload), self._header.voxels, self._header.dtype)
        else:
            decode_item(self.codec, bytes(self.payload), self._header.room(1)[0])

    def _together(self) -> NDArray[Any]:
        """Return all items, (items, voxels), which were coded together."""
        if self._spectra is None:
            check_room(self.codec, self.items * self._header.voxels, self.payload)
            spectra = self._header.room(self.items)
            decode_item(self.codec, bytes(self.payload), spectra.reshape(-1))
            self._spectra = spectra
        return self._spectra

    def fill_parts(self, ranks: NDArray[np.int64], selection: Selection, out: NDArray[Any]) -> None:
        """Fill `out`, (n, voxels named) of zeros, with what a selection names of the items of `ranks`, (n,).

        Raises
        ------
        LBJError
            If the record is damaged.
        """
        per_item, pixels = self._pixels_per_item, selection.pixels
        whole = len(pixels) == per_item
        for first, last in _runs(ranks) if whole else [(i, i + 1) for i in range(ranks.size)]:
            begin = int(ranks[first]) * per_item
            stop = begin + (last - first) * per_item if whole else begin + pixels.stop
            events = self.events(range(begin if whole else begin + pixels.start, stop), selection.channels)
            selection.scatter(events, begin, out[first:last])

    @property
    def all_channels(self) -> range:
        """Every channel."""
        return range(self._header.channels)

    def events(self, pixels: range, channels: range) -> Events:
        """Return the events in ranges of pixels and channels, joined; as `parts` gives them."""
        parts = [events for events, _ in self.parts(pixels, channels)]
        return parts[0] if len(parts) == 1 else Events.joined(parts)

    def parts(self, pixels: range, channels: range) -> list[tuple[Events, range]]:
        """Return the events in ranges of pixels and channels, decoding no other tiles and bands.

        Negative counts are given as two's complement.

        Returns
        -------
        list of (Events, range)
            In ascending ranges of pixels; in each the channels of a pixel ascend.

        Raises
        ------
        LBJError
            If the record is damaged.
        """
        if self._tiles is None:
            return [(_within(self._listed(), pixels, channels), pixels)]
        starts = self._tiles.starts
        return [
            (
                self._tile(self._tiles, tile, pixels, channels),
                range(max(pixels.start, starts[tile]), min(pixels.stop, starts[tile + 1])),
            )
            for tile in self._tiles.touched(pixels)
        ]

    def _tile(self, tiles: CodedPlane, tile: int, pixels: range, channels: range) -> Events:
        start, stop = tiles.starts[tile], tiles.starts[tile + 1]
        kept = self._cache.get(self._place, tile)
        if kept is None:
            found = tiles.tile(tile, channels)
            if pixels.start <= start and stop <= pixels.stop:
                return found
            if len(channels) < self._header.channels:
                return _within(found, pixels, channels)
            kept = by_pixel(found, start, stop)
            self._cache.put(self._place, tile, kept)
        first, last = np.searchsorted(kept.pixels, [pixels.start, pixels.stop])
        part = kept[first:last]
        return part if len(channels) == self._header.channels else _within(part, pixels, channels)

    def _listed(self) -> Events:
        positions, counts = decode_events(self.codec, bytes(self.payload), self._header.voxels, self._header.dtype)
        if self.plane.pixels > np.iinfo(np.uint32).max:
            raise LBJError(f"{self.plane.pixels} pixels are more than can be listed; read the item as an array")
        pixels, channels = np.divmod(positions, self._header.channels)
        wide = counts.astype(np.int64).view(np.uint64) if counts.dtype.kind == "i" else counts.astype(np.uint64)
        return Events(pixels.astype(np.uint32), channels.astype(np.uint32), wide)


def opened(
    header: Header, codec: int, source: Bytes, seq_nums: list[int], models: Callable[[int], Model],
    place: int, cache: TileCache,
) -> Stored:  # fmt: skip
    """Return a record, given what follows its sequence numbers.

    Parameters
    ----------
    header, codec, seq_nums, place, cache
        As of `Stored`.
    source : Bytes
        The payload, from the place of the model on.
    models : callable
        Gives the spectral model of the record at a byte of the file.
    """
    if codec != CODED:
        if len(seq_nums) != 1 and codec not in SPECTRA:
            raise LBJError(f"codec {codec} is not known for blocks; install a newer daisy-bluesky")
        return Stored(header, codec, source.take(len(source)), seq_nums, None, place, cache)
    distance = source.number()
    if distance > place:
        raise LBJError(f"names a spectral model {distance} bytes before it, outside of the file")
    model = models(place - distance) if distance else None
    return Stored(header, codec, source.take(len(source)), seq_nums, model, place, cache)


def decode_alone(header: Header, codec: int, payload: bytes, out: NDArray[Any]) -> None:
    """Fill `out`, (voxels,) zeros of the file's type, with an item that needs no spectral model.

    Raises
    ------
    LBJError
        If the payload is damaged, or names a model.
    """
    stored = opened(header, codec, Bytes(payload), [0], lambda _: NO_MODEL, 0, TileCache())
    stored.fill(np.zeros(1, np.int64), out.reshape(1, -1))


def _within(events: Events, pixels: range, channels: range) -> Events:
    kept = (events.pixels >= pixels.start) & (events.pixels < pixels.stop)
    kept &= (events.channels >= channels.start) & (events.channels < channels.stop)
    return events[np.flatnonzero(kept)]


def _runs(ranks: NDArray[np.int64]) -> list[tuple[int, int]]:
    breaks = np.flatnonzero(np.diff(ranks) != 1) + 1
    return list(zip([0, *breaks.tolist()], [*breaks.tolist(), ranks.size], strict=True))
