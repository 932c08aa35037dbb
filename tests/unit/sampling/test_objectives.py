"""Several objectives at once: what is measured follows what is asked for, and nothing is made of noise."""

import numpy as np
import pytest

from daisy_bluesky.sampling import Objectives, reconstruct_noisy

SHAPE = (64, 64)
ROWS, COLUMNS = np.indices(SHAPE)
DISC = (ROWS - 20) ** 2 + (COLUMNS - 20) ** 2 < 12**2
STRIPE = COLUMNS > 50


def sampled(objectives, images, deviations, visits, seed=0):
    """Measure images, by field, with so much noise."""
    rng = np.random.default_rng(seed)
    for _ in range(visits):
        visit = objectives.suggest()[0]
        place = (int(visit["row"]), int(visit["column"]))
        evidence = [
            (images[name][place] + deviations[name] * rng.standard_normal(), deviations[name] ** 2)
            for name in objectives.fields
        ]
        objectives.ingest([place], [evidence])
    return objectives.measured


def near_border(mask):
    border = np.zeros(SHAPE, bool)
    border[:-1] |= mask[:-1] != mask[1:]
    border[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    rows, columns = np.nonzero(border)
    distance = (ROWS[..., None] - rows) ** 2 + (COLUMNS[..., None] - columns) ** 2
    return distance.min(axis=-1) <= 4


IMAGES = {"A": 100.0 * DISC, "B": 1.0 * STRIPE}
QUIET = {"A": 1.0, "B": 0.01}


def test_borders_of_every_objective_are_measured_most_whatever_their_unit():
    measured = sampled(Objectives(SHAPE, {"A": 1.0, "B": 1.0}, seed=1), IMAGES, QUIET, 400)
    elsewhere = measured[~near_border(DISC) & ~near_border(STRIPE)].mean()
    assert measured[near_border(DISC)].mean() > 3 * elsewhere
    assert measured[near_border(STRIPE)].mean() > 3 * elsewhere


def test_an_objective_without_weight_draws_no_visits_until_it_is_given_some():
    objectives = Objectives(SHAPE, {"A": 1.0, "B": 0.0}, seed=1)
    measured = sampled(objectives, IMAGES, QUIET, 250)
    assert measured[near_border(STRIPE)].mean() < 0.5 * measured[near_border(DISC)].mean()
    before = measured[near_border(STRIPE)].mean()
    objectives.weights = {"B": 1.0}
    assert objectives.weights == {"A": 0.0, "B": 1.0}
    measured = sampled(objectives, IMAGES, QUIET, 150)
    assert measured[near_border(STRIPE)].mean() > 2 * before


def widest_gap(variance):
    """Return how far a pixel is from the nearest of 400 visits to nothing but noise, said to be of a variance."""
    objectives, rng = Objectives(SHAPE, {"A": 1.0}, seed=1), np.random.default_rng(0)
    for _ in range(400):
        visit = objectives.suggest()[0]
        place = (int(visit["row"]), int(visit["column"]))
        objectives.ingest([place], [[(5.0 * rng.standard_normal(), variance)]])
    rows, columns = np.nonzero(objectives.measured)
    return np.sqrt(((ROWS[..., None] - rows) ** 2 + (COLUMNS[..., None] - columns) ** 2).min(axis=-1)).max()


def test_a_difference_within_noise_is_no_structure():
    """Where noise is all there is, the field is covered; taken for structure, it would leave wide gaps."""
    assert widest_gap(25.0) < 3.5 < widest_gap(1e-6)


def test_regions_poor_in_something_are_measured_and_other_borders_are_not():
    image = 60.0 + 20.0 * STRIPE - 40.0 * DISC
    measured = sampled(Objectives(SHAPE, {"poor in A": 1.0}, seed=1), {"A": image}, {"A": 3.0}, 400)
    assert measured[near_border(DISC)].mean() > 2.5 * measured[near_border(STRIPE)].mean()


def test_regions_rich_in_something_are_their_mirror():
    image = 60.0 - 20.0 * STRIPE + 40.0 * DISC
    measured = sampled(Objectives(SHAPE, {"rich in A": 1.0}, seed=1), {"A": image}, {"A": 3.0}, 400)
    assert measured[near_border(DISC)].mean() > 2.5 * measured[near_border(STRIPE)].mean()


def test_rare_phases_count_more_than_common_ones():
    small = (ROWS - 40) ** 2 + (COLUMNS - 30) ** 2 < 6**2
    labels = 1.0 + STRIPE + 2.0 * small
    visited = {}
    for name in ("phases", "rare phases"):
        each = [
            sampled(Objectives(SHAPE, {name: 1.0}, seed=seed), {"phases": labels}, {"phases": 0.0}, 300)
            for seed in range(3)
        ]
        visited[name] = np.mean([one[near_border(small)].mean() / one[near_border(STRIPE)].mean() for one in each])
    assert visited["rare phases"] > 1.2 * visited["phases"]


def test_boundaries_are_an_objective():
    measured = sampled(Objectives(SHAPE, {"boundaries": 1.0}, seed=1), {"phases": 1.0 + DISC}, {"phases": 0.0}, 300)
    assert measured[near_border(DISC)].mean() > 4 * measured[~near_border(DISC)].mean()


def test_a_vetoed_region_is_left_alone_until_it_is_opened_again():
    objectives = Objectives(SHAPE, {"A": 1.0}, seed=1)
    sampled(objectives, IMAGES, QUIET, 60)
    before = objectives.measured
    allowed = np.ones(SHAPE, bool)
    allowed[:, :32] = False
    objectives.restrict(allowed)
    measured = sampled(objectives, IMAGES, QUIET, 100)
    assert not (measured & ~before)[:, :32].any()
    objectives.restrict(np.ones(SHAPE, bool))
    measured = sampled(objectives, IMAGES, QUIET, 50)
    assert (measured & ~before)[:, :32].any()


def test_what_is_forbidden_is_never_measured_and_stays_in_the_map():
    forbidden = COLUMNS < 32
    objectives = Objectives(SHAPE, {"phases": 1.0}, seed=1, forbidden=forbidden)
    measured = sampled(objectives, {"phases": 1.0 + DISC}, {"phases": 0.0}, 200)
    objectives.restrict(np.ones(SHAPE, bool))
    measured |= sampled(objectives, {"phases": 1.0 + DISC}, {"phases": 0.0}, 20)
    assert not measured[forbidden].any()
    assert (objectives.reconstruct()[forbidden] > 0).all()
    for bad in (np.zeros((3, 3)), np.full(SHAPE, 0.5)):
        with pytest.raises(ValueError, match="forbidden must"):
            Objectives(SHAPE, {"phases": 1.0}, forbidden=bad)


def test_a_preferred_region_gets_more_visits():
    objectives = Objectives(SHAPE, {"A": 1.0}, seed=1)
    region = ROWS >= 40
    objectives.add_region(region, 10.0)
    measured = sampled(objectives, {"A": np.zeros(SHAPE)}, {"A": 1.0}, 300)
    assert measured[region].mean() > 2 * measured[~region].mean()


def test_nothing_left_is_an_empty_suggestion_twice():
    roi = np.zeros(SHAPE, bool)
    roi[5:9, 5:9] = True
    objectives = Objectives(SHAPE, {"A": 1.0}, seed=1, roi=roi)
    measured = sampled(objectives, IMAGES, QUIET, 16)
    np.testing.assert_array_equal(measured, roi)
    assert len(objectives.suggest()) == len(objectives.suggest(5)) == 0


def test_the_estimate_of_what_remains_falls():
    objectives = Objectives(SHAPE, {"A": 1.0}, seed=1)
    assert np.isnan(objectives.remaining_distortion()).all()
    sampled(objectives, IMAGES, QUIET, 200)
    early, low, high = objectives.remaining_distortion()
    assert low <= early <= high
    sampled(objectives, IMAGES, QUIET, 1800)
    assert objectives.remaining_distortion()[0] < 0.5 * early


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"positions": [(64, 0)], "evidence": [[(1.0, 1.0)]]}, "positions"),
        ({"positions": [(1, 0)], "evidence": [[(1.0, -1.0)]]}, "evidence"),
        ({"positions": [(1, 0)], "evidence": [[(np.nan, 1.0)]]}, "evidence"),
        ({"positions": [(1, 0)], "evidence": [[1.0]]}, "evidence"),
        ({"positions": [(1, 0)], "evidence": [[(1.0, 1.0)]], "dwell": [-1.0]}, "dwell"),
        ({"positions": [(1, 0)], "evidence": [[(1.0, 1.0)]], "visits": [1, 2]}, "visits"),
    ],
)
def test_bad_evidence_is_named_and_changes_nothing(arguments, named):
    objectives = Objectives(SHAPE, {"A": 1.0}, seed=1, dwell=0.5)
    sampled(objectives, IMAGES, QUIET, 30)
    before, suggested = objectives.expected_reduction, objectives.suggest(5)
    with pytest.raises(ValueError, match=named):
        objectives.ingest(**arguments)
    np.testing.assert_array_equal(objectives.expected_reduction, before)
    np.testing.assert_array_equal(objectives.suggest(5), suggested)


