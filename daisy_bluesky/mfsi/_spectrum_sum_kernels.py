"""Kernels of sums of moved photons: each photon one 64-bit word, each sum exact, so that no order matters.

A word holds, from its highest bits, the row (17 bits) and column (17) of the output pixel below the photon, its
channel (14), and how far beyond that pixel's centre it lies (8 + 8 bits, in 1/256 output pixel).

A kernel `width` output pixels wide is a box: drawn from (dithered) or spread out (bilinear for a width of 1); a
width of 0 is the nearest output pixel.
"""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.mfsi._spectrum_sum_positions import REACH, SUBDIVISION

LARGEST_CHANNELS = 1 << 14
Box = tuple[int, int, int, int]  # first row, first column, rows, columns of a rectangle of output pixels

_STEP = np.uint64(0x9E3779B97F4A7C15)


@compiled
def photon_word(row: int, column: int, channel: int) -> np.uint64:
    """Return the word of a photon at a position, in 1/256 output pixel."""
    down = np.int64(row) + REACH * SUBDIVISION
    right = np.int64(column) + REACH * SUBDIVISION
    return np.uint64(
        (down >> 8 << 47) | (right >> 8 << 30) | (np.int64(channel) << 16) | ((down & 255) << 8) | (right & 255)
    )


@compiled
def pack(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    channels: NDArray[np.int64],
    counts: NDArray[np.int64],
    positions: NDArray[np.int32],
    photons: NDArray[np.uint64],
) -> None:
    """Write one word for every photon of an event list."""
    n = 0
    for i in range(rows.size):
        word = photon_word(positions[rows[i], columns[i], 0], positions[rows[i], columns[i], 1], channels[i])
        for _ in range(counts[i]):
            photons[n] = word
            n += 1


@compiled
def random_bits(key: np.uint64, i: int) -> np.uint64:
    """Return the i-th random word of a frame (splitmix64)."""
    word = key + np.uint64(i) * _STEP
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@compiled
def landing(photon: np.uint64, random: np.uint64, width: int) -> tuple[np.int64, np.int64]:
    """Return the output pixel that a photon is counted in."""
    high = np.int64(random >> np.uint64(32))
    low = np.int64(random & np.uint64(0xFFFFFFFF))
    row = np.int64((photon >> np.uint64(8)) & np.uint64(255)) - 128 * (width - 1) + ((high * width) >> 24)
    column = np.int64(photon & np.uint64(255)) - 128 * (width - 1) + ((low * width) >> 24)
    first_row = np.int64(photon >> np.uint64(47)) - REACH
    first_column = np.int64((photon >> np.uint64(30)) & np.uint64(0x1FFFF)) - REACH
    return first_row + (row >> 8), first_column + (column >> 8)


@compiled
def channel_of(photon: np.uint64) -> np.int64:
    """Return the channel of a photon."""
    return np.int64((photon >> np.uint64(16)) & np.uint64(0x3FFF))


@compiled
def overlap(position: np.int64, width: int, cell: int) -> int:
    """Return how much of a box around a position, of 256 `width` parts, lies in an output pixel."""
    begin = int(position) - 128 * (width - 1)
    return max(0, min(begin + 256 * width, 256 * (cell + 1)) - max(begin, 256 * cell))


@compiled
def count_in_windows(
    photons: NDArray[np.uint64],
    key: np.uint64,
    width: int,
    box: Box,
    first: NDArray[np.int64],
    windows: NDArray[np.int64],
    maps: NDArray[np.int64],
) -> None:
    """Add photons to the maps of the windows that their channels belong to."""
    for i in range(photons.size):
        channel = channel_of(photons[i])
        begin, end = first[channel], first[channel + 1]
        if begin == end:
            continue
        row, column = landing(photons[i], random_bits(key, i), width)
        row -= box[0]
        column -= box[1]
        if 0 <= row < box[2] and 0 <= column < box[3]:
            for j in range(begin, end):
                maps[windows[j], row, column] += 1


