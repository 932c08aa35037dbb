"""What a user of the sampler relies on."""

import numpy as np
import pytest
from scipy.special import softmax

from daisy_bluesky.protocols import Policy
from daisy_bluesky.sampling import DoseAllocator, GuidedSlads, Slads, patterns, reconstruct, total_distortion


def sample(sampler, truth, n, ill=None):
    """Visit n pixels, one by one."""
    for _ in range(n):
        visit = sampler.suggest()
        if len(visit) == 0:
            break
        place = (int(visit["row"][0]), int(visit["column"][0]))
        failed = ill is not None and ill[place]
        sampler.ingest([place], [0 if failed else truth[place]])
    return sampler


def as_places(visits):
    return [(int(visit["row"]), int(visit["column"])) for visit in visits]


def test_is_a_policy():
    policy: Policy = Slads((16, 16), phases=2)
    assert policy.shape == (16, 16)


def test_starts_with_its_own_pattern_then_decides():
    sampler = Slads((64, 64), phases=2, seed=4, start_fraction=0.01, dwell=0.002)
    start = sampler.suggest(1000)
    assert as_places(sampler.suggest()) == [tuple(patterns.sobol((64, 64), 41, 4)[0])]
    assert set(as_places(start)) == {tuple(place) for place in patterns.sobol((64, 64), 41, 4).tolist()}
    assert (start["dwell"] == 0.002).all()
    sampler.ingest(np.array(as_places(start)), np.ones(41, int))
    assert len(sampler.suggest(3)) == 3
    assert not set(as_places(sampler.suggest(3))) & set(as_places(start))


def test_start_pattern_goes_on_where_other_pixels_were_measured_first():
    sampler = Slads((64, 64), phases=2)
    pattern = [tuple(place) for place in patterns.sobol((64, 64), 41, 0).tolist()]
    sampler.ingest([pattern[0], pattern[2], (0, 0)], [1, 1, 2])
    assert as_places(sampler.suggest()) == [pattern[1]]
    assert set(as_places(sampler.suggest(2))) == {pattern[1], pattern[3]}


def test_suggest_is_pure(two_phases):
    sampler = sample(Slads(two_phases.shape, phases=2, dwell=0.1), two_phases, 300)
    once, batch = sampler.suggest(), sampler.suggest(20)
    sampler.expected_reduction, sampler.remaining_distortion(), sampler.reconstruct(), sampler.posterior
    np.testing.assert_array_equal(sampler.suggest(), once)
    np.testing.assert_array_equal(sampler.suggest(20), batch)


def test_same_seed_and_data_give_the_same_sequence(two_phases):
    one, other = (sample(Slads(two_phases.shape, phases=2, seed=1), two_phases, 500) for _ in range(2))
    np.testing.assert_array_equal(one.measured, other.measured)


def test_asking_for_maps_on_the_way_changes_no_decision(two_phases):
    """Lazy and incremental states decide alike."""
    watched = Slads(two_phases.shape, phases=2)
    for _ in range(300):
        visit = watched.suggest()
        place = (int(visit["row"][0]), int(visit["column"][0]))
        assert watched.labels is not None
        watched.ingest([place], [two_phases[place]])
    alone = sample(Slads(two_phases.shape, phases=2), two_phases, 300)
    np.testing.assert_array_equal(watched.measured, alone.measured)


def test_beats_every_static_pattern_at_equal_points(two_phases):
    n = round(0.15 * two_phases.size)
    sampler = sample(Slads(two_phases.shape, phases=2), two_phases, n)
    assert sampler.measured.sum() == n
    own = total_distortion(sampler.reconstruct(), two_phases)
    for pattern in (patterns.raster, patterns.random, patterns.jittered, patterns.sobol):
        places = pattern(two_phases.shape, n, 1)
        labels = two_phases[places[:, 0], places[:, 1]]
        assert own < 0.5 * total_distortion(reconstruct(two_phases.shape, places, labels), two_phases)


def test_goes_on_until_nothing_is_left():
    truth = np.ones((12, 11), int)
    truth[4:7, 3:6] = 2
    sampler = sample(Slads(truth.shape, phases=2), truth, 1000)
    assert sampler.measured.all()
    assert len(sampler.suggest()) == len(sampler.suggest(5)) == 0
    np.testing.assert_array_equal(sampler.labels, truth)
    np.testing.assert_array_equal(sampler.reconstruct(), truth)
    assert sampler.remaining_distortion() == (0, 0, 0)


