"""Finding the non-zeros of a dense array at the speed of memory."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.lbj._bits import trailing_zeros

GROUP = 64  # voxels looked at together

_ONE = np.uint64(1)


@compiled
def scan(
    values: NDArray[np.unsignedinteger],
    first: int,
    wanted: int,
    pixels: NDArray[np.uint32],
    channels: NDArray[np.uint32],
    counts: NDArray[np.uint64],
) -> tuple[int, int]:
    """Collect the non-zeros of whole pixels, until there are `wanted` or the pixels end.

    Parameters
    ----------
    values : (pixels, channels) unsigned
        The dense counts, C order.
    first : int
        Pixel to begin with.
    wanted : int
        Where to stop; the buffers hold a pixel's channels more.
    pixels, channels, counts : (wanted + channels,) uint32, uint32, uint64
        Filled with pixel - `first`, channel and count.

    Returns
    -------
    found, stop : int
        Number of non-zeros, and the pixel behind the last that was looked at.
    """
    length, found, pixel = values.shape[1], 0, first
    whole = length - length % GROUP
    while pixel < values.shape[0] and found < wanted:
        spectrum = values[pixel]
        for start in range(0, whole, GROUP):
            group = spectrum[start : start + GROUP]
            mask = _nonzero(group)
            while mask:
                place = np.int64(trailing_zeros(mask))
                pixels[found], channels[found] = pixel - first, start + place
                counts[found] = group[place]
                found += 1
                mask &= mask - _ONE
        for channel in range(whole, length):
            if spectrum[channel]:
                pixels[found], channels[found], counts[found] = pixel - first, channel, spectrum[channel]
                found += 1
        pixel += 1
    return found, pixel


@compiled
def _nonzero(group: NDArray[np.unsignedinteger]) -> np.uint64:
    """Return a bit for each of 64 voxels, set where it is not zero."""
    together = group[0]
    for i in range(1, GROUP):
        together |= group[i]
    mask = np.uint64(0)
    if together:
        for i in range(GROUP):
            mask |= np.uint64(group[i] != 0) << np.uint64(i)
    return mask


@compiled
def by_channel(
    pixels: NDArray[np.uint32],
    channels: NDArray[np.uint32],
    counts: NDArray[np.uint64],
    starts: NDArray[np.int64],
    ranks: NDArray[np.uint32],
    sorted_counts: NDArray[np.uint64],
) -> None:
    """Sort events that ascend by pixel into channels; `starts`, (channels + 1,) int64, begins as zeros."""
    for channel in channels:
        starts[channel + np.uint32(1)] += 1
    for channel in range(1, starts.size):
        starts[channel] += starts[channel - 1]
    ends = starts.copy()
    for i in range(channels.size):
        place = ends[channels[i]]
        ends[channels[i]] = place + 1
        ranks[place], sorted_counts[place] = pixels[i], counts[i]
