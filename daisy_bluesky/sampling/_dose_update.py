"""What one visit changes: the beliefs it reaches, and their values."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._dose_field import DoseField
from daisy_bluesky.sampling._messages import send
from daisy_bluesky.sampling._visit_value import kind_of, lattice_neighbour, rate

TOLERANCE = 1e-2
MOST_SENT = 4096
NOTHING = 1e-6


@compiled
def observe_each(
    field: DoseField, places: NDArray[np.int64], evidence: NDArray[np.float64], dwell: NDArray[np.float64]
) -> None:
    """Add evidence, (n, phases) nats, and dwell times, (n,) s, to places, (n, 2), one after the other."""
    for index in range(len(places)):
        observe(field, places[index, 0], places[index, 1], evidence[index], dwell[index])


@compiled
def observe(field: DoseField, row: int, column: int, evidence: NDArray[np.float64], dwell: float) -> None:
    """Add a visit's evidence, (phases,) nats, and dwell time, s, to a pixel, and let the news spread."""
    first = field.dwell[row, column] == 0.0 and dwell > 0.0
    believed = np.argmax(field.belief[row, column])
    kind = kind_of(field, row, column)
    field.evidence[row, column] += evidence
    field.dwell[row, column] += dwell
    if field.dwell[row, column] < NOTHING * field.cost[2]:
        field.dwell[row, column] = 0.0  # what is left when a visit was taken out again
    spread(field, row, column)
    if first:
        level = field.level[row, column]
        field.looks[level, kind] += 1.0
        field.wrong[level, kind] += 1.0 - field.belief[row, column, believed]
        _rate_finer(field, row, column)


@compiled
def _rate_finer(field: DoseField, row: int, column: int) -> None:
    """Renew the values of the points of finer lattices beside a pixel: they are judged by what is found there."""
    rows, columns = field.level.shape
    for level in range(field.level[row, column]):
        for direction in range(4):
            r, c = lattice_neighbour(row, column, 1 << (level // 2), level, direction)
            if 0 <= r < rows and 0 <= c < columns:
                rate(field, r, c)


@compiled
def spread(field: DoseField, row: int, column: int) -> None:
    """Renew the belief of a pixel and of all pixels that its news reaches, first come first served."""
    columns, phases = field.evidence.shape[1:]
    total = np.empty(phases)
    field.queue[0] = row * columns + column
    field.queued[row, column] = True
    sent, waiting = 0, 1
    while sent < waiting:
        place = field.queue[sent % len(field.queue)]
        r, c = place // columns, place % columns
        field.queued[r, c] = False
        sent += 1
        change = send(field, r, c, total)
        rate(field, r, c)
        if change > TOLERANCE and sent < MOST_SENT:
            waiting = _queue_neighbours(field, r, c, waiting)


@compiled
def _queue_neighbours(field: DoseField, row: int, column: int, waiting: int) -> int:
    """Queue the eight neighbours of a pixel, each once; return the number ever queued."""
    rows, columns = field.queued.shape
    for r in range(max(row - 1, 0), min(row + 2, rows)):
        for c in range(max(column - 1, 0), min(column + 2, columns)):
            if not field.queued[r, c] and (r != row or c != column):
                field.queued[r, c] = True
                field.queue[waiting % len(field.queue)] = r * columns + c
                waiting += 1
    return waiting