def test_explores_where_no_neighbours_disagree():
    """An isolated phase that the start pattern missed is found."""
    truth = np.ones((96, 96), int)
    truth[40:46, 52:58] = 2
    sampler = sample(Slads(truth.shape, phases=2), truth, truth.size // 8)
    assert total_distortion(sampler.labels, truth) == 0


def test_failed_spectra_are_interpolated_over_and_not_measured_again(two_phases):
    ill = np.random.default_rng(2).random(two_phases.shape) < 0.05
    sampler = sample(Slads(two_phases.shape, phases=2), two_phases, two_phases.size // 5, ill)
    assert sampler.measured.sum() == two_phases.size // 5
    assert (sampler.measured & ill).any()
    assert (sampler.labels > 0).all()
    assert total_distortion(sampler.reconstruct(), two_phases, ill) < 0.01


def test_goes_on_when_every_spectrum_fails():
    truth = np.ones((8, 9), int)
    sampler = sample(Slads(truth.shape, phases=1), truth, 100, np.ones(truth.shape, bool))
    assert sampler.measured.all()
    assert (sampler.labels == 0).all()
    assert (sampler.reconstruct() == 0).all()


def test_unknown_phase_is_a_label_and_can_be_promoted(two_phases):
    """Visits labelled -1 become phase 3; the map follows as if it had been known from the start."""
    places = patterns.sobol(two_phases.shape, 0.1, 1)
    labels = two_phases[places[:, 0], places[:, 1]]
    visits = np.arange(len(places))
    sampler = Slads(two_phases.shape, phases=1)
    sampler.ingest(places, np.where(labels == 2, -1, 1), visits=visits)
    assert set(np.unique(sampler.labels)) == {-1, 1}
    assert sampler.posterior.shape[2] == 1
    before = sampler.labels
    sampler.ingest(places[labels == 2], np.full((labels == 2).sum(), 3), visits=visits[labels == 2])
    np.testing.assert_array_equal(sampler.labels, np.where(before == -1, 3, 1))
    assert sampler.phases == 3
    np.testing.assert_allclose(sampler.posterior.sum(2), 1)


def test_evidence_of_several_visits_adds_up():
    sampler = Slads((20, 20), phases=2)
    sampler.ingest([(3, 4)], [[-1.0, -3.0]], visits=[1])
    assert sampler.labels[3, 4] == 1
    sampler.ingest([(3, 4)], [[-4.0, -1.0]], visits=[2])
    assert sampler.labels[3, 4] == 2
    np.testing.assert_allclose(sampler.posterior[3, 4], softmax([-5.0, -4.0]))
    sampler.ingest([(3, 4)], [[-1.0, -1.0]], visits=[2])
    assert sampler.labels[3, 4] == 1


def test_several_labels_of_a_pixel_vote_and_failed_ones_do_not():
    sampler = Slads((20, 20), phases=3)
    sampler.ingest([(5, 5)] * 4, [0, 2, 3, 3], visits=[1, 2, 3, 4])
    assert sampler.labels[5, 5] == 3
    sampler.ingest([(5, 5)], [2], visits=[4])
    assert sampler.labels[5, 5] == 2
    sampler.ingest([(5, 5)] * 3, [0, 0, 0], visits=[2, 3, 4])
    assert sampler.measured[5, 5]
    assert sampler.labels[5, 5] == 0


def test_a_moved_visit_reopens_where_it_was_thought_to_be():
    sampler = Slads((20, 20), phases=2)
    sampler.ingest([(5, 5)], [1], visits=[7])
    sampler.ingest([(6, 8)], [1], visits=[7])
    np.testing.assert_array_equal(np.argwhere(sampler.measured), [(6, 8)])


def test_region_of_interest_and_forbidden_pixels(two_phases):
    rows, columns = np.indices(two_phases.shape)
    roi = np.hypot(rows - 30, columns - 28) < 20
    forbidden = roi & (columns < 20)
    sampler = Slads(two_phases.shape, phases=2, roi=roi, forbidden=forbidden)
    sample(sampler, two_phases, two_phases.size)
    np.testing.assert_array_equal(sampler.measured, roi & ~forbidden)
    assert len(sampler.suggest()) == 0
    estimate, low, high = sampler.remaining_distortion()
    assert 0 < low <= estimate <= high < 0.5


def test_an_operator_restricts_and_opens_again_in_mid_run(two_phases):
    """Nothing is suggested outside, alone or in batches; lifted, everything is as if it had never been said."""
    rows, _ = np.indices(two_phases.shape)
    sampler, free = (sample(Slads(two_phases.shape, phases=2, dwell=1.0), two_phases, 400) for _ in range(2))
    before, map_before = sampler.measured, sampler.reconstruct()
    sampler.restrict(rows < 30)
    assert all(row < 30 for row, _ in as_places(sampler.suggest(200)))
    assert (sampler.expected_reduction[30:] == 0).all()
    np.testing.assert_array_equal(sampler.reconstruct(), map_before)
    sampler.restrict(rows >= 90)
    sample(sampler, two_phases, 10_000)
    np.testing.assert_array_equal(sampler.measured, before | (rows >= 90))
    assert len(sampler.suggest()) == len(sampler.suggest(5)) == 0
    sampler.restrict(np.ones(two_phases.shape, bool))
    free.ingest(np.argwhere(~before & (rows >= 90)), two_phases[~before & (rows >= 90)])
    np.testing.assert_array_equal(sampler.suggest(), free.suggest())
    # the order starts where the beam is, which is not the same
    assert set(as_places(sampler.suggest(20))) == set(as_places(free.suggest(20)))


def test_a_restriction_holds_in_the_start_pattern_and_does_not_open_what_was_closed():
    forbidden, allowed = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    forbidden[:8], allowed[:20] = True, True
    sampler = Slads((64, 64), phases=2, forbidden=forbidden)
    pattern = as_places(sampler.suggest(1000))
    sampler.restrict(allowed)
    assert set(as_places(sampler.suggest(1000))) == {place for place in pattern if place[0] < 20}
    sample(sampler, np.ones((64, 64), int), 10_000)
    np.testing.assert_array_equal(sampler.measured, allowed & ~forbidden)
    sampler.ingest([(40, 40)], [2])
    assert sampler.measured[40, 40]
    sampler.restrict(np.ones((64, 64), bool))
    assert as_places(sampler.suggest())[0] in pattern


def test_a_restriction_of_another_shape_changes_nothing():
    sampler = Slads((8, 8), phases=2, dwell=1.0)
    before = sampler.suggest(5)
    with pytest.raises(ValueError, match="allowed must have the field's shape"):
        sampler.restrict(np.zeros((8, 9), bool))
    np.testing.assert_array_equal(sampler.suggest(5), before)


def test_batches_are_apart_and_short_to_travel(two_phases):
    sampler = sample(Slads(two_phases.shape, phases=2), two_phases, 200)
    places = np.array(as_places(sampler.suggest(30)))
    assert len(np.unique(places, axis=0)) == 30
    assert not sampler.measured[tuple(places.T)].any()
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)) + 1e9 * np.eye(30)
    assert apart.min() > 1.5
    travel = np.hypot(*np.diff(places, axis=0).T).sum()
    shuffled = np.random.default_rng(0).permutation(places)
    assert travel < 0.5 * np.hypot(*np.diff(shuffled, axis=0).T).sum()


