"""Checks of what a dose allocator is given, before anything is changed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._checks import checked_findings
from daisy_bluesky.sampling._evidence import CERTAINTY, Finding

LEAST = -700.0  # nats: less likely than this is all the same
Shares = list[tuple[int, int, float]]


def checked_mask(name: str, mask: ArrayLike | None, shape: tuple[int, int], *, default: bool) -> NDArray[np.bool_]:
    """Return a mask over the field, (rows, columns) bool.

    Raises
    ------
    ValueError
        If it has another shape.
    """
    if mask is None:
        return np.full(shape, default)
    if np.shape(mask) != shape:
        raise ValueError(f"{name} must have the field's shape {shape}, not {np.shape(mask)}")
    return np.array(mask, bool)


def checked_limit(limit: ArrayLike | None, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the largest dwell time of every pixel, (rows, columns) float64, s.

    Raises
    ------
    ValueError
        If it does not fit the field, is negative or nan.
    """
    limits = np.array(np.inf if limit is None else limit, np.float64)
    if limits.shape not in ((), shape):
        raise ValueError(f"limit must be one dwell time or have the field's shape {shape}, not {limits.shape}")
    if np.isnan(limits).any() or (limits < 0).any():
        raise ValueError("limit must not be negative or nan, s")
    return np.array(np.broadcast_to(limits, shape))


def checked_shares(positions: ArrayLike, inside: NDArray[np.bool_]) -> list[Shares]:
    """Return which pixels each position touches, and the share of each: bilinear, all in one at a pixel's centre.

    Raises
    ------
    ValueError
        If positions, (n, 2), are not numbers, or lie outside the field or the region of interest.
    """
    array = np.asarray(positions, np.float64)
    if array.size == 0:
        return []
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"positions must have shape (n, 2), not {array.shape}")
    rows, columns = inside.shape
    found = []
    for row, column in array.tolist():
        if not (-0.5 <= row <= rows - 0.5 and -0.5 <= column <= columns - 0.5):
            raise ValueError(f"positions: ({row}, {column}) lies outside the field of {rows} x {columns} pixels")
        shares = _shares(row, column, inside)
        if not shares:
            raise ValueError(f"positions: ({row}, {column}) lies outside the region of interest")
        found.append(shares)
    return found


def _shares(row: float, column: float, inside: NDArray[np.bool_]) -> Shares:
    rows, columns = inside.shape
    row, column = min(max(row, 0.0), rows - 1.0), min(max(column, 0.0), columns - 1.0)
    top, left = int(row), int(column)
    down, right = row - top, column - left
    corners = (
        (top, left, (1 - down) * (1 - right)),
        (top, left + 1, (1 - down) * right),
        (top + 1, left, down * (1 - right)),
        (top + 1, left + 1, down * right),
    )
    touched = [corner for corner in corners if corner[2] > 0 and inside[corner[0], corner[1]]]
    total = sum(share for _, _, share in touched)
    return [(r, c, share / total) for r, c, share in touched]


def checked_dwell(dwell: ArrayLike | None, count: int, default: float) -> list[float]:
    """Return dwell times, (n,) float, s; the default where none, or nan, is given.

    Raises
    ------
    ValueError
        If there are more or fewer than `count`, or one is not above 0.
    """
    if dwell is None:
        return [default] * count
    array = np.asarray(dwell, np.float64)
    if array.shape != (count,):
        raise ValueError(f"dwell must have shape ({count},), not {array.shape}")
    array = np.where(np.isnan(array), default, array)
    if not ((array > 0) & np.isfinite(array)).all():
        raise ValueError("dwell must be above 0 s")
    times: list[float] = array.tolist()
    return times


def checked_evidence(evidence: ArrayLike, count: int) -> list[Finding]:
    """Return evidence, (n,) int labels or (n, phases) float log-likelihoods, nats, whose largest value is set to 0.

    Raises
    ------
    ValueError
        If it does not fit, is nan or infinite upwards, or leaves no phase possible.
    """
    findings = checked_findings(evidence, count)
    return [finding if isinstance(finding, int) else _relative(finding) for finding in findings]


def _relative(log_likelihood: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = log_likelihood.max()
    if np.isneginf(largest):
        raise ValueError("evidence: log-likelihoods must not be -inf for all phases of a visit")
    return np.asarray(np.maximum(log_likelihood - largest, LEAST))


def as_log_likelihood(finding: Finding, channels: list[int]) -> NDArray[np.float64]:
    """Return what a finding says about each phase, nats, its largest value 0.

    Parameters
    ----------
    finding : int or (phases,) float64
        A label, which counts as certain but for one in exp(20), or log-likelihoods.
    channels : list of int
        The label each channel stands for.

    Returns
    -------
    (channels,) float64
        A phase that a visit did not know of counts as its least likely one.
    """
    if isinstance(finding, int):
        if finding == 0:
            return np.zeros(len(channels))
        return np.where(np.array(channels) == finding, 0.0, -CERTAINTY)
    told = np.full(len(channels), finding.min())
    for channel, label in enumerate(channels):
        if 1 <= label <= len(finding):
            told[channel] = finding[label - 1]
    return told