def test_a_label_that_is_none_is_refused():
    with pytest.raises(ValueError, match="label"):
        Objectives(SHAPE, {"phases": 1.0}).ingest([(1, 1)], [[(0.5, 0.0)]])


@pytest.mark.parametrize(
    ("weights", "named"), [({}, "objectives"), ({"A": -1.0}, "'A'"), ({"A": 0.0}, "all weights"), ({"A": "x"}, "'A'")]
)
def test_weights_that_are_none_are_refused(weights, named):
    with pytest.raises(ValueError, match=named):
        Objectives(SHAPE, weights)


def test_live_changes_that_do_not_fit_are_refused_and_change_nothing():
    objectives = Objectives(SHAPE, {"A": 1.0}, seed=1)
    sampled(objectives, IMAGES, QUIET, 30)
    before = objectives.expected_reduction
    with pytest.raises(ValueError, match="'C'"):
        objectives.weights = {"C": 1.0}
    with pytest.raises(ValueError, match="allowed"):
        objectives.restrict(np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="region"):
        objectives.add_region(np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="preference"):
        objectives.add_region(np.ones(SHAPE, bool), -1.0)
    np.testing.assert_array_equal(objectives.expected_reduction, before)
    with pytest.raises(ValueError, match="thresholds"):
        Objectives(SHAPE, {"A": 1.0}, thresholds={"A": 3.0})
    with pytest.raises(ValueError, match="roi"):
        Objectives(SHAPE, {"A": 1.0}, roi=np.zeros(SHAPE, bool))


