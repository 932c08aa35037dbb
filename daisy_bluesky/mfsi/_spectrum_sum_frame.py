"""The events of one frame, moved to where they belong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._spectrum_sum_kernels import LARGEST_CHANNELS, pack
from daisy_bluesky.mfsi._spectrum_sum_positions import checked_upsample, landing_positions

EXPOSURE_PARTS = 1 << 16
LARGEST_EXPOSURE = 1 << 14


@dataclass(frozen=True)
class MovedFrame:
    """What a frame adds to a `SpectrumSum`; depends on nothing but the frame and its displacement.

    Attributes
    ----------
    number : int
        Number of the frame.
    channels, upsample : int
        Channels of a spectrum; output pixels per pixel.
    photons : (n,) uint64
        One word for every photon: output pixel, channel, and place within the output pixel.
    positions : (rows, columns, 2) int32
        Where the frame's pixels land, in 1/256 output pixel.
    exposure : (rows, columns) int64
        Exposure of its pixels, in 1/65536.
    """

    number: int
    channels: int
    upsample: int
    photons: NDArray[np.uint64]
    positions: NDArray[np.int32]
    exposure: NDArray[np.int64]


def moved_frame(
    events: NDArray[np.void],
    displacement: ArrayLike,
    *,
    frame: int,
    channels: int,
    upsample: int = 1,
    exposure: ArrayLike = 1.0,
) -> MovedFrame:
    """Move the events of one frame to the common frame.

    Parameters
    ----------
    events : (n,) structured
        Fields ``row``, ``column``, ``channel`` and, where more than one photon was counted, ``count``.
    displacement : array_like, (rows, columns, 2)
        What the frame shows at (r, c) lies at (r, c) + displacement in the common frame, pixels.
    frame : int
        Number of the frame; with the sum's seed it decides the dithering of the frame's photons.
    channels : int
        Channels of a spectrum.
    upsample : int, optional
        Output pixels per pixel, 1 to 8.
    exposure : array_like, scalar or (rows, columns), optional
        Exposure of the frame's pixels, 1 for a pixel exposed for the usual live time; pixels of exposure 0 are left
        out with what they counted. Kept to 1/65536.

    Returns
    -------
    MovedFrame

    Raises
    ------
    ValueError
        If the events, the displacement or the exposure do not fit the frame.
    """
    shape = np.shape(displacement)[:2]
    if len(shape) != 2:
        raise ValueError(f"displacement has shape {np.shape(displacement)}; it must be (rows, columns, 2)")
    if int(frame) != frame or frame < 0:
        raise ValueError(f"frame is {frame}; frames are numbered from 0")
    positions = landing_positions(displacement, shape, checked_upsample(upsample))
    parts = exposure_parts(exposure, shape)
    rows, columns, numbers, counts = checked_events(events, shape, channels, parts)
    photons = np.empty(int(counts.sum()), np.uint64)
    pack(rows, columns, numbers, counts, positions, photons)
    return MovedFrame(int(frame), int(channels), int(upsample), photons, positions, parts)


def checked_events(
    events: NDArray[np.void], shape: tuple[int, int], channels: int, exposure: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows, columns, channels and counts of events, each (n,) int64; counts of unexposed pixels are 0.

    Raises
    ------
    ValueError
        If a field is missing, not whole, or outside of the frame.
    """
    if not 0 < channels <= LARGEST_CHANNELS:
        raise ValueError(f"channels is {channels}; event lists of 1 to {LARGEST_CHANNELS} channels can be summed")
    rows = _field(events, "row", shape[0])
    columns = _field(events, "column", shape[1])
    numbers = _field(events, "channel", channels)
    counts = _counts(events)
    counts[exposure[rows, columns] == 0] = 0
    return rows, columns, numbers, counts


def exposure_parts(exposure: ArrayLike, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return the exposure of a frame's pixels, (rows, columns) int64, in 1/65536; ValueError if it does not fit."""
    values = np.asarray(exposure, dtype=np.float64)
    if values.shape not in ((), shape):
        raise ValueError(f"exposure has shape {values.shape}; give one number or one for each of {shape} pixels")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= LARGEST_EXPOSURE):
        raise ValueError(f"exposure must lie between 0 and {LARGEST_EXPOSURE}, in exposures of the usual live time")
    return np.broadcast_to(np.rint(values * EXPOSURE_PARTS).astype(np.int64), shape)


def _field(events: NDArray[np.void], name: str, length: int) -> NDArray[np.int64]:
    if not isinstance(events, np.ndarray) or name not in (events.dtype.names or ()):
        raise ValueError(f"events have no field {name!r}; row, column, channel and optionally count are needed")
    values = events[name].reshape(-1)
    if values.dtype.kind not in "iu":
        raise ValueError(f"event field {name!r} must be whole numbers, not {values.dtype}")
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < length:
        reached = f"from {values.min()} to {values.max()}"
        raise ValueError(f"event field {name!r} reaches {reached}, outside 0 to {length - 1} of the frame")
    return np.asarray(values, dtype=np.int64)


def _counts(events: NDArray[np.void]) -> NDArray[np.int64]:
    if "count" not in (events.dtype.names or ()):
        return np.ones(events.size, np.int64)
    counts = events["count"].reshape(-1)
    if counts.dtype.kind not in "iu" or (counts.size and counts.min() < 0):
        raise ValueError("event field 'count' must be whole numbers of 0 or more: integrate other signals with EelsSum")
    return counts.astype(np.int64)
