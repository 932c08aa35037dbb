"""How strongly neighbouring pixels are of one phase, estimated from what was measured."""

import numpy as np

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._dose_field import DIRECTIONS, DoseField
from daisy_bluesky.sampling._messages import couplings, sweep

# Beyond 1 neighbours are believed so firmly that a wrong pixel among them is not looked at again: a dendrite at four
# counts a pixel kept twice the distortion.
STRENGTHS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FIRST = STRENGTHS.index(0.7)
SWEEPS = 6
TOLERANCE = 0.02
LARGEST_WINDOW = 96


def estimated_strength(field: DoseField, start: float) -> float:
    """Return the strength under which pixels are best predicted by all others, nats per nearest neighbour.

    What the neighbours tell a pixel does not contain the pixel's own evidence, so every pixel is left out in turn at
    the price of one propagation. The best of a ladder is found by going uphill, in the middle of a large field.

    Parameters
    ----------
    field : DoseField
        State of the field; not changed.
    start : float
        Where to begin on the ladder.

    Returns
    -------
    float
        One of the ladder; `start` where nothing was measured in the window.
    """
    window = _window(field)
    scores: dict[int, float] = {}

    def score(rung: int) -> float:
        if rung not in scores:
            scores[rung] = _score(window, STRENGTHS[rung]) if 0 <= rung < len(STRENGTHS) else -np.inf
        return scores[rung]

    best = STRENGTHS.index(start)
    while max(score(best - 1), score(best + 1)) > score(best):
        best += 1 if score(best + 1) > score(best - 1) else -1
    return STRENGTHS[best]


def _window(field: DoseField) -> DoseField:
    """Return a copy of the evidence in the middle of the field, with all else as before the first visit."""
    rows, columns = field.dwell.shape
    top, left = max((rows - LARGEST_WINDOW) // 2, 0), max((columns - LARGEST_WINDOW) // 2, 0)
    middle = (slice(top, top + LARGEST_WINDOW), slice(left, left + LARGEST_WINDOW))
    return field._replace(
        evidence=field.evidence[middle].copy(),
        expected=field.expected[middle].copy(),
        messages=np.ones_like(field.messages[middle]),
        belief=field.belief[middle].copy(),
        dwell=field.dwell[middle].copy(),
    )


def _score(window: DoseField, strength: float) -> float:
    window.messages[:] = 1.0
    trial = window._replace(coupling=couplings(strength))
    sweep(trial, SWEEPS, TOLERANCE)
    return _predicted(trial)


@compiled
def _predicted(field: DoseField) -> float:
    """Return the summed logarithm of the likelihoods that the neighbours predict for the measured pixels."""
    rows, columns, phases = field.evidence.shape
    score = 0.0
    expected = np.empty(phases)
    for row in range(rows):
        for column in range(columns):
            if field.dwell[row, column] > 0:
                expected[:] = 1.0
                for direction in range(DIRECTIONS):
                    expected *= field.messages[row, column, direction]
                likelihood = np.exp(field.evidence[row, column] - field.evidence[row, column].max())
                score += np.log(max((expected * likelihood).sum() / expected.sum(), 1e-300))
    return score
