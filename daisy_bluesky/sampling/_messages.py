"""Belief propagation: what neighbouring pixels tell each other about their phases, without echo."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._dose_field import DIRECTIONS, DoseField

ROW_STEP = np.array([-1, -1, -1, 0, 0, 1, 1, 1])
COLUMN_STEP = np.array([-1, 0, 1, -1, 1, -1, 0, 1])
DIAGONAL = 0.5


def couplings(strength: float) -> NDArray[np.float64]:
    """Return ``exp(strength) - 1`` towards the eight neighbours, diagonal ones at half the strength."""
    straight = (ROW_STEP == 0) | (COLUMN_STEP == 0)
    return np.asarray(np.expm1(np.where(straight, strength, DIAGONAL * strength)))


@compiled
def send(field: DoseField, row: int, column: int, total: NDArray[np.float64]) -> float:
    """Renew a pixel's belief and all it tells its neighbours; return the largest relative change of a message.

    A neighbour is told what the pixel believes without that neighbour's own message, which is divided out: Potts
    messages are ``1 + (exp(strength) - 1) * belief``, up to a factor all phases share.

    Parameters
    ----------
    field : DoseField
        State of the field.
    row, column : int
        The pixel.
    total : (phases,) float64
        Scratch.

    Returns
    -------
    float
    """
    rows, columns, phases = field.evidence.shape
    _believe(field, row, column, total)
    change = 0.0
    for direction in range(DIRECTIONS):
        r, c = row + ROW_STEP[direction], column + COLUMN_STEP[direction]
        if r < 0 or c < 0 or r >= rows or c >= columns:
            continue
        heard, told = field.messages[row, column, direction], field.messages[r, c, DIRECTIONS - 1 - direction]
        without = 0.0
        for phase in range(phases):
            without += total[phase] / heard[phase]
        scale = field.coupling[direction] / without
        for phase in range(phases):
            message = 1.0 + scale * total[phase] / heard[phase]
            change = max(change, abs(message / told[phase] - 1.0))
            told[phase] = message
    return change


@compiled
def _believe(field: DoseField, row: int, column: int, total: NDArray[np.float64]) -> None:
    """Renew a pixel's belief from evidence, expectation and neighbours; leave it in `total`, (phases,)."""
    phases, largest, whole = len(total), -np.inf, 0.0
    for phase in range(phases):
        total[phase] = field.evidence[row, column, phase] + field.expected[row, column, phase]
        largest = max(largest, total[phase])
    for phase in range(phases):
        total[phase] = np.exp(total[phase] - largest)
        for direction in range(DIRECTIONS):
            total[phase] *= field.messages[row, column, direction, phase]
        whole += total[phase]
    for phase in range(phases):
        total[phase] /= whole
        field.belief[row, column, phase] = total[phase]


@compiled
def sweep(field: DoseField, sweeps: int, tolerance: float) -> None:
    """Let all pixels tell all neighbours, there and back through the field, until little changes."""
    rows, columns, phases = field.evidence.shape
    total = np.empty(phases)
    for _ in range(sweeps):
        change = 0.0
        for place in range(rows * columns):
            send(field, place // columns, place % columns, total)
        for place in range(rows * columns - 1, -1, -1):
            change = max(change, send(field, place // columns, place % columns, total))
        if change < tolerance:
            break
