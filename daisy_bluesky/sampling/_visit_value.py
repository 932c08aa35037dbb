"""What the next visit to a pixel is worth: expected reduction in distortion per unit of cost."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.sampling._dose_field import DOUBTS, DoseField
from daisy_bluesky.sampling._field import TILE

DECIDED = 7.0  # log odds at which a pixel is taken as decided, nats
SMALLEST_STEP = 0.1  # nats a visit should bring on average, so that no electron is bound by too many decisions
ENOUGH = 3.0  # no visit is longer than this many times what is expected to decide the pixel
# The same where few pixels are visited at all: a longer visit costs more new pixels than the wrong labels it spares.
SPARSELY_ENOUGH = 1.5
FIRST_PASS = 1e6  # how much more than others the pixels of the first pass are worth
ROUNDING = 1e-9  # part of the shortest visit that may be missing where it has room
FAINT = 1e-12  # probability of another phase that no evidence takes away: looking never ends


@compiled
def kind_of(field: DoseField, row: int, column: int) -> int:
    """Return the kind of an unmeasured pixel, by the phases of its four neighbours on the lattice and by its doubt."""
    rows, columns = field.level.shape
    level, phase = int(field.level[row, column]), np.argmax(field.belief[row, column])
    step, differing = 1 << (level // 2), 0
    for direction in range(4):
        r, c = lattice_neighbour(row, column, step, level, direction)
        if 0 <= r < rows and 0 <= c < columns and np.argmax(field.belief[r, c]) != phase:
            differing += 1
    doubt, number = 1.0 - field.belief[row, column, phase], 0
    while number < len(DOUBTS) and doubt >= DOUBTS[number]:
        number += 1
    return min(differing, 2) * (len(DOUBTS) + 1) + number


@compiled
def lattice_neighbour(row: int, column: int, step: int, level: int, direction: int) -> tuple[int, int]:
    """Return one of the four nearest points of the next coarser lattice: straight ahead, or diagonally of a centre."""
    sign = 1 - 2 * (direction & 1)
    if level & 1:
        return row + sign * step, column + (1 - (direction & 2)) * step
    return (row + sign * step, column) if direction & 2 else (row, column + sign * step)


@compiled
def rate(field: DoseField, row: int, column: int) -> None:
    """Set the value and the dwell time of the next visit to a pixel.

    Deciding between the leading phase a and another one b is a sequential test (Wald): the log odds l of a drift by the
    separation J nats per second of dwell, towards plus or minus the decided odds D. The way to go is
    ``m = (p_a (D - l) + p_b (D + l)) / (p_a + p_b)`` nats on average, in ``m / (J t) + 1/2`` visits of dwell t, each of
    cost ``h + t``; the cost is least at ``t = sqrt(2 h m / J)``. What is gained is p_b. So the value of a visit is the
    sum over b of p_b divided by that cost: what the test as a whole is worth per unit of cost, so that a visit too
    short to turn the decision alone has its share.

    What spectra found so far corrects p_b by pair of phases, and the value by place; see `learn_surprise`.

    An unmeasured pixel stands for all pixels of its lattice cell, and the doubt of its kind is what looking at such
    pixels has shown so far.
    """
    offered, belief = 0.0, field.belief[row, column]
    room = field.limit[row, column] - field.dwell[row, column]
    field.dirty[row // TILE, column // TILE] = True
    if room < field.cost[2] * (1 - ROUNDING):
        field.value[row, column] = -1.0
        field.offer[row, column] = 0.0
        return
    leading = int(np.argmax(belief))
    doubt = belief.sum() - belief[leading]
    scale, area = _stake(field, row, column, doubt)
    value, most = 0.0, -1.0
    for phase in range(len(belief)):
        if phase == leading:
            continue
        chance = max(belief[phase] * field.odds[leading, phase] * scale, FAINT)
        dwell, cost = _test(field, leading, phase, max(belief[leading], chance), chance)
        value += chance / cost
        if chance / cost > most:
            most, offered = chance / cost, dwell
    if field.learned[0] and field.dwell[row, column] == 0:
        offered = _dwell_of_label(field, row, column, leading, scale)
    value += (FAINT + field.stake[row, column]) / (field.cost[0] + _search(field, leading, field.dwell[row, column]))
    field.value[row, column] = area * value * urgency(field, row, column)
    field.offer[row, column] = min(max(offered, field.cost[2]), room)


@compiled
def urgency(field: DoseField, row: int, column: int) -> float:
    """Return how many times its value a visit counts: those of the first pass come first."""
    belief = field.belief[row, column]
    known = field.dwell[row, column] > 0 or field.learned[0] or belief.sum() <= belief.max()
    return 1.0 if known or field.level[row, column] < field.cost[3] else FIRST_PASS


@compiled
def _stake(field: DoseField, row: int, column: int, doubt: float) -> tuple[float, float]:
    """Return by what to multiply the other phases' probabilities, and how many pixels are decided with this one."""
    if field.dwell[row, column] > 0 or doubt <= 0:
        return 1.0, field.area[row, column] * field.rough[row, column]
    level, kind = field.level[row, column], kind_of(field, row, column)
    seen = field.wrong[level, kind] / field.looks[level, kind]
    if field.learned[0]:
        return max(seen / doubt, 1.0), 1.0
    return max(seen / doubt, 1.0), 2.0**level


@compiled
def _test(field: DoseField, leading: int, phase: int, sure: float, chance: float) -> tuple[float, float]:
    """Return the dwell time of the next visit and the expected cost of deciding between two phases."""
    needed = _needed(field, leading, phase, sure, chance)
    dwell = _dwell(field, needed, field.separation[leading, phase])
    return dwell, (field.cost[0] + dwell) * _visits(field, needed, dwell)


