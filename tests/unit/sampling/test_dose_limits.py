"""Where visits are dear, too, nothing is suggested that is forbidden or has no room for a visit."""

import numpy as np
import pytest

from daisy_bluesky.sampling import DoseAllocator, VisitCost

SHAPE = (24, 24)
SHORTEST = 1e-3


def shut(kind):
    closed = np.zeros(SHAPE, bool)
    closed[:, :8] = True
    room = {"no room": 0.0, "less than one visit": 0.5 * SHORTEST}
    if kind == "forbidden":
        return closed, {"forbidden": closed}
    return closed, {"limit": np.where(closed, room[kind], np.inf)}


@pytest.mark.parametrize("settling", [0.0, SHORTEST, 1.0])
@pytest.mark.parametrize("n", [1, 16])
@pytest.mark.parametrize("kind", ["forbidden", "no room", "less than one visit"])
def test_nothing_without_room_is_suggested(settling, n, kind):
    closed, where = shut(kind)
    cost = VisitCost(minimum_dwell=SHORTEST, settling=settling)
    allocator = DoseAllocator(SHAPE, phases=2, cost=cost, **where)
    rng, visited = np.random.default_rng(0), 0
    while visited < 450 and len(visits := allocator.suggest(n)):
        assert (visits["dwell"] >= SHORTEST * (1 - 1e-6)).all()
        assert not closed[visits["row"], visits["column"]].any()
        positions = np.stack([visits["row"], visits["column"]], axis=1)
        phase = positions[:, 0] < 12
        evidence = np.where(phase[:, None], [0.0, -1.0], [-1.0, 0.0]) + 0.1 * rng.normal(size=(len(visits), 2))
        allocator.ingest(positions, evidence, dwell=visits["dwell"])
        visited += len(visits)
    assert visited >= 384


def test_room_opened_again_is_used():
    allocator = DoseAllocator(SHAPE, phases=2, cost=VisitCost(minimum_dwell=SHORTEST, settling=1.0))
    allowed = np.zeros(SHAPE, bool)
    allocator.restrict(allowed)
    assert len(allocator.suggest()) == len(allocator.suggest(4)) == 0
    allowed[3, 4] = True
    allocator.restrict(allowed)
    (visit,) = allocator.suggest()
    assert (visit["row"], visit["column"]) == (3, 4)
