"""What an update leaves equals a full recomputation; visits replace themselves and add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daisy_bluesky.sampling import Objectives
from daisy_bluesky.sampling._objective_update import rebuild

SHAPE = (20, 28)
WEIGHTS = {"A": 1.0, "poor in B": 2.0, "phases": 0.5, "boundaries": 0.5}
KEYS = ("neighbours", "reach", "score", "closed")
VISITS = st.lists(
    st.tuples(st.integers(0, 19), st.integers(0, 27), st.integers(0, 40), st.booleans(), st.integers(0, 3)),
    min_size=1,
    max_size=60,
)


def state(objectives):
    field = objectives._field
    return [field.pixels[key].copy() for key in KEYS] + [field.level.copy(), field.gain.copy()]


def evidence(row, column, failed, label):
    found = [(float(row > 9) * 5, 1.0), (float(column % 7), 0.5), (1.0 + label, 0.0)]
    return np.full((1, 3, 2), np.nan) if failed else np.array([found])


@settings(max_examples=25, deadline=None)
@given(VISITS)
def test_an_update_leaves_what_a_full_recomputation_gives(visits):
    objectives = Objectives(SHAPE, WEIGHTS, seed=3)
    for row, column, visit, failed, label in visits:
        objectives.ingest([(row, column)], evidence(row, column, failed, label), visits=[visit])
    updated = state(objectives)
    rebuild(objectives._field, objectives.model.regression, True)
    for got, want in zip(updated, state(objectives), strict=True):
        np.testing.assert_array_equal(got, want)


def test_the_order_of_live_changes_and_data_does_not_matter():
    allowed = np.ones(SHAPE, bool)
    allowed[:, 9:] = False
    first, second = (Objectives(SHAPE, WEIGHTS, seed=3) for _ in range(2))
    first.restrict(allowed)
    first.weights = {"A": 3.0}
    for objectives in (first, second):
        for place in [(2, 3), (15, 20), (7, 8), (18, 2)]:
            objectives.ingest([place], evidence(*place, False, 1))
    second.weights = {"A": 3.0}
    second.restrict(allowed)
    for got, want in zip(state(first), state(second), strict=True):
        np.testing.assert_array_equal(got, want)


def test_visits_to_a_pixel_are_averaged_by_their_dwell_times():
    objectives = Objectives(SHAPE, {"A": 1.0}, seed=3)
    objectives.ingest([(3, 3), (3, 3)], [[(10.0, 3.0)], [(40.0, 1.0)]], dwell=[1.0, 3.0])
    places, values, variances = objectives.measurements("A")
    np.testing.assert_array_equal(places, [(3, 3)])
    assert values == pytest.approx([32.5])
    assert variances == pytest.approx([3.0 / 16 + 9.0 / 16])


def test_asking_changes_nothing_and_the_same_data_give_the_same_sequence():
    sequences = []
    for ask_twice in (False, True):
        objectives, sequence = Objectives(SHAPE, WEIGHTS, seed=4), []
        for _ in range(80):
            visit = objectives.suggest()[0]
            if ask_twice:
                objectives.suggest(7)
            place = (int(visit["row"]), int(visit["column"]))
            objectives.ingest([place], evidence(*place, False, place[1] // 9))
            sequence.append(place)
        sequences.append(sequence)
    assert sequences[0] == sequences[1]
