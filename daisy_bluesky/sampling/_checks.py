"""Checks of what comes in from outside, before anything is changed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import checked_numbers, is_number
from daisy_bluesky.sampling._evidence import Finding, Place
from daisy_bluesky.sampling._field import LARGEST_SIDE

LARGEST_LABEL = 255
IMPOSSIBLE = -1e9  # nats: as good as -inf, and stays finite when visits exclude each other's phases


def check_arguments(shape: tuple[int, int], phases: int, start_fraction: float) -> None:
    """Check what a sampler is made of.

    Raises
    ------
    ValueError
        If the field is empty or too large, or a number is out of range.
    """
    sides = np.asarray(shape)
    if sides.shape != (2,) or sides.dtype.kind not in "iu" or not ((sides >= 1) & (sides <= LARGEST_SIDE)).all():
        raise ValueError(f"shape must be two sides of 1 to {LARGEST_SIDE} pixels, not {shape}")
    if isinstance(phases, bool) or not (isinstance(phases, int | np.integer) and 0 <= phases <= LARGEST_LABEL):
        raise ValueError(f"phases must lie in 0 to {LARGEST_LABEL}, not {phases}")
    if not is_number(start_fraction) or not 0 < start_fraction <= 1:
        raise ValueError(f"start_fraction must lie in (0, 1], not {start_fraction}")


def check_count(n: int) -> None:
    """Check how many visits are asked for.

    Raises
    ------
    ValueError
        If it is not a whole number from 1 up.
    """
    if not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n must be at least 1, a whole number, not {n!r}")


def checked_positions(positions: ArrayLike, shape: tuple[int, int], inside: NDArray[np.bool_]) -> list[Place]:
    """Return positions, (n, 2) int, as (row, column) pairs.

    Raises
    ------
    ValueError
        If they are not whole numbers, or lie outside the field or the region of interest.
    """
    array = checked_numbers("positions", positions)
    if array.size == 0:
        return []
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"positions must have shape (n, 2), not {array.shape}")
    if not (np.isfinite(array) & (array == np.rint(array))).all():
        raise ValueError("positions must be whole pixels; round them first")
    places: list[Place] = [(int(row), int(column)) for row, column in array.tolist()]
    for row, column in places:
        if not (0 <= row < shape[0] and 0 <= column < shape[1]):
            raise ValueError(f"positions: ({row}, {column}) lies outside the field of {shape[0]} x {shape[1]} pixels")
        if not inside[row, column]:
            raise ValueError(f"positions: ({row}, {column}) lies outside the region of interest")
    return places


def checked_findings(evidence: ArrayLike, count: int) -> list[Finding]:
    """Return evidence, (n,) int labels or (n, phases) float log-likelihoods, one finding per visit.

    Raises
    ------
    ValueError
        If there are more or fewer than `count`, a label lies outside -1 to 255, or log-likelihoods are nan, +inf or
        leave no phase possible.
    """
    array = checked_numbers("evidence", evidence)
    if array.ndim not in (1, 2) or len(array) != count:
        raise ValueError(f"evidence must have shape ({count},) or ({count}, phases), not {array.shape}")
    if array.ndim == 2:
        return list(checked_log_likelihoods(array, IMPOSSIBLE))
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(
            f"evidence: labels must be integers, not {array.dtype}; log-likelihoods have shape (n, phases)"
        )
    labels: list[int] = array.tolist()
    for label in labels:
        if not -1 <= label <= LARGEST_LABEL:
            raise ValueError(f"evidence: label {label} lies outside -1 to {LARGEST_LABEL}")
    return list(labels)


def checked_log_likelihoods(array: NDArray[np.generic], least: float) -> NDArray[np.float64]:
    """Return log-likelihoods, (n, phases) float64, nats, those of every visit from `least` up to 0.

    Raises
    ------
    ValueError
        If there are too many phases or none, one is nan or +inf, or those of a visit are all -inf.
    """
    values = array.astype(np.float64)
    if not 1 <= values.shape[1] <= LARGEST_LABEL:
        raise ValueError(f"evidence: log-likelihoods of 1 to {LARGEST_LABEL} phases, not {values.shape[1]}")
    if np.isnan(values).any() or np.isposinf(values).any():
        raise ValueError("evidence: log-likelihoods must not be nan or +inf")
    largest = values.max(axis=1, keepdims=True)
    if np.isneginf(largest).any():
        raise ValueError("evidence: log-likelihoods must not be -inf for all phases of a visit")
    return np.asarray(np.maximum(values - largest, least))


def checked_visits(visits: ArrayLike | None, count: int) -> list[int] | None:
    """Return visit ids, (n,) int, or None when there are none.

    Raises
    ------
    ValueError
        If there are more or fewer than `count`, or they are not whole numbers from 0.
    """
    if visits is None:
        return None
    array = np.asarray(visits)
    if array.shape != (count,) or (array.size and (array.dtype.kind not in "iu" or array.min() < 0)):
        raise ValueError(f"visits must be {count} whole numbers from 0, one for each position")
    names: list[int] = array.tolist()
    return names