def test_batches_cost_little_quality(two_phases):
    n = two_phases.size // 8
    alone = sample(Slads(two_phases.shape, phases=2), two_phases, n)
    together = Slads(two_phases.shape, phases=2)
    while together.measured.sum() < n:
        places = np.array(as_places(together.suggest(20)))
        together.ingest(places, two_phases[tuple(places.T)])
    distortion = [total_distortion(sampler.reconstruct(), two_phases) for sampler in (alone, together)]
    assert distortion[1] < 1.5 * distortion[0] + 0.005


def test_last_batch_gives_what_is_left():
    sampler = Slads((10, 10), phases=1)
    places = np.argwhere(np.ones((10, 10)))
    sampler.ingest(places[:-3], np.ones(97, int))
    assert sorted(as_places(sampler.suggest(10))) == [(9, 7), (9, 8), (9, 9)]


def test_expected_reduction_is_largest_where_suggested(two_phases):
    sampler = sample(Slads(two_phases.shape, phases=2), two_phases, 400)
    (place,) = as_places(sampler.suggest())
    scores = sampler.expected_reduction
    assert scores[place] == scores.max() == sampler.expected_at(*place)
    assert (scores[sampler.measured] == 0).all()


def test_expected_at_is_the_same_before_anything_else_was_computed():
    """During the start pattern single scores are computed on their own; the whole map agrees with them."""
    rng = np.random.default_rng(0)
    places = rng.permutation(np.argwhere(np.ones((40, 30))))[:25]
    labels = rng.integers(1, 4, 25)
    lazy, eager = Slads((40, 30), phases=3), Slads((40, 30), phases=3)
    assert np.isnan(lazy.expected_at(3, 3))
    for sampler in (lazy, eager):
        sampler.ingest(places, labels)
    expected = eager.expected_reduction
    for row, column in np.ndindex(40, 30):
        assert lazy.expected_at(row, column) == expected[row, column]


