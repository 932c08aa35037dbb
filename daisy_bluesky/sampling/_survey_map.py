"""The map that labels, grey values and a Potts prior make together, quick enough to look at again and again."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._potts import SWEEPS, estimated_strength, renew, soften
from daisy_bluesky.sampling._survey import blocks_of

# So much of each block tells how strong the prior is: 16 of them, whatever the size of the field.
SIDE = 24
SETTLED = 1e-3


def belief_of(log_likelihood: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the phase probabilities of a field under a Potts prior, by mean field, as `potts_posterior` does it.

    How strong the prior is follows from the middles of the blocks of the field, and a pixel is looked at again only
    when one beside it has changed.

    Parameters
    ----------
    log_likelihood : (rows, columns, phases) float64
        Finite, nats.

    Returns
    -------
    (rows, columns, phases) float64
        Probabilities, which sum to 1.
    """
    evidence = log_likelihood - log_likelihood.max(axis=2, keepdims=True)
    return _settled(evidence, estimated_strength(_middles(evidence)))


def _middles(evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middles of the blocks of a field, side by side, (rows, columns, phases)."""
    rows: dict[int, list[NDArray[np.float64]]] = {}
    for block in blocks_of(evidence.shape[:2], SIDE):
        rows.setdefault(block[0].start, []).append(evidence[block])
    return np.concatenate([np.concatenate(row, axis=1) for row in rows.values()])


@compiled
def _settled(evidence: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """Return the mean-field probabilities, (rows, columns, phases), from the evidence alone on."""
    rows, columns, phases = evidence.shape
    belief = np.empty_like(evidence)
    for row in range(rows):
        for column in range(columns):
            soften(evidence[row, column], belief[row, column])
    waiting = np.ones((rows, columns), np.bool_)
    field, updated = np.empty(phases), np.empty(phases)
    for _ in range(SWEEPS):
        moved = False
        for row in range(rows):
            for column in range(columns):
                if not waiting[row, column]:
                    continue
                waiting[row, column] = False
                if renew(evidence, belief, row, column, strength, field, updated) > SETTLED:
                    waiting[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
                    moved = True
        if not moved:
            break
    return belief
