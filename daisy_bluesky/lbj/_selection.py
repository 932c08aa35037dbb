"""Parts of items: which pixels and channels a slice names, and where their counts go."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._plane import Events

Index = Sequence[int | slice]


@dataclass(frozen=True)
class Selection:
    """What integers and slices name of an item.

    Attributes
    ----------
    axes : tuple of range
        Along each axis of the item, the channels last.
    shape : tuple of int
        Of the item before its channel axis.
    kept : tuple of int
        Lengths of the axes that were not named by an integer.
    """

    axes: tuple[range, ...]
    shape: tuple[int, ...]
    kept: tuple[int, ...]

    @classmethod
    def of(cls, index: Index, item_shape: tuple[int, ...]) -> "Selection":
        """Return the selection of an index that names every axis; IndexError where an integer lies outside."""
        axes = tuple(_range(axis, length) for axis, length in zip(index, item_shape, strict=True))
        kept = tuple(len(r) for r, axis in zip(axes, index, strict=True) if isinstance(axis, slice))
        return cls(axes, item_shape[:-1], kept)

    @property
    def size(self) -> int:
        """Voxels that are named."""
        return math.prod(len(axis) for axis in self.axes)

    @property
    def pixels(self) -> range:
        """From the first to the last pixel that is named, in the flattened item."""
        if self.size == 0:
            return range(0)
        first = last = 0
        for axis, length in zip(self.axes[:-1], self.shape, strict=True):
            first, last = first * length + min(axis), last * length + max(axis)
        return range(first, last + 1)

    @property
    def channels(self) -> range:
        """From the first to the last channel that is named."""
        axis = self.axes[-1]
        return range(min(axis), max(axis) + 1) if len(axis) else range(0)

    def scatter(self, events: Events, first: int, out: NDArray[Any]) -> None:
        """Write the counts of neighbouring items, from pixel `first` on, to `out`, (items, voxels named) of zeros."""
        pixels, place = events.pixels.astype(np.int64) - first, np.zeros(events.size, np.int64)
        named = np.ones(events.size, bool)
        coordinates = [events.channels.astype(np.int64)]
        for length in self.shape[::-1]:
            pixels, coordinate = np.divmod(pixels, length)
            coordinates.append(coordinate)
        for axis, coordinate in zip(self.axes, coordinates[::-1], strict=True):
            along, remainder = np.divmod(coordinate - axis.start, axis.step)
            named &= (remainder == 0) & (along >= 0) & (along < len(axis))
            place = place * len(axis) + along
        out[pixels[named], place[named]] = events.counts[named].astype(out.dtype)


def _range(axis: int | slice, length: int) -> range:
    if isinstance(axis, slice):
        return range(*axis.indices(length))
    if not -length <= axis < length:
        raise IndexError(f"index {axis} along an axis of {length}")
    return range(axis % length, axis % length + 1)