@compiled
def spread_in_windows(
    photons: NDArray[np.uint64],
    width: int,
    box: Box,
    first: NDArray[np.int64],
    windows: NDArray[np.int64],
    maps: NDArray[np.int64],
) -> None:
    """Spread photons over the maps of their windows, in parts of 1 / (256 width)^2."""
    for i in range(photons.size):
        channel = channel_of(photons[i])
        if first[channel] == first[channel + 1]:
            continue
        row = np.int64((photons[i] >> np.uint64(8)) & np.uint64(255))
        column = np.int64(photons[i] & np.uint64(255))
        first_row = np.int64(photons[i] >> np.uint64(47)) - REACH - box[0]
        first_column = np.int64((photons[i] >> np.uint64(30)) & np.uint64(0x1FFFF)) - REACH - box[1]
        lowest_row, lowest_column = (row - 128 * (width - 1)) >> 8, (column - 128 * (width - 1)) >> 8
        for down in range(lowest_row, lowest_row + width + 1):
            if not 0 <= first_row + down < box[2]:
                continue
            part = overlap(row, width, down)
            for right in range(lowest_column, lowest_column + width + 1):
                if 0 <= first_column + right < box[3]:
                    for j in range(first[channel], first[channel + 1]):
                        shared = part * overlap(column, width, right)
                        maps[windows[j], first_row + down, first_column + right] += shared


@compiled
def expose(
    positions: NDArray[np.int32],
    exposure: NDArray[np.int64],
    width: int,
    origin: tuple[int, int],
    total: NDArray[np.int64],
) -> None:
    """Add the exposures of a frame's pixels to a canvas, in parts of 1 / (256 width)^2; the nearest for width 0."""
    for r in range(positions.shape[0]):
        for c in range(positions.shape[1]):
            row = np.int64(positions[r, c, 0]) - 256 * origin[0]
            column = np.int64(positions[r, c, 1]) - 256 * origin[1]
            lowest_row, lowest_column = (row - 128 * (width - 1)) >> 8, (column - 128 * (width - 1)) >> 8
            for down in range(lowest_row, lowest_row + width + 1):
                if not 0 <= down < total.shape[0]:
                    continue
                part = overlap(row, width, down) if width else 256
                for right in range(lowest_column, lowest_column + width + 1):
                    if 0 <= right < total.shape[1]:
                        shared = overlap(column, width, right) if width else 256
                        total[down, right] += exposure[r, c] * part * shared


@compiled
def list_places(
    photons: NDArray[np.uint64],
    key: np.uint64,
    width: int,
    box: Box,
    channels: tuple[int, int],
    places: NDArray[np.uint64],
) -> int:
    """List the voxels in which photons within a range of channels are counted; return how many there are."""
    n = 0
    for i in range(photons.size):
        channel = channel_of(photons[i])
        if not channels[0] <= channel < channels[1]:
            continue
        row, column = landing(photons[i], random_bits(key, i), width)
        row -= box[0]
        column -= box[1]
        if 0 <= row < box[2] and 0 <= column < box[3]:
            places[n] = np.uint64((row * box[3] + column) * (channels[1] - channels[0]) + channel - channels[0])
            n += 1
    return n


@compiled
def tally(places: NDArray[np.uint64], counts: NDArray[np.uint32]) -> int:
    """Count equal voxels of a sorted list, in place; return how many differ."""
    n = -1
    for i in range(places.size):
        if n >= 0 and places[n] == places[i]:
            counts[n] += np.uint32(1)
        else:
            n += 1
            places[n] = places[i]
            counts[n] = 1
    return n + 1


@compiled
def unravel(
    places: NDArray[np.uint64],
    columns: int,
    channels: tuple[int, int],
    row: NDArray[np.int32],
    column: NDArray[np.int32],
    channel: NDArray[np.int32],
) -> None:
    """Write the row, column and channel of voxels."""
    for i in range(places.size):
        pixel = np.int64(places[i]) // (channels[1] - channels[0])
        channel[i] = np.int64(places[i]) - pixel * (channels[1] - channels[0]) + channels[0]
        row[i] = pixel // columns
        column[i] = pixel % columns
