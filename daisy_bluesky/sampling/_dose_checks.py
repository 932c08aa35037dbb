"""Checks of what a dose allocator is given, before anything is changed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import checked_numbers
from daisy_bluesky.sampling._checks import checked_findings, checked_log_likelihoods
from daisy_bluesky.sampling._dose_ledger import Findings
from daisy_bluesky.sampling._evidence import CERTAINTY

LEAST = -700.0  # nats: less likely than this is all the same
LARGEST = 1e9  # of what is kept in single precision
CORNER_STEPS = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
Evidence = NDArray[np.int64] | NDArray[np.float64]


class Shares(NamedTuple):
    """Which pixels visits touch.

    Attributes
    ----------
    places : (n, 4, 2) int64
        (row, column), pixels.
    share : (n, 4) float64
        Part of the visit that counts for the pixel; they sum to 1 over each visit.
    """

    places: NDArray[np.int64]
    share: NDArray[np.float64]


def checked_stake(stake: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return what is at stake at every pixel, (rows, columns) float64, pixels.

    Raises
    ------
    ValueError
        If it has another shape, or is negative or too large.
    """
    given = np.asarray(checked_numbers("stake", stake), np.float64)
    if given.shape != shape:
        raise ValueError(f"stake must have the field's shape {shape}, not {given.shape}")
    if not ((given >= 0) & (given <= LARGEST)).all():
        raise ValueError(f"stake must lie in 0 to {LARGEST:g} pixels")
    return given


def checked_prior(log_prior: ArrayLike, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return prior log-probabilities of the phases, (rows, columns, phases) float32, nats.

    Raises
    ------
    ValueError
        If they have another shape or are not finite, or too large.
    """
    array = np.asarray(checked_numbers("log_prior", log_prior), np.float64)
    if array.shape != shape:
        raise ValueError(f"log_prior must have shape {shape}, (rows, columns, phases), not {array.shape}")
    if not (np.abs(array) <= LARGEST).all():
        raise ValueError(f"log_prior must lie within {LARGEST:g} nats of 0")
    return array.astype(np.float32)


def checked_shares(positions: ArrayLike, inside: NDArray[np.bool_]) -> Shares:
    """Return which pixels each position touches, and the share of each: bilinear, all in one at a pixel's centre.

    Raises
    ------
    ValueError
        If positions, (n, 2), are not numbers, or lie outside the field or the region of interest.
    """
    array = np.asarray(checked_numbers("positions", positions), np.float64)
    if array.size == 0:
        array = np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"positions must have shape (n, 2), not {array.shape}")
    last = np.array(inside.shape) - 1.0
    off = ~((array >= -0.5) & (array <= last + 0.5)).all(axis=1)
    if off.any():
        row, column = array[off][0].tolist()
        raise ValueError(f"positions: ({row}, {column}) lies outside the field of {inside.shape} pixels")
    array = np.clip(array, 0.0, last)
    corner = np.floor(array).astype(np.int64)
    part = (array - corner)[:, None, :]
    touched = np.minimum(corner[:, None, :] + CORNER_STEPS, last.astype(np.int64))
    share = np.abs(1 - CORNER_STEPS - part).prod(axis=2)
    share *= inside[touched[..., 0], touched[..., 1]]
    total = share.sum(axis=1)
    if (total == 0).any():
        row, column = array[total == 0][0].tolist()
        raise ValueError(f"positions: ({row}, {column}) lies outside the region of interest")
    return Shares(touched, share / total[:, None])


def checked_dwell(dwell: ArrayLike | None, count: int, default: float) -> NDArray[np.float64]:
    """Return dwell times, (n,) float64, s; the default where none, or nan, is given.

    Raises
    ------
    ValueError
        If there are more or fewer than `count`, or one is not above 0.
    """
    if dwell is None:
        return np.full(count, default)
    array = np.asarray(checked_numbers("dwell", dwell), np.float64)
    if array.shape != (count,):
        raise ValueError(f"dwell must have shape ({count},), not {array.shape}")
    array = np.where(np.isnan(array), default, array)
    if not ((array > 0) & np.isfinite(array)).all():
        raise ValueError("dwell must be above 0 s")
    return np.asarray(array)


def checked_evidence(evidence: ArrayLike, count: int) -> Evidence:
    """Return evidence, (n,) int labels or (n, phases) float64 log-likelihoods, nats, whose largest value is set to 0.

    Raises
    ------
    ValueError
        If it does not fit, is nan or infinite upwards, or leaves no phase possible.
    """
    array = checked_numbers("evidence", evidence)
    if array.ndim != 2 or len(array) != count:
        return np.asarray(checked_findings(array, count)).astype(np.int64)
    return checked_log_likelihoods(array, LEAST)


def as_findings(shares: Shares, evidence: Evidence, dwell: NDArray[np.float64], channels: list[int]) -> Findings:
    """Return what visits say about each phase.

    Parameters
    ----------
    shares : Shares
        Which pixels they touch.
    evidence : (n,) int or (n, phases) float64
        Labels, which count as certain but for one in exp(20), 0 as saying nothing; or log-likelihoods.
    dwell : (n,) float64
        Dwell times, s.
    channels : list of int
        The label each channel stands for.

    Returns
    -------
    Findings
        A phase that a visit did not know of counts as its least likely one.
    """
    if evidence.ndim == 1:
        failed = evidence == 0
        told = np.where(evidence[:, None] == np.array(channels), 0.0, -CERTAINTY)
        told[failed] = 0.0
        return Findings(*shares, told, np.where(failed, 0.0, -CERTAINTY), dwell, failed)
    least = evidence.min(axis=1)
    told = np.repeat(least[:, None], len(channels), axis=1)
    for channel, label in enumerate(channels):
        if 1 <= label <= evidence.shape[1]:
            told[:, channel] = evidence[:, label - 1]
    return Findings(*shares, told, least, dwell, np.zeros(len(evidence), bool))
