import numpy as np
import pytest
from event_model import pack_event_page

from daisy_bluesky.callbacks import NextProbe


class RowByRow:
    """A policy that visits pixels in order and remembers what it was told."""

    shape = (4, 5)

    def __init__(self):
        self.taken = {}

    def suggest(self, n=1):
        free = [pixel for pixel in np.ndindex(self.shape) if pixel not in {p for p, _ in self.taken.values()}]
        suggestions = np.array(
            [(*pixel, np.nan) for pixel in free[:n]], dtype=[("row", float), ("column", float), ("dwell", float)]
        )
        return suggestions.reshape(-1)

    def ingest(self, positions, evidence, *, dwell=None, visits=None):
        for position, label, visit in zip(positions, evidence, visits, strict=True):
            self.taken[visit] = (tuple(position), label)

    def expected_at(self, row, column):
        return row * 10.0 + column

    def remaining_distortion(self):
        return 0.1, 0.0, 0.2


class Brightest:
    """A labeller whose phase is the brightest channel, unless told to think again."""

    phases = ("a", "b", "c")

    def __init__(self):
        self.again = []

    def label(self, visit, spectrum):
        return int(np.argmax(spectrum))

    def relabelled(self):
        changed, self.again = self.again, []
        return changed


def start(uid="run"):
    return "start", {"uid": uid, "time": 0.0}


def descriptor(name="primary", keys=("eds_spectrum", "probe_row", "probe_column")):
    return "descriptor", {
        "uid": f"{name} descriptor",
        "name": name,
        "data_keys": {key: {} for key in keys},
        "run_start": "run",
    }


def event(seq_num, pixel, label, stream="primary", charge=2.0):
    spectrum = np.zeros(8, dtype=np.uint32)
    spectrum[label] = 9
    data = {"eds_spectrum": spectrum, "probe_row": float(pixel[0]), "probe_column": float(pixel[1])}
    data |= {"beam_charge": charge, "beam_time": 10.0 * seq_num, "beam_dwell_time": 0.5}
    return "event", {"descriptor": f"{stream} descriptor", "seq_num": seq_num, "data": data, "timestamps": {}}


@pytest.fixture
def recommender():
    return NextProbe(RowByRow(), Brightest(), spectrum="eds_spectrum")


def feed(recommender, *documents):
    for document in documents:
        recommender(*document)


def test_an_event_is_classified_and_the_next_position_follows(recommender):
    feed(recommender, start(), descriptor(), event(1, (0, 0), 2))
    decision = recommender.decide()
    assert (decision.row, decision.column, decision.found, decision.visit) == (0.0, 1.0, 2, 1)
    assert decision.expected_reduction == 1.0
    assert decision.latency > 0
    again = recommender.decide()
    assert (again.row, again.column) == (0.0, 1.0)


def test_an_event_emitted_again_replaces_itself_and_its_charge(recommender):
    feed(recommender, start(), descriptor(), event(1, (0, 0), 2), event(1, (0, 0), 1, charge=3.0))
    assert recommender.visits == 1
    assert recommender.policy.taken == {1: ((0, 0), 1)}
    assert recommender.spending.charge == 3.0


def test_events_of_other_streams_are_left_alone(recommender):
    feed(
        recommender, start(), descriptor(), descriptor("baseline", keys=("x",)), event(1, (0, 0), 2, stream="baseline")
    )
    assert recommender.visits == 0


def test_second_thoughts_reach_the_policy(recommender):
    feed(recommender, start(), descriptor(), event(1, (0, 0), 2))
    recommender.labeller.again = [(1, 3)]
    feed(recommender, event(2, (0, 1), 1))
    assert recommender.policy.taken[1] == ((0, 0), 3)
    assert recommender.decide().relabelled == 1


def test_a_continued_run_counts_on(recommender):
    feed(recommender, start(), descriptor(), event(1, (0, 0), 2), event(2, (0, 1), 2))
    feed(recommender, start("second"), descriptor(), event(1, (0, 2), 1))
    assert recommender.visits == 3
    assert recommender.policy.taken[3] == ((0, 2), 1)
    assert recommender.spending.charge == 6.0
    assert recommender.spending.seconds == pytest.approx(10.5 + 0.5)
    assert recommender.spending.visit_map((4, 5)).sum() == 3


def test_nothing_left_is_a_false_decision(recommender):
    feed(recommender, start(), descriptor())
    for number, pixel in enumerate(np.ndindex(4, 5), start=1):
        feed(recommender, event(number, pixel, 1))
    decision = recommender.decide()
    assert not decision
    assert (decision.row, decision.column) == (-1, -1)


def test_a_stream_without_spectra_is_named(recommender):
    with pytest.raises(ValueError, match="eds_spectrum"):
        feed(recommender, start(), descriptor(keys=("probe_row", "probe_column", "haadf_intensity")))


class BrightestTogether(Brightest):
    def label_batch(self, visits, spectra):
        return spectra.argmax(axis=1)


def test_a_page_tells_the_policy_what_its_events_would():
    each, together = (NextProbe(RowByRow(), BrightestTogether(), spectrum="eds_spectrum") for _ in range(2))
    events = [event(number, (number, 2), number % 3 + 1) for number in range(1, 6)]
    feed(each, start(), descriptor(), *events)
    singles = [document | {"uid": str(place), "time": 0.0} for place, (_, document) in enumerate(events)]
    feed(together, start(), descriptor(), ("event_page", pack_event_page(*singles)))
    assert together.policy.taken == each.policy.taken
    np.testing.assert_array_equal(together.visit_labels, each.visit_labels)
    assert together.spending.charge == each.spending.charge == 10.0
    assert together.spending.seconds == each.spending.seconds
    answers = [(decision.visit, decision.found) for decision in together.decide_batch(5)]
    assert answers == [(number, number % 3 + 1) for number in range(1, 6)]
