"""Checks of what is given for every pixel of a field."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import checked_numbers

# The first pass of an allocator stays the first whatever is preferred.
LARGEST_PREFERENCE = 1000.0


def checked_mask(name: str, mask: ArrayLike | None, shape: tuple[int, int], *, default: bool) -> NDArray[np.bool_]:
    """Return a mask over the field, (rows, columns) bool.

    Raises
    ------
    ValueError
        If it has another shape, or is not true or false everywhere.
    """
    if mask is None:
        return np.full(shape, default)
    try:
        array = np.asarray(mask)
    except ValueError:
        raise ValueError(f"{name} must be true or false in rows of one length") from None
    if array.shape != shape:
        raise ValueError(f"{name} must have the field's shape {shape}, not {array.shape}")
    if array.dtype.kind not in "biuf" or not ((array == 0) | (array == 1)).all():
        raise ValueError(f"{name} must be true or false at every pixel")
    return np.array(array, bool)


def checked_region(roi: ArrayLike | None, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a region of interest, (rows, columns) bool; the whole field when none is given.

    Raises
    ------
    ValueError
        If it has another shape, is not true or false everywhere, or is empty.
    """
    inside = checked_mask("roi", roi, shape, default=True)
    if not inside.any():
        raise ValueError("roi is empty; mark at least one pixel")
    return inside


def checked_limit(limit: ArrayLike | None, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the largest dwell time of every pixel, (rows, columns) float64, s.

    Raises
    ------
    ValueError
        If it does not fit the field, is negative or nan.
    """
    limits = np.array(np.inf if limit is None else checked_numbers("limit", limit), np.float64)
    if limits.shape not in ((), shape):
        raise ValueError(f"limit must be one dwell time or have the field's shape {shape}, not {limits.shape}")
    if np.isnan(limits).any() or (limits < 0).any():
        raise ValueError("limit must not be negative or nan, s")
    return np.array(np.broadcast_to(limits, shape))


def checked_preference(preference: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return how many times more each pixel counts, (rows, columns) float32.

    Raises
    ------
    ValueError
        If it has another shape, or is not between 0.001 and 1000 everywhere.
    """
    wanted = np.asarray(checked_numbers("preference", preference), np.float64)
    if wanted.shape != shape:
        raise ValueError(f"preference must have the field's shape {shape}, not {wanted.shape}")
    if not ((wanted >= 1 / LARGEST_PREFERENCE) & (wanted <= LARGEST_PREFERENCE)).all():
        raise ValueError(f"preference must lie between {1 / LARGEST_PREFERENCE:g} and {LARGEST_PREFERENCE:g}")
    return wanted.astype(np.float32)


def checked_region_preference(
    region: ArrayLike, preference: float, before: ArrayLike, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return how many times more each pixel counts once a region, (rows, columns) bool, is preferred to what was.

    Raises
    ------
    ValueError
        If the region is no mask of the field, or the preference is not one number between 0.001 and 1000.
    """
    if region is None:
        raise ValueError("region must be a mask over the field, not None")
    pixels = checked_mask("region", region, shape, default=True)
    if np.ndim(preference) != 0:
        raise ValueError(f"preference must be one number, not {np.ndim(preference)}-dimensional")
    wanted = checked_preference(np.full(shape, checked_numbers("preference", preference)), shape)
    return np.where(pixels, wanted, np.asarray(before, np.float32))
