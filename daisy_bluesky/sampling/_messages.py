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
def gather(field: DoseField, row: int, column: int, total: NDArray[np.float64]) -> None:
    """Fill `total`, (phases,), with a pixel's evidence and all that its neighbours tell it, nats."""
    for phase in range(len(total)):
        total[phase] = field.evidence[row, column, phase]
        for direction in range(DIRECTIONS):
            total[phase] += field.messages[row, column, direction, phase]


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


@compiled
def send(field: DoseField, row: int, column: int, total: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """Renew a pixel's belief and all it tells its neighbours; return the largest change, nats.

    A neighbour is told what the pixel believes without that neighbour's own message: Potts messages are
    ``log(1 + (exp(strength) - 1) * belief)``, up to a term all phases share.
    """
    rows, columns, phases = field.evidence.shape
    gather(field, row, column, total)
    soften(total, share)
    for phase in range(phases):
        field.belief[row, column, phase] = share[phase]
    change = 0.0
    for direction in range(DIRECTIONS):
        r, c = row + ROW_STEP[direction], column + COLUMN_STEP[direction]
        if r < 0 or c < 0 or r >= rows or c >= columns:
            continue
        largest, belief = -np.inf, 0.0
        for phase in range(phases):
            largest = max(largest, total[phase] - field.messages[row, column, direction, phase])
        for phase in range(phases):
            share[phase] = np.exp(total[phase] - field.messages[row, column, direction, phase] - largest)
            belief += share[phase]
        back = DIRECTIONS - 1 - direction
        for phase in range(phases):
            message = np.log1p(field.coupling[direction] * share[phase] / belief)
            change = max(change, abs(message - field.messages[r, c, back, phase]))
            field.messages[r, c, back, phase] = message
    return change


@compiled
def sweep(field: DoseField, sweeps: int, tolerance: float) -> None:
    """Let all pixels tell all neighbours, there and back through the field, until little changes."""
    rows, columns, phases = field.evidence.shape
    total, share = np.empty(phases), np.empty(phases)
    for _ in range(sweeps):
        change = 0.0
        for place in range(rows * columns):
            send(field, place // columns, place % columns, total, share)
        for place in range(rows * columns - 1, -1, -1):
            change = max(change, send(field, place // columns, place % columns, total, share))
        if change < tolerance:
            break
