"""The spatial prior of a fully scanned map: neighbouring pixels tend to be of one phase."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled

SWEEPS = 30
STRENGTHS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5)
FOLDS = 5


def potts_posterior(log_likelihood: ArrayLike, strength: float | None = None) -> NDArray[np.float64]:
    """Return the phase probabilities of a scanned field under a Potts prior, by mean field.

    Each pixel's posterior is softmax(log-likelihood + strength * sum of its eight neighbours' posteriors), iterated to
    a fixed point from the likelihoods alone.

    Parameters
    ----------
    log_likelihood : (rows, columns, phases) float
        Log-likelihood of each pixel's spectrum under each phase, nats; all equal where nothing was measured.
    strength : float, optional
        Strength of the prior for each neighbour, nats. Estimated when omitted: the one under which the map
        best predicts the likelihoods of pixels left out.

    Returns
    -------
    (rows, columns, phases) float64
        Probabilities, which sum to 1.

    Raises
    ------
    ValueError
        If the log-likelihoods are not three-dimensional or not numbers, or the strength is negative.

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
    if strength is not None and not (0 <= strength < np.inf):
        raise ValueError(f"strength must be finite and not negative, not {strength}")
    evidence -= evidence.max(axis=2, keepdims=True)
    return _mean_field(evidence, estimated_strength(evidence) if strength is None else strength)


def estimated_strength(log_likelihood: NDArray[np.float64]) -> float:
    """Return the prior strength that best predicts held-out pixels, nats per neighbour.

    A fifth of the pixels at a time is treated as unmeasured; their posterior, which then comes from their
    neighbours alone, is judged by the logarithm of the expected likelihood.

    Parameters
    ----------
    log_likelihood : (rows, columns, phases) float64
        Largest value of each pixel 0.

    Returns
    -------
    float
        One of a fixed ladder of strengths.
    """
    rows, columns = np.indices(log_likelihood.shape[:2])
    fold = (rows + 2 * columns) % FOLDS
    likelihood = np.exp(log_likelihood)
    held_out = [(fold == number)[..., None] for number in range(FOLDS)]

    def prediction(strength: float) -> float:
        total = 0.0
        for held in held_out:
            predicted = _mean_field(np.where(held, 0.0, log_likelihood), strength)
            total += float(np.log(np.maximum((predicted * likelihood).sum(2), 1e-300))[held[..., 0]].sum())
        return total

    scores = [prediction(strength) for strength in STRENGTHS]
    return STRENGTHS[int(np.argmax(scores))]


@compiled
def _mean_field(log_likelihood: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """Return the mean-field posterior, (rows, columns, phases); pixels are updated in place, row by row."""
    rows, columns, phases = log_likelihood.shape
    belief = np.empty_like(log_likelihood)
    for row in range(rows):
        for column in range(columns):
            _soften(log_likelihood[row, column], belief[row, column])
    if strength == 0.0:
        return belief
    field = np.empty(phases)
    updated = np.empty(phases)
    for _ in range(SWEEPS):
        change = 0.0
        for row in range(rows):
            for column in range(columns):
                _add_neighbours(belief, row, column, field)
                for phase in range(phases):
                    field[phase] = log_likelihood[row, column, phase] + strength * field[phase]
                _soften(field, updated)
                for phase in range(phases):
                    change = max(change, abs(updated[phase] - belief[row, column, phase]))
                    belief[row, column, phase] = updated[phase]
        if change < 1e-3:
            break
    return belief


@compiled
def _add_neighbours(belief: NDArray[np.float64], row: int, column: int, total: NDArray[np.float64]) -> None:
    """Fill `total`, (phases,), with the sum of the eight neighbours' posteriors."""
    total[:] = 0.0
    for r in range(max(row - 1, 0), min(row + 2, belief.shape[0])):
        for c in range(max(column - 1, 0), min(column + 2, belief.shape[1])):
            if r != row or c != column:
                for phase in range(len(total)):
                    total[phase] += belief[r, c, phase]


@compiled
def _soften(values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill `out`, (phases,), with the softmax of `values`."""
    largest = values.max()
    total = 0.0
    for phase in range(len(values)):
        out[phase] = np.exp(values[phase] - largest)
        total += out[phase]
    for phase in range(len(values)):
        out[phase] /= total
