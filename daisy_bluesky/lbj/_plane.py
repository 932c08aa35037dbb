"""What codecs of counts work on: events in a plane of pixels and channels."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled


class Plane(NamedTuple):
    """Extent of what is coded together.

    Attributes
    ----------
    pixels : int
        Spectra: of one item its pixels, of several items the pixels of each in turn.
    channels : int
        Channels of each.
    """

    pixels: int
    channels: int


@dataclass(frozen=True)
class Events:
    """Counts that are not zero.

    Attributes
    ----------
    pixels, channels : (n,) uint32
        Where they are.
    counts : (n,) uint64
        How large.
    """

    pixels: NDArray[np.uint32]
    channels: NDArray[np.uint32]
    counts: NDArray[np.uint64]

    @classmethod
    def empty(cls, size: int) -> Self:
        """Return room for `size` events."""
        return cls(np.empty(size, np.uint32), np.empty(size, np.uint32), np.empty(size, np.uint64))

    @classmethod
    def joined(cls, parts: Sequence["Events"]) -> Self:
        """Return the events of several parts one behind the other."""
        if not parts:
            return cls.empty(0)
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    @property
    def size(self) -> int:
        """Number of events."""
        return self.pixels.size

    def __getitem__(self, part: Any) -> Self:
        """Return some of the events."""
        return type(self)(self.pixels[part], self.channels[part], self.counts[part])


@compiled
def ranked(pixels: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return for ascending pixels, (n,), the rank of each among those that occur, (n,), and those that occur, (m,)."""
    ranks, occupied = np.empty(pixels.size, np.uint32), np.empty(pixels.size, np.uint32)
    found = 0
    for i in range(pixels.size):
        if i == 0 or pixels[i] != pixels[i - 1]:
            occupied[found] = pixels[i]
            found += 1
        ranks[i] = found - 1
    return ranks, occupied[:found].copy()


def by_pixel(events: Events, first: int, stop: int) -> Events:
    """Return the events of the pixels from `first` to `stop` - 1 ascending by pixel; else their order is kept."""
    if np.all(events.pixels[1:] >= events.pixels[:-1]):
        return events
    if stop - first > 4 * events.size:
        return events[np.argsort(events.pixels, kind="stable")]
    order = np.empty(events.size, np.int64)
    _order(events.pixels, np.uint32(first), np.zeros(stop - first + 1, np.int64), order)
    return events[order]


@compiled
def _order(pixels: NDArray[np.uint32], first: np.uint32, ends: NDArray[np.int64], order: NDArray[np.int64]) -> None:
    for pixel in pixels:
        ends[pixel - first + np.uint32(1)] += 1
    for pixel in range(1, ends.size):
        ends[pixel] += ends[pixel - 1]
    for i in range(pixels.size):
        place = ends[pixels[i] - first]
        order[place] = i
        ends[pixels[i] - first] = place + 1
