"""Probability of every phase in every pixel, from the evidence of the visits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from daisy_bluesky.sampling._evidence import VisitLedger
from daisy_bluesky.sampling._field import MASK, NEIGHBOURS, SHIFT


def posterior(pixels: NDArray[Any], ledger: VisitLedger, phases: int) -> NDArray[np.float64]:
    """Return the visits' posterior where there is one, elsewhere the inverse-square weighted mean of the neighbours'.

    Parameters
    ----------
    pixels : (rows, columns) PIXEL
        State of the field, up to date.
    ledger : VisitLedger
        What the visits found.
    phases : int
        Number of phases.

    Returns
    -------
    (rows, columns, phases) float64
        Probabilities; what is missing to 1 belongs to an unknown phase.
    """
    known = _known(pixels, ledger, phases)
    rows, columns = np.indices(pixels.shape)
    total = np.zeros((*pixels.shape, phases))
    weights = np.zeros(pixels.shape)
    for slot in range(NEIGHBOURS):
        places = pixels["neighbours"][..., slot]
        there_row, there_column = np.maximum(places, 0) >> SHIFT, np.maximum(places, 0) & MASK
        distance = (there_row - rows) ** 2 + (there_column - columns) ** 2
        weight = np.where(places >= 0, 1.0 / np.maximum(distance, 1), 0.0)
        total += weight[..., None] * known[there_row, there_column]
        weights += weight
    total /= np.where(weights > 0, weights, 1.0)[..., None]
    total[weights == 0] = 1.0 / max(phases, 1)
    sampled = pixels["sample"] != 0
    total[sampled] = known[sampled]
    return total


def _known(pixels: NDArray[Any], ledger: VisitLedger, phases: int) -> NDArray[np.float64]:
    """Return the posterior of the measured pixels, (rows, columns, phases), 0 elsewhere."""
    known: NDArray[np.float64] = (pixels["sample"][..., None] == np.arange(1, phases + 1)).astype(np.float64)
    for place in ledger.uncertain_places():
        log_likelihood = ledger.log_likelihood(place)
        known[place] = 0.0
        known[place][: len(log_likelihood)] = softmax(log_likelihood)
    return known