@compiled
def _needed(field: DoseField, leading: int, phase: int, sure: float, chance: float) -> float:
    """Return the dwell time that deciding between two phases takes on average, s."""
    odds = min(np.log(sure / chance), DECIDED - 1.0)
    way: float = (sure * (DECIDED - odds) + chance * (DECIDED + odds)) / (sure + chance)
    return way / float(field.separation[leading, phase])


@compiled
def _dwell(field: DoseField, needed: float, separation: float) -> float:
    """Return the dwell time of a visit where so much is needed, s."""
    noise = field.cost[1]
    dwell = max(np.sqrt(2.0 * (field.cost[0] + noise) * needed), SMALLEST_STEP / separation)
    most = (SPARSELY_ENOUGH if field.learned[0] else ENOUGH) * (needed + noise)
    return float(max(min(dwell, most), field.cost[2]))


@compiled
def _visits(field: DoseField, needed: float, dwell: float) -> float:
    """Return how many visits of a dwell time are expected where so much is needed."""
    return float(max(needed * (dwell + field.cost[1]) / (dwell * dwell) + 0.5, 1.0))


@compiled
def _dwell_of_label(field: DoseField, row: int, column: int, leading: int, scale: float) -> float:
    """Return the dwell time of a first visit that is to leave a label, s: of those each phase asks for, the best.

    All phases share the visit, and no other is planned: that dwell time is best for which the probabilities of
    phases, each divided by the visits that deciding it takes, sum to most per cost.
    """
    best, most = field.cost[2], -1.0
    belief = field.belief[row, column]
    for one in range(len(belief)):
        if one == leading:
            continue
        chance = max(belief[one] * field.odds[leading, one] * scale, FAINT)
        needed = _needed(field, leading, one, max(belief[leading], chance), chance)
        dwell, gain = _dwell(field, needed, field.separation[leading, one]), 0.0
        for other in range(len(belief)):
            if other != leading:
                chance = max(belief[other] * field.odds[leading, other] * scale, FAINT)
                needed = _needed(field, leading, other, max(belief[leading], chance), chance)
                gain += chance / _visits(field, needed, dwell)
        if gain / (field.cost[0] + dwell) > most:
            best, most = dwell, gain / (field.cost[0] + dwell)
    return float(best)


@compiled
def _search(field: DoseField, leading: int, spent: float) -> float:
    """Return the dwell time of looking for an unknown phase, s: what tells two phases apart, and what was spent."""
    largest = float(field.separation[leading].max())
    needed: float = max(DECIDED / largest if largest > 0.0 else 0.0, field.cost[2])
    return needed + spent


@compiled
def rate_all(field: DoseField) -> None:
    """Renew all values."""
    for row in range(field.value.shape[0]):
        for column in range(field.value.shape[1]):
            rate(field, row, column)


@compiled
def best_visit(field: DoseField) -> int:
    """Return row * columns + column of the visit of first rank, of equals the first in order of tiles; -1 for none."""
    best, largest = -1, 0.0
    for tile_row in range(field.tiles.shape[0]):
        for tile_column in range(field.tiles.shape[1]):
            if field.dirty[tile_row, tile_column]:
                _summarise(field, tile_row, tile_column)
            if field.tiles[tile_row, tile_column] > largest:
                largest = field.tiles[tile_row, tile_column]
                best = tile_row * field.tiles.shape[1] + tile_column
    if best < 0:
        return -1
    top, left = best // field.tiles.shape[1] * TILE, best % field.tiles.shape[1] * TILE
    tile = _ranks(field, top, left)
    place = np.argmax(tile)
    return int((top + place // tile.shape[1]) * field.value.shape[1] + left + place % tile.shape[1])


@compiled
def _summarise(field: DoseField, tile_row: int, tile_column: int) -> None:
    """Bring a tile's largest rank up to date."""
    field.tiles[tile_row, tile_column] = _ranks(field, tile_row * TILE, tile_column * TILE).max()
    field.dirty[tile_row, tile_column] = False


@compiled
def _ranks(field: DoseField, top: int, left: int) -> NDArray[np.float32]:
    """Return what the visits of a tile are compared by, (rows, columns) float32: their values times preference."""
    bottom, right = top + TILE, left + TILE
    return field.value[top:bottom, left:right] * field.preference[top:bottom, left:right]


@compiled
def learn_separation(field: DoseField) -> None:
    """Estimate how fast spectra tell phases apart from what all visits found, (phases, phases) nats per second.

    Under phase a the log odds of a against b rise by J_ab per second: the posterior-weighted mean over all pixels,
    with a guess that counts as one visit, made symmetric. Before anything is known a visit is as long as its overhead:
    at most twice as dear as the best there is.
    """
    phases = field.separation.shape[0]
    extra, shortest = field.cost[0] + field.cost[1], field.cost[2]
    weight = max(extra, shortest)
    guess = 2.0 * DECIDED / extra if extra > shortest else SMALLEST_STEP / weight
    spent, told = np.full(phases, weight), np.full((phases, phases), guess * weight)
    for row in range(field.dwell.shape[0]):
        for column in range(field.dwell.shape[1]):
            if field.dwell[row, column] > 0:
                for one in range(phases):
                    belief = field.belief[row, column, one]
                    spent[one] += belief * field.dwell[row, column]
                    for other in range(phases):
                        difference = field.evidence[row, column, one] - field.evidence[row, column, other]
                        told[one, other] += belief * difference
    for one in range(phases):
        told[one] /= spent[one]
    least = 1e-3 * told.max()
    for one in range(phases):
        for other in range(phases):
            field.separation[one, other] = max((told[one, other] + told[other, one]) / 2, least)
