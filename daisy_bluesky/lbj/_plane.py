"""What codecs of counts work on: events in a plane of pixels and channels."""

from dataclasses import dataclass
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
