"""The incremental engine against a twin that computes everything anew from the list of visits."""

import itertools

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from daisy_bluesky.sampling import DoseAllocator, VisitCost

SHAPE = (2, 3)
PHASES = 2
LIMIT = 3.0
nats = st.floats(-6, 6, allow_nan=False)


def exact_marginals(evidence, strength):
    """Sum over all maps of a small field: the posterior of a Potts prior, (rows, columns, phases)."""
    rows, columns, phases = evidence.shape
    places = list(np.ndindex(rows, columns))
    pairs = [
        (one, other, strength if (a - c) * (b - d) == 0 else strength / 2)
        for (one, (a, b)), (other, (c, d)) in itertools.combinations(enumerate(places), 2)
        if max(abs(a - c), abs(b - d)) == 1
    ]
    marginals = np.zeros(evidence.shape)
    for labels in itertools.product(range(phases), repeat=len(places)):
        energy = sum(evidence[place][label] for place, label in zip(places, labels, strict=True))
        energy += sum(weight for one, other, weight in pairs if labels[one] == labels[other])
        for place, label in zip(places, labels, strict=True):
            marginals[place][label] += np.exp(energy)
    return marginals / marginals.sum(axis=2, keepdims=True)


class Visits(RuleBasedStateMachine):
    """Visits come, come again under the same id, and go elsewhere."""

    def __init__(self):
        super().__init__()
        self.allocator = DoseAllocator(SHAPE, phases=PHASES, cost=VisitCost(settling=0.2), limit=LIMIT)
        self.visits = {}

    @rule(visit=st.integers(0, 9), place=st.tuples(*map(st.integers, (0, 0), (1, 2))), one=nats, other=nats)
    def measure(self, visit, place, one, other):
        self.allocator.ingest([place], [[one, other]], dwell=[0.5], visits=[visit])
        self.visits[visit] = (place, (one, other))

    @invariant()
    def the_sums_are_those_of_the_visits_that_count(self):
        dwell = np.zeros(SHAPE)
        for place, _ in self.visits.values():
            dwell[place] += 0.5
        np.testing.assert_allclose(self.allocator.dwell, dwell, atol=1e-9)
        np.testing.assert_array_equal(self.allocator.measured, dwell > 1e-9)

    @precondition(lambda self: self.visits)
    @invariant()
    def posterior_is_near_the_sum_over_all_maps(self):
        evidence = np.zeros((*SHAPE, PHASES))
        for place, told in self.visits.values():
            evidence[place] += told
        exact = exact_marginals(evidence, self.allocator.strength)
        found = self.allocator.posterior
        # loops make propagation approximate, but it errs little where it matters: on which phase it is
        clear = exact.max(axis=2) > 0.9
        np.testing.assert_array_equal(found.argmax(axis=2)[clear], exact.argmax(axis=2)[clear])
        assert np.abs(found - exact).max() < 0.2

    @invariant()
    def suggestions_are_open_and_the_best(self):
        visits = self.allocator.suggest(6)
        values = [self.allocator.expected_at(row, column) for row, column in np.ndindex(SHAPE)]
        assert len(visits) == np.count_nonzero(values)
        for row, column, dwell in visits:
            assert self.allocator.dwell[row, column] + dwell <= LIMIT * (1 + 1e-6)


Visits.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestVisits = Visits.TestCase