def again(objectives, truth, deviation, visits, dwell=1.0):
    rng = np.random.default_rng(3)
    for _ in range(visits):
        suggested = objectives.suggest()
        if not len(suggested):
            break
        place = int(suggested["row"][0]), int(suggested["column"][0])
        objectives.ingest([place], [[(truth[place] + deviation * rng.normal(), deviation**2)]], dwell=[dwell])
    return objectives


def test_where_variance_limits_visiting_again_makes_a_better_map_of_the_same_dose():
    shape = (32, 32)
    truth = (np.hypot(*(np.indices(shape) - 15.5)) < 9).astype(float)
    error = {}
    for limit in (None, 1.0):
        objectives = again(Objectives(shape, {"A": 1.0}, seed=1, limit=limit), truth, 0.4, 900)
        image, _ = reconstruct_noisy(shape, *objectives.measurements("A"))
        error[limit] = np.sqrt(((image - truth) ** 2).mean())
    assert error[None] < 0.95 * error[1.0]


def test_no_pixel_is_visited_beyond_its_limit_and_then_nothing_is_left():
    shape = (10, 10)
    truth = (np.indices(shape)[1] > 4).astype(float)
    limit = np.full(shape, 3.0)
    limit[0] = 0.0
    objectives = again(Objectives(shape, {"A": 1.0}, seed=1, limit=limit), truth, 0.6, 400)
    visits = objectives._field.visits
    assert visits[0].max() == 0
    assert 2 <= visits.max() <= 3
    assert visits[1:].min() >= 1
    objectives.restrict(np.zeros(shape, bool))
    assert len(objectives.suggest()) == len(objectives.suggest(4)) == 0
    for bad in (np.full((3, 3), 1.0), -1.0, np.nan):
        with pytest.raises(ValueError, match="limit"):
            Objectives(shape, {"A": 1.0}, limit=bad)


def test_a_map_without_noise_is_measured_once_everywhere():
    shape = (10, 10)
    truth = (np.indices(shape)[1] > 4).astype(float)
    objectives = again(Objectives(shape, {"A": 1.0}, seed=1), truth, 1e-3, 150)
    assert objectives._field.visits.max() == 1
    assert len(objectives.suggest()) == 0
