"""Windows of channels of a sum."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def checked_channels(channels: tuple[int, int] | None, length: int) -> tuple[int, int]:
    """Return first channel and channel after the last, all when None is given, or say what is wrong with them."""
    low, high = (0, length) if channels is None else channels
    if not 0 <= low < high <= length:
        raise ValueError(f"channels {low} to {high} are not a range within 0 to {length}")
    return int(low), int(high)


def checked_windows(windows: ArrayLike, length: int) -> list[tuple[int, int]]:
    """Return first channel and channel after the last of each window, or say what is wrong with them."""
    ranges = np.asarray(windows)
    if ranges.ndim != 2 or ranges.shape[1] != 2 or ranges.dtype.kind not in "iu":
        raise ValueError("windows must be whole numbers (n, 2): first channel and channel after the last")
    return [checked_channels((low, high), length) for low, high in ranges.tolist()]


def windows_of_channels(windows: list[tuple[int, int]], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which windows each channel belongs to: where its entries begin (channels + 1,), and the entries."""
    inside = np.zeros((length, len(windows)), bool)
    for window, (low, high) in enumerate(windows):
        inside[low:high, window] = True
    first = np.concatenate(([0], np.cumsum(inside.sum(axis=1))))
    return first.astype(np.int64), np.nonzero(inside)[1].astype(np.int64)
