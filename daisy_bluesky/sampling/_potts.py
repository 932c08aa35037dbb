"""The spatial prior of a fully scanned map: neighbouring pixels tend to be of one phase."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled

SWEEPS = 30
STRENGTHS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0)
FIRST = STRENGTHS.index(0.7)
# Of five interleaved lattices of pixels, none of which holds two neighbours, so many are left out in turn.
FOLDS, FOLDS_USED = 5, 2
# Weight of a diagonal neighbour: inverse square of its distance.
DIAGONAL = 0.5


def potts_posterior(log_likelihood: ArrayLike, strength: float | None = None) -> NDArray[np.float64]:
    """Return the phase probabilities of a scanned field under a Potts prior, by mean field.

    Each pixel's posterior is softmax(log-likelihood + strength * weighted sum of its eight neighbours' posteriors),
    diagonal ones at half weight, iterated to a fixed point from the likelihoods alone.

    Parameters
    ----------
    log_likelihood : (rows, columns, phases) float
        Log-likelihood of each pixel's spectrum under each phase, nats; all equal where nothing was measured.
    strength : float, optional
        Strength of the prior for each nearest neighbour, nats. Estimated when omitted: the one under which the map
        best predicts the likelihoods of pixels left out.

    Returns
    -------
    (rows, columns, phases) float64
        Probabilities, which sum to 1.

    Raises
    ------
    ValueError
        If the log-likelihoods are not three-dimensional, not numbers, or no phase is possible at a pixel, or the
        strength is negative.

    References
    ----------
    J. Besag, "On the statistical analysis of dirty pictures", J. R. Stat. Soc. B 48, 259 (1986);
    G. Celeux, F. Forbes and N. Peyrard, "EM procedures using mean field-like approximations for Markov model-based
    image segmentation", Pattern Recognition 36, 131 (2003).
    """
    evidence = np.array(log_likelihood, np.float64)
    if evidence.ndim != 3 or evidence.size == 0:
        raise ValueError(f"log_likelihood must have shape (rows, columns, phases), not {evidence.shape}")
    if np.isnan(evidence).any() or np.isposinf(evidence).any():
        raise ValueError("log_likelihood must not be nan or +inf")
    if np.isneginf(evidence).all(axis=2).any():
        raise ValueError("log_likelihood must not be -inf for all phases of a pixel")
    if strength is not None and not (0 <= strength < np.inf):
        raise ValueError(f"strength must be finite and not negative, not {strength}")
    evidence -= evidence.max(axis=2, keepdims=True)
    return _mean_field(evidence, estimated_strength(evidence) if strength is None else strength)


def estimated_strength(log_likelihood: NDArray[np.float64]) -> float:
    """Return the prior strength that best predicts held-out pixels, nats per nearest neighbour.

    A fifth of the pixels at a time is treated as unmeasured; their posterior, which then comes from their neighbours
    alone, is judged by the logarithm of the expected likelihood. The best of a ladder of strengths is found by going
    uphill.

    Parameters
    ----------
    log_likelihood : (rows, columns, phases) float64
        Largest value of each pixel 0, nats.

    Returns
    -------
    float
        One of the ladder.
    """
    scores: dict[int, float] = {}

    def score(rung: int) -> float:
        if rung not in scores:
            scores[rung] = _held_out_score(log_likelihood, STRENGTHS[rung]) if 0 <= rung < len(STRENGTHS) else -np.inf
        return scores[rung]

    best = FIRST
    while max(score(best - 1), score(best + 1)) > score(best):
        best += 1 if score(best + 1) > score(best - 1) else -1
    return STRENGTHS[best]


def _held_out_score(log_likelihood: NDArray[np.float64], strength: float) -> float:
    """Return the summed logarithm of the likelihoods that the map predicts for pixels left out."""
    rows, columns = np.indices(log_likelihood.shape[:2])
    likelihood = np.exp(log_likelihood)
    total = 0.0
    for fold in range(FOLDS_USED):
        held_out = (rows + 2 * columns) % FOLDS == fold
        predicted = _mean_field(np.where(held_out[..., None], 0.0, log_likelihood), strength)
        expected = (predicted[held_out] * likelihood[held_out]).sum(1)
        total += float(np.log(np.maximum(expected, np.finfo(float).tiny)).sum())
    return total


@compiled
def _mean_field(log_likelihood: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """Return the mean-field posterior, (rows, columns, phases); pixels are updated in place, row by row."""
    rows, columns, phases = log_likelihood.shape
    belief = np.empty_like(log_likelihood)
    for row in range(rows):
        for column in range(columns):
            soften(log_likelihood[row, column], belief[row, column])
    if strength == 0.0:
        return belief
    field = np.empty(phases)
    updated = np.empty(phases)
    for _ in range(SWEEPS):
        change = 0.0
        for row in range(rows):
            for column in range(columns):
                change = max(change, renew(log_likelihood, belief, row, column, strength, field, updated))
        if change < 1e-3:
            break
    return belief


@compiled
def renew(
    log_likelihood: NDArray[np.float64],
    belief: NDArray[np.float64],
    row: int,
    column: int,
    strength: float,
    field: NDArray[np.float64],
    updated: NDArray[np.float64],
) -> float:
    """Bring a pixel's posterior up to date and return by how much it changed; writes to two arrays of (phases,)."""
    _add_neighbours(belief, row, column, field)
    for phase in range(len(field)):
        field[phase] = log_likelihood[row, column, phase] + strength * field[phase]
    soften(field, updated)
    change = 0.0
    for phase in range(len(field)):
        change = max(change, abs(updated[phase] - belief[row, column, phase]))
        belief[row, column, phase] = updated[phase]
    return change


@compiled
def _add_neighbours(belief: NDArray[np.float64], row: int, column: int, total: NDArray[np.float64]) -> None:
    """Fill `total`, (phases,), with the weighted sum of the eight neighbours' posteriors."""
    total[:] = 0.0
    for r in range(max(row - 1, 0), min(row + 2, belief.shape[0])):
        for c in range(max(column - 1, 0), min(column + 2, belief.shape[1])):
            if r != row or c != column:
                weight = 1.0 if r == row or c == column else DIAGONAL
                for phase in range(len(total)):
                    total[phase] += weight * belief[r, c, phase]


@compiled
def soften(values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill `out`, (phases,), with the softmax of `values`."""
    largest = values.max()
    total = 0.0
    for phase in range(len(values)):
        out[phase] = np.exp(values[phase] - largest)
        total += out[phase]
    for phase in range(len(values)):
        out[phase] /= total
