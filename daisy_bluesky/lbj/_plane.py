"""What codecs of counts work on: events in a plane of pixels and channels."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

_DIGIT_BITS = np.uint32(8)
_DIGITS = 2**8
_LAST_DIGIT = np.uint32(_DIGITS - 1)


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
    return events[order_by_pixel(events.pixels, first, stop)]


@compiled
def order_by_pixel(pixels: NDArray[np.uint32], first: int, stop: int) -> NDArray[np.uint32]:
    """Return the order, (n,), in which pixels from `first` to `stop` - 1 ascend; equal ones keep theirs."""
    order, before = np.arange(pixels.size).astype(np.uint32), np.empty(pixels.size, np.uint32)
    ends = np.empty(_DIGITS + 1, np.int64)
    shift = np.uint32(0)
    while (stop - first - 1) >> np.int64(shift) > 0:
        order, before = before, order
        ends[:] = 0
        for pixel in pixels:
            ends[_digit(pixel, first, shift) + 1] += 1
        for digit in range(_DIGITS):
            ends[digit + 1] += ends[digit]
        for i in before:
            place = _digit(pixels[i], first, shift)
            order[ends[place]] = i
            ends[place] += 1
        shift += _DIGIT_BITS
    return order


@compiled
def _digit(pixel: np.uint32, first: int, shift: np.uint32) -> np.int64:
    return np.int64(((pixel - np.uint32(first)) >> shift) & _LAST_DIGIT)
