"""Checks of what comes in for several objectives, before anything is changed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import checked_numbers


def checked_evidence(evidence: ArrayLike, count: int, labels: NDArray[np.bool_], largest: int) -> NDArray[np.float64]:
    """Return evidence, (count, fields, 2): values and variances; all nan for a failed visit.

    Parameters
    ----------
    evidence : array_like
        What came in.
    count : int
        Number of visits.
    labels : (fields,) bool
        Which fields are labels.
    largest : int
        Largest label there can be.

    Raises
    ------
    ValueError
        If the shape is another one, a variance is negative, a value is infinite or nan beside others that are not, or
        a label is none.
    """
    found = np.array(checked_numbers("evidence", evidence), np.float64)
    if found.shape != (count, len(labels), 2):
        raise ValueError(f"evidence must have shape ({count}, {len(labels)}, 2), not {found.shape}")
    failed = np.isnan(found).all(axis=(1, 2))
    valid = found[~failed]
    if not np.isfinite(valid).all():
        raise ValueError("evidence must be finite, or all nan for a failed visit")
    if (valid[..., 1] < 0).any():
        raise ValueError("evidence: a variance is negative")
    named = valid[:, labels, 0]
    if not (np.isin(named, np.arange(1, largest + 1)) | (named == -1)).all():
        raise ValueError(f"evidence: a label is neither 1 to {largest} nor -1, an unknown phase")
    return found


def checked_times(dwell: ArrayLike | None, count: int) -> list[float]:
    """Return the dwell times of visits, s; 1 where they are not known.

    Raises
    ------
    ValueError
        If there are more or fewer than `count`, or one is not positive.
    """
    if dwell is None:
        return [1.0] * count
    times = np.array(checked_numbers("dwell", dwell), np.float64)
    if times.shape != (count,) or (times <= 0).any() or np.isinf(times).any():
        raise ValueError(f"dwell must be {count} positive times, one for each position")
    return [float(time) for time in np.where(np.isnan(times), 1.0, times)]
