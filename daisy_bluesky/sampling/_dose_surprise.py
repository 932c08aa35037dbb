"""Where, and between which phases, neighbours foretold pixels wrongly: doubt is larger there than the prior says."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._dose_field import DIRECTIONS, DoseField

ROUNDS = 3
# Pixels of each phase, found and foretold, that say the prior is right: with none of its own a pair keeps its odds.
PAIR_WEIGHT = 3.0
REACH = 4.0  # standard deviation of what counts as the same place, pixels
LOCAL_WEIGHT = 5.0  # wrong pixels about a place that say it is like all others
FARTHEST = 20.0


def learn_surprise(field: DoseField) -> None:
    """Compare what measured pixels turned out to be with what their neighbours foretold; renew `odds` and `rough`.

    A Potts prior takes all pairs of phases for equally likely neighbours, and all places for equally smooth. How many
    times more pixels of phase b are found where neighbours foretell a than they say is estimated by expectation and
    maximisation from all measured pixels, and so is how many times more pixels are of another phase about a place.
    The map is not drawn by it, only the dose.
    """
    phases = len(field.odds)
    met, expected = np.zeros(field.dwell.shape), np.zeros(field.dwell.shape)
    odds = np.ones((phases, phases))
    for _ in range(ROUNDS):
        found, foretold = np.full((phases, phases), PAIR_WEIGHT), np.full((phases, phases), PAIR_WEIGHT)
        _look_back(field, odds, found, foretold, met, expected)
        odds = found / foretold
        odds /= odds.diagonal()[:, None].copy()
    field.odds[:] = odds
    if met.any() and expected.any():
        field.rough[:] = _times_more(met, expected)


def _times_more(met: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many times more wrong pixels were met about each place than expected, all places together being 1."""
    overall, pixels = met.sum() / expected.sum(), 4 * np.pi * REACH**2
    here = pixels * gaussian_filter(met, REACH, mode="nearest") + LOCAL_WEIGHT * overall
    here /= pixels * gaussian_filter(expected, REACH, mode="nearest") + LOCAL_WEIGHT
    return np.asarray(np.clip(here / overall, 1 / FARTHEST, FARTHEST))


@compiled
def _look_back(
    field: DoseField,
    odds: NDArray[np.float64],
    found: NDArray[np.float64],
    foretold: NDArray[np.float64],
    met: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> None:
    """Add up, by the phase foretold, what measured pixels are and what was foretold, (phases, phases); and by pixel.

    `met` and `expected`, (rows, columns), become the probability of another phase than foretold with and without a
    pixel's own evidence, under the prior as it is; `odds` count for `found`.
    """
    rows, columns, phases = field.evidence.shape
    told = np.empty(phases)
    for row in range(rows):
        for column in range(columns):
            if field.dwell[row, column] == 0.0 or not field.inside[row, column]:
                continue
            for phase in range(phases):
                told[phase] = np.exp(float(field.expected[row, column, phase]))
                for direction in range(DIRECTIONS):
                    told[phase] *= field.messages[row, column, direction, phase]
            told /= told.sum()
            first = np.argmax(told)
            belief = field.belief[row, column] * odds[first]
            found[first] += belief / belief.sum()
            foretold[first] += told
            met[row, column] = max(1.0 - field.belief[row, column, first], 0.0)
            expected[row, column] = 1.0 - told[first]
