"""How wrong a map still is, as far as its posterior tells, corrected by how often neighbours were wrong."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._dose_field import DIRECTIONS, DoseField

# Total distortion below which it does not matter how many times off an estimate is.
LEAST = 1e-3
# All but two of 634 moments of calibration and test maps had no more wrong pixels than so many times the doubt and a
# few: this caps the interval where next to no doubt is left, which `LEAST` hides.
MOST_TIMES, FEW_PIXELS = 6.0, 5
# `python -m daisy_bluesky.sampling.calibrate_stopping` made the next three lines.
SLOPES = (-1.101, 0.283, -1.808, 0.961)
INTERVAL = (-1.048, 1.513)
LEAST_SIGNS, LARGEST_SIGNS = (1.000, -6.643, -3.559, -3.546), (1.000, -2.294, -1.886, -1.964)


def remaining_doubt(field: DoseField) -> tuple[float, float, float]:
    """Return (estimate, low, high) of the total distortion inside the region of interest, fractions of its pixels.

    The mean probability of another phase than the leading one, times how many times off it was on generated maps with
    the same signs; see `signs`. Low and high enclosed the truth in 90% of them.
    """
    told = signs(field)
    off = float(np.dot(SLOPES, np.clip(told, LEAST_SIGNS, LARGEST_SIGNS)))
    ends = np.exp(told[1] + off + np.array([0.0, *INTERVAL])) - LEAST
    most = MOST_TIMES * (np.exp(told[1]) - LEAST) + FEW_PIXELS / np.count_nonzero(field.inside)
    middle, low, high = np.clip(ends, 0.0, min(most, 1.0)).tolist()
    return middle, low, high


def signs(field: DoseField) -> NDArray[np.float64]:
    """Return what a map itself tells about the distortion that is left, (4,) float64.

    1; and the logarithms, raised by `LEAST`, of three means over the pixels: the doubt; the doubt that the neighbours
    leave; and how often a pixel turned out to be another phase than its neighbours foretold. Where the last is more
    than the one before, the spatial prior is too firm for the sample.
    """
    means = np.array(_told_by_neighbours(field)) / np.count_nonzero(field.inside)
    return np.concatenate([[1.0], np.log(means + LEAST)])


@compiled
def _told_by_neighbours(field: DoseField) -> tuple[float, float, float]:
    """Return summed over the region of interest: doubt, that which neighbours leave, and how often they were wrong."""
    rows, columns, phases = field.evidence.shape
    doubt, met, expected = 0.0, 0.0, 0.0
    for row in range(rows):
        for column in range(columns):
            if not field.inside[row, column]:
                continue
            foretold, largest, whole, leading = 0, 0.0, 0.0, 0.0
            for phase in range(phases):
                told = np.exp(float(field.expected[row, column, phase]))
                for direction in range(DIRECTIONS):
                    told *= field.messages[row, column, direction, phase]
                whole += told
                if told > largest:
                    foretold, largest = phase, told
                leading = max(leading, field.belief[row, column, phase])
            doubt += max(1.0 - leading, 0.0)
            met += max(1.0 - field.belief[row, column, foretold], 0.0)
            expected += 1.0 - largest / whole
    return doubt, expected, met