def test_remaining_distortion_covers_the_truth(two_phases):
    for fraction in (0.05, 0.1, 0.2):
        sampler = sample(Slads(two_phases.shape, phases=2), two_phases, round(fraction * two_phases.size))
        estimate, low, high = sampler.remaining_distortion()
        assert low <= estimate <= high
        assert low <= total_distortion(sampler.labels, two_phases) <= high


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (0, 5)}, "shape"),
        ({"shape": (5, 40_000)}, "shape"),
        ({"phases": -1}, "phases"),
        ({"phases": 256}, "phases"),
        ({"start_fraction": 0.0}, "start_fraction"),
        ({"roi": np.zeros((8, 8), bool)}, "roi is empty"),
        ({"roi": np.ones((8, 9), bool)}, "roi must have the field's shape"),
        ({"forbidden": np.ones(3, bool)}, "forbidden must have"),
    ],
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Slads(**({"shape": (8, 8), "phases": 2} | arguments))


@pytest.mark.parametrize(
    ("positions", "evidence", "options", "message"),
    [
        ([(1, 1), (8, 1)], [1, 1], {}, "outside the field"),
        ([(1, 1), (0, -1)], [1, 1], {}, "outside the field"),
        ([(1, 1), (0, 0)], [1, 1], {}, "region of interest"),
        ([(1, 1), (2.5, 2)], [1, 1], {}, "whole pixels"),
        ([1, 2], [1], {}, "shape"),
        ([(1, 1), (2, 2)], [1], {}, "evidence"),
        ([(1, 1), (2, 2)], [1, 256], {}, "label 256"),
        ([(1, 1), (2, 2)], [1, -2], {}, "label -2"),
        ([(1, 1), (2, 2)], [1.0, 2.0], {}, "labels must be integers"),
        ([(1, 1), (2, 2)], [[0.0, 1.0], [np.nan, 0.0]], {}, "nan"),
        ([(1, 1), (2, 2)], [[0.0, 1.0], [-np.inf, -np.inf]], {}, "-inf for all phases"),
        ([(1, 1), (2, 2)], np.zeros((2, 0)), {}, "1 to 255 phases"),
        ([(1, 1), (2, 2)], [1, 1], {"visits": [1]}, "visits"),
        ([(1, 1), (2, 2)], [1, 1], {"visits": [1, -1]}, "visits"),
    ],
)
def test_bad_findings_leave_the_state_unchanged(positions, evidence, options, message):
    roi = np.ones((8, 8), bool)
    roi[0, 0] = False
    sampler = Slads((8, 8), phases=2, roi=roi)
    with pytest.raises(ValueError, match=message):
        sampler.ingest(positions, evidence, **options)
    assert not sampler.measured.any()
    assert (sampler.labels == 0).all()


def test_refuses_to_suggest_nothing_and_to_rate_outside():
    sampler = Slads((8, 8), phases=2)
    with pytest.raises(ValueError, match="at least 1"):
        sampler.suggest(0)
    with pytest.raises(ValueError, match="outside the field"):
        sampler.expected_at(8, 0)


