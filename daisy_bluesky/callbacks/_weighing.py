"""Spectra of a few counts weighed against the phases, and the phases nobody announced made known to the policy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify import PooledLabeller
from daisy_bluesky.sampling import DoseAllocator


def weigh(
    labeller: PooledLabeller,
    policy: DoseAllocator,
    visits: Sequence[int],
    pixels: ArrayLike,
    spectra: ArrayLike,
    dwell: ArrayLike,
) -> NDArray[np.int64]:
    """Take in visits: pool their spectra, tell the policy what they say, and what all visits say when that has changed.

    Parameters
    ----------
    labeller : PooledLabeller
    policy : DoseAllocator
    visits : sequence of int
        Visit ids; one seen before is replaced.
    pixels : (n, 2) int
        Where they were, (row, column).
    spectra : (n, channels) array_like
        Counts.
    dwell : (n,) float
        Dwell times, s; the shortest one where nan.

    Returns
    -------
    (n,) int64
        What the pixels are taken for by now: 0 ill or nothing counted, 1..L a phase, -1 a phase that is not known yet.

    Raises
    ------
    ValueError
        If the arguments do not fit.
    """
    places, times, names = np.asarray(pixels, np.int64), np.asarray(dwell, np.float64), np.asarray(visits, np.int64)
    found = labeller.take([int(name) for name in names], places, spectra)
    known = (found > 0) | ((found == 0) & ~labeller.failed(places))
    for which, evidence in ((known, labeller.log_likelihood(spectra)), (~known, found)):
        if which.any():
            policy.ingest(places[which], evidence[which], dwell=times[which], visits=names[which])
    if (renewed := labeller.renewed()) is not None:
        policy.reweigh(*renewed)
    if (stake := labeller.stake()) is not None:
        policy.suspect(stake)
    return found