def test_empty_findings_change_nothing():
    sampler = Slads((8, 8), phases=2)
    sampler.ingest(np.empty((0, 2), int), np.empty(0, int))
    assert not sampler.measured.any()


@pytest.mark.parametrize("engine", [Slads, DoseAllocator])
def test_visits_that_exclude_each_others_phases_leave_no_nan(engine):
    sampler = engine((16, 16), phases=2)
    sampler.ingest([(6, 6), (6, 6)], [[0.0, -np.inf], [-np.inf, 0.0]], dwell=[1.0, 1.0])
    sampler.ingest([(9, 9)] * 2, [[-1e308, 0.0]] * 2, dwell=[1.0, 1.0])
    sampler.ingest([(9, 9)] * 2, [[0.0, -1e308]] * 2, dwell=[1.0, 1.0])
    assert np.isfinite(sampler.posterior).all()
    np.testing.assert_allclose(sampler.posterior.sum(axis=2), 1.0, rtol=1e-6)
    assert engine is DoseAllocator or (sampler.posterior[[6, 9], [6, 9]] == 0.5).all()


def halves():
    row, column = np.indices((40, 40))
    return 1 + ((row + column // 3) // 7) % 2, column >= 20


def visit(sampler, truth, visits):
    for _ in range(visits):
        (suggested,) = sampler.suggest()
        place = int(suggested["row"]), int(suggested["column"])
        sampler.ingest([place], [int(truth[place])])


@pytest.mark.parametrize("engine", [Slads, GuidedSlads])
def test_a_preferred_region_gets_more_visits_and_nothing_else_changes(engine):
    truth, region = halves()
    plain, preferring = engine((40, 40), phases=2, dwell=0.1), engine((40, 40), phases=2, dwell=0.1)
    visit(plain, truth, 60)
    visit(preferring, truth, 60)
    expected, remaining = preferring.expected_reduction, preferring.remaining_distortion()
    preferring.add_region(region, 8.0)
    np.testing.assert_array_equal(preferring.expected_reduction, expected)
    assert preferring.remaining_distortion() == remaining
    best = np.unravel_index(np.argmax(expected * np.where(region, 8.0, 1.0)), region.shape)
    assert (preferring.suggest()["row"][0], preferring.suggest()["column"][0]) == best
    batch = preferring.suggest(12)
    assert region[batch["row"], batch["column"]].mean() > 0.7
    visit(plain, truth, 200)
    visit(preferring, truth, 200)
    assert preferring.measured[region].sum() > 1.3 * plain.measured[region].sum()


def test_a_region_taken_back_leaves_what_would_have_been_without_it():
    truth, region = halves()
    plain, wavering = Slads((40, 40), phases=2, dwell=0.1), Slads((40, 40), phases=2, dwell=0.1)
    wavering.add_region(region, 5.0)
    wavering.add_region(region, 1.0)
    visit(plain, truth, 150)
    visit(wavering, truth, 150)
    wavering.add_region(region)
    wavering.add_region(region, 1.0)
    np.testing.assert_array_equal(plain.suggest(9), wavering.suggest(9))


def test_a_region_said_first_or_last_leads_to_the_same_place():
    truth, region = halves()
    first, last = Slads((40, 40), phases=2, dwell=0.1), Slads((40, 40), phases=2, dwell=0.1)
    first.add_region(region, 3.0)
    visit(first, truth, 80)
    places = np.argwhere(first.measured)
    last.ingest(places, truth[tuple(places.T)])
    last.add_region(region, 3.0)
    np.testing.assert_array_equal(first.suggest(), last.suggest())


@pytest.mark.parametrize(
    ("region", "preference"), [(np.ones((3, 3)), 2.0), (np.ones((40, 40)), 0.0), (np.ones((40, 40)), np.nan)]
)
def test_bad_regions_are_named_and_change_nothing(region, preference):
    truth, _ = halves()
    sampler = Slads((40, 40), phases=2, dwell=0.1)
    visit(sampler, truth, 60)
    before = sampler.suggest(5)
    with pytest.raises(ValueError, match=r"^(region|preference) must"):
        sampler.add_region(region, preference)
    np.testing.assert_array_equal(sampler.suggest(5), before)
