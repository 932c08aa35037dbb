"""What a user of dose allocation relies on."""

import numpy as np
import pytest
from sampling_maps import random_field

from daisy_bluesky.protocols import Policy
from daisy_bluesky.sampling import DoseAllocator, Survey, VisitCost, total_distortion

STEP = 0.5  # how many nats per second a spectrum tells


def spectra(truth, places, dwell, rng, phases=2):
    """Draw log-likelihoods of places, (n, phases): a Gaussian signal per phase of `STEP` nats per second."""
    places = np.asarray(places)
    dwell = np.asarray(dwell)[:, None]
    signal = rng.normal(size=(len(places), phases)) * np.sqrt(dwell * STEP)
    signal[np.arange(len(places)), truth[places[:, 0], places[:, 1]] - 1] += dwell[:, 0] * STEP
    return signal


def as_places(visits):
    return np.stack([visits["row"], visits["column"]], axis=1)


def run(allocator, truth, budget, batch=16, seed=0):
    """Measure until the budget, seconds of dwell per pixel and overheads, is spent."""
    rng, spent = np.random.default_rng(seed), 0.0
    while spent < budget * truth.size:
        visits = allocator.suggest(batch)
        places = as_places(visits)
        allocator.ingest(places, spectra(truth, places, visits["dwell"], rng), dwell=visits["dwell"])
        spent += sum(allocator.cost.of(dwell) for dwell in visits["dwell"])
    return allocator


@pytest.fixture(scope="module")
def truth():
    return random_field(48, 5)


def test_is_a_policy():
    policy: Policy = DoseAllocator((16, 16), phases=2)
    assert policy.shape == (16, 16)


def test_free_visits_begin_with_one_fast_frame():
    allocator = DoseAllocator((24, 32), phases=3, cost=VisitCost(minimum_dwell=0.01))
    frame = allocator.suggest(24 * 32)
    np.testing.assert_array_equal(as_places(frame), np.stack(np.indices((24, 32)), axis=-1).reshape(-1, 2))
    np.testing.assert_allclose(frame["dwell"], 0.01, rtol=1e-6)


@pytest.mark.parametrize(("overhead", "most"), [(0.0, 1.0), (10.0, 0.5), (100.0, 0.4)])
def test_dear_visits_are_fewer_and_longer(truth, overhead, most):
    cost = VisitCost(settling=overhead, minimum_dwell=0.5)
    allocator = run(DoseAllocator(truth.shape, phases=2, cost=cost), truth, budget=1.0 + 0.3 * overhead)
    assert allocator.measured.mean() <= most
    assert overhead == 0 or np.median(allocator.dwell[allocator.measured]) > overhead / 10


def test_beats_the_raster_of_equal_dwell(truth):
    allocator = run(DoseAllocator(truth.shape, phases=2, cost=VisitCost(minimum_dwell=0.3)), truth, budget=4.0)
    raster = DoseAllocator(truth.shape, phases=2)
    places = np.stack(np.indices(truth.shape), axis=-1).reshape(-1, 2)
    dwell = np.full(len(places), 4.0)
    raster.ingest(places, spectra(truth, places, dwell, np.random.default_rng(1)), dwell=dwell)
    assert total_distortion(allocator.labels, truth) < 0.5 * total_distortion(raster.labels, truth)
    assert total_distortion(allocator.reconstruct(), truth) < 0.5 * total_distortion(raster.reconstruct(), truth)


def test_a_pixel_its_neighbours_decide_needs_none():
    allocator = DoseAllocator((9, 9), phases=2, cost=VisitCost(minimum_dwell=0.1))
    places = np.stack(np.indices((9, 9)), axis=-1).reshape(-1, 2)
    labels = np.where(places[:, 1] < 5, 1, 2)
    log_likelihood = np.where(np.arange(2) == labels[:, None] - 1, 0.0, -2.0)
    log_likelihood[(places == (4, 2)).all(axis=1)] = log_likelihood[(places == (4, 5)).all(axis=1)] = 0.0
    allocator.ingest(places, log_likelihood)
    assert allocator.labels[4, 2] == 1
    assert allocator.expected_at(4, 2) < 0.1 * allocator.expected_at(4, 5)


def test_one_pixel_alone_has_bayes_posterior():
    allocator = DoseAllocator((1, 1), phases=3)
    allocator.ingest([(0, 0)], [[0.0, -1.0, -2.0]])
    allocator.ingest([(0, 0)], [[-3.0, -1.0, -2.0]])
    expected = np.exp([-3.0, -2.0, -4.0])
    np.testing.assert_allclose(allocator.posterior[0, 0], expected / expected.sum(), rtol=1e-6)


def test_two_pixels_have_the_exact_marginals():
    # a chain has no loops, so that belief propagation is exact: sum over the partner's phases by hand
    allocator = DoseAllocator((1, 2), phases=2)
    evidence = np.array([[0.0, -1.5], [-0.3, 0.0]])
    allocator.ingest([(0, 0), (0, 1)], evidence)
    joint = np.exp(evidence[0][:, None] + evidence[1][None, :] + allocator.strength * np.eye(2))
    np.testing.assert_allclose(allocator.posterior[0, 0], joint.sum(1) / joint.sum(), rtol=1e-5)
    np.testing.assert_allclose(allocator.posterior[0, 1], joint.sum(0) / joint.sum(), rtol=1e-5)


def test_limit_closes_pixels(truth):
    allocator = DoseAllocator(truth.shape, phases=2, cost=VisitCost(minimum_dwell=0.5), limit=1.2)
    rng = np.random.default_rng(0)
    for _ in range(2 * truth.size):
        visits = allocator.suggest(64)
        if len(visits) == 0:
            break
        places = as_places(visits)
        allocator.ingest(places, spectra(truth, places, visits["dwell"], rng), dwell=visits["dwell"])
    assert len(allocator.suggest()) == 0
    assert len(allocator.suggest()) == 0
    assert allocator.dwell.max() <= 1.2 * (1 + 1e-6)


def test_region_and_forbidden_pixels_are_kept(truth):
    roi = np.zeros(truth.shape, bool)
    roi[8:40, 8:40] = True
    forbidden = np.zeros(truth.shape, bool)
    forbidden[20:30, 20:30] = True
    cost = VisitCost(minimum_dwell=0.5)
    allocator = run(DoseAllocator(truth.shape, phases=2, cost=cost, roi=roi, forbidden=forbidden), truth, budget=1.0)
    assert not allocator.measured[~roi | forbidden].any()
    assert allocator.measured[roi & ~forbidden].all()


def test_vetoed_pixels_are_not_suggested_until_allowed_again(truth):
    allocator = run(DoseAllocator(truth.shape, phases=2, cost=VisitCost(minimum_dwell=0.5)), truth, budget=1.0)
    before, map_before = allocator.dwell, allocator.labels
    allowed = np.zeros(truth.shape, bool)
    allowed[10:20, 10:30] = True
    allocator.restrict(allowed)
    np.testing.assert_array_equal(allocator.labels, map_before)
    rows, columns = as_places(allocator.suggest(truth.size)).T
    assert set(zip(rows, columns, strict=True)) == set(map(tuple, np.argwhere(allowed)))
    run(allocator, truth, budget=0.3, seed=1)
    np.testing.assert_array_equal(allocator.dwell[~allowed], before[~allowed])
    allocator.ingest([(0, 0), (15, 15), (15, 15)], [0, 0, 0])
    assert allocator.expected_at(15, 15) == 0.0
    allocator.restrict(np.ones(truth.shape, bool))
    assert len(allocator.suggest(truth.size)) == truth.size - 1
    allocator.restrict(np.zeros(truth.shape, bool))
    assert len(allocator.suggest(4)) == 0


@pytest.mark.parametrize("allowed", [np.ones((4, 8), bool), np.full((8, 8), np.nan), np.full((8, 8), 2), "all"])
def test_a_bad_veto_changes_nothing(allowed):
    allocator = DoseAllocator((8, 8), phases=2)
    with pytest.raises(ValueError, match="allowed"):
        allocator.restrict(allowed)
    assert len(allocator.suggest(64)) == 64


def test_suggest_is_pure_and_the_sequence_repeats(truth):
    one, other = (DoseAllocator(truth.shape, phases=2, seed=3, cost=VisitCost(settling=1.0)) for _ in range(2))
    run(one, truth, budget=0.5)
    one.posterior, one.remaining_distortion(), one.reconstruct(), one.labels
    np.testing.assert_array_equal(one.suggest(10), one.suggest(10))
    run(other, truth, budget=0.5)
    np.testing.assert_array_equal(one.suggest(10), other.suggest(10))
    np.testing.assert_array_equal(one.posterior, other.posterior)


def test_a_position_between_pixels_is_shared_out():
    allocator = DoseAllocator((4, 4), phases=2)
    allocator.ingest([(1.25, 2.0)], [[0.0, -4.0]], dwell=[2.0])
    np.testing.assert_allclose(allocator.dwell[1:3, 2], [1.5, 0.5])
    assert allocator.dwell.sum() == pytest.approx(2.0)


def test_a_phase_may_come_in_mid_run():
    allocator = DoseAllocator((6, 6), phases=2)
    allocator.ingest([(0, 0), (5, 5)], [[0.0, -9.0], [-9.0, 0.0]], visits=[1, 2])
    allocator.ingest([(2, 2)], [3], visits=[3])
    assert allocator.phases == 3
    assert allocator.labels[2, 2] == 3
    allocator.ingest([(5, 5)], [[-9.0, -9.0, 0.0]], visits=[2])
    assert allocator.labels[5, 5] == 3
    assert allocator.labels[0, 0] == 1


def test_reweighed_visits_count_as_if_they_had_come_so():
    rng = np.random.default_rng(2)
    places = rng.integers(0, 12, (60, 2))
    before, after = rng.normal(size=(60, 2)), rng.normal(size=(60, 3))
    one, other = (DoseAllocator((12, 12), phases=2) for _ in range(2))
    one.ingest(places, before, visits=np.arange(60))
    one.reweigh(np.arange(60), after)
    other.ingest(places, after, visits=np.arange(60))
    assert one.phases == 3
    np.testing.assert_allclose(one.posterior, other.posterior, atol=0.02)
    np.testing.assert_allclose(one.dwell, other.dwell)
    with pytest.raises(ValueError, match="visits"):
        one.reweigh([99], [[0.0, 1.0, 2.0]])
    with pytest.raises(ValueError, match="evidence"):
        one.reweigh([1], [[0.0, float("nan")]])


def test_dose_is_drawn_to_where_an_unknown_phase_may_be(truth):
    allocator = run(DoseAllocator(truth.shape, phases=2, cost=VisitCost(minimum_dwell=0.5)), truth, budget=4.0)
    stake = np.zeros(truth.shape)
    stake[30:33, 7:10] = 1e3
    allocator.suspect(stake)
    visits = allocator.suggest(9)
    assert stake[visits["row"], visits["column"]].sum() >= 2e3
    for bad in (-stake, stake[1:], np.where(stake > 0, np.nan, stake)):
        with pytest.raises(ValueError, match="stake"):
            allocator.suspect(bad)
    allocator.suspect(np.zeros(truth.shape))
    visits = allocator.suggest(9)
    assert stake[visits["row"], visits["column"]].sum() < 2e3


def test_looking_goes_round_where_all_is_decided():
    allocator = DoseAllocator((6, 6), phases=2, cost=VisitCost(minimum_dwell=1.0))
    places = np.argwhere(np.ones((6, 6)))
    allocator.ingest(places, np.tile([0.0, -200.0], (36, 1)))
    for _ in range(36):
        visits = allocator.suggest()
        allocator.ingest(as_places(visits), [[0.0, -5.0]], dwell=visits["dwell"])
    assert allocator.dwell.min() > 1.0


def test_an_unknown_phase_is_a_label_of_its_own():
    allocator = DoseAllocator((6, 6), phases=2)
    allocator.ingest([(0, 0), (2, 2)], [1, -1])
    assert allocator.labels[2, 2] == -1
    assert allocator.posterior[2, 2].sum() < 0.1
    assert allocator.phases == 2


def test_a_pixel_that_fails_twice_is_given_up():
    allocator = DoseAllocator((1, 1), phases=2)
    allocator.ingest([(0, 0)], [0])
    assert len(allocator.suggest()) == 1
    allocator.ingest([(0, 0)], [0])
    assert len(allocator.suggest()) == 0


def test_learns_how_fast_spectra_tell_phases_apart(truth):
    cost = VisitCost(settling=1.0, minimum_dwell=0.2)
    slow = run(DoseAllocator(truth.shape, phases=2, cost=cost), truth, budget=3.0)
    quick = DoseAllocator(truth.shape, phases=2, cost=cost)
    rng, spent = np.random.default_rng(0), 0.0
    while spent < 3.0 * truth.size:
        visits = quick.suggest(16)
        places = as_places(visits)
        quick.ingest(places, spectra(truth, places, 20 * visits["dwell"], rng), dwell=visits["dwell"])
        spent += visits["dwell"].sum() + len(visits)
    assert np.median(quick.suggest(50)["dwell"]) < 0.5 * np.median(slow.suggest(50)["dwell"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"shape": (0, 4)}, "shape"),
        ({"phases": 256}, "phases"),
        ({"roi": np.zeros((8, 8), bool)}, "roi is empty"),
        ({"roi": np.ones((4, 8), bool)}, "roi"),
        ({"forbidden": np.ones((4, 8), bool)}, "forbidden"),
        ({"limit": -1.0}, "limit"),
        ({"limit": np.ones((2, 2))}, "limit"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        DoseAllocator(**{"shape": (8, 8), "phases": 2, **arguments})


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"settling": -1.0}, "settling"),
        ({"read_noise": float("nan")}, "read_noise"),
        ({"minimum_dwell": 0.0}, "minimum_dwell"),
        ({"scarce": "patience"}, "scarce"),
    ],
)
def test_bad_costs_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        VisitCost(**arguments)


def test_electrons_do_not_count_while_blanked():
    assert VisitCost(settling=1.0, scarce="electrons").overhead == 0.0
    assert VisitCost(settling=1.0, scarce="electrons", blanked=False).of(2.0) == 3.0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"positions": [(8, 0)]}, "positions"),
        ({"positions": [(float("nan"), 0)]}, "positions"),
        ({"positions": [(7, 7)]}, "region of interest"),
        ({"evidence": [[0.0, float("nan")]]}, "evidence"),
        ({"evidence": [[-np.inf, -np.inf]]}, "evidence"),
        ({"evidence": [1.5]}, "evidence"),
        ({"evidence": [1, 2]}, "evidence"),
        ({"dwell": [0.0]}, "dwell"),
        ({"dwell": [1.0, 2.0]}, "dwell"),
        ({"visits": [-1]}, "visits"),
    ],
)
def test_bad_measurements_change_nothing(arguments, named):
    roi = np.ones((8, 8), bool)
    roi[7, 7] = False
    allocator = DoseAllocator((8, 8), phases=2, roi=roi)
    allocator.ingest([(1, 1)], [2])
    before = allocator.posterior
    given = {"positions": [(0, 0)], "evidence": [1], "dwell": None, "visits": None} | arguments
    with pytest.raises(ValueError, match=named):
        allocator.ingest(given["positions"], given["evidence"], dwell=given["dwell"], visits=given["visits"])
    np.testing.assert_array_equal(allocator.posterior, before)


def test_suggest_and_expected_at_check_what_they_are_given():
    allocator = DoseAllocator((8, 8), phases=2)
    with pytest.raises(ValueError, match="n must"):
        allocator.suggest(0)
    with pytest.raises(ValueError, match="outside"):
        allocator.expected_at(8, 0)


def test_a_survey_is_heeded_anew_by_each_and_nothing_else_is():
    survey = Survey(np.arange(256.0).reshape(16, 16))
    survey.weight = 0.7
    allocator = DoseAllocator((16, 16), phases=2)
    allocator.heed(survey)
    assert allocator.survey_weight == 0.0
    with pytest.raises(ValueError, match=r"^survey: ndarray given"):
        allocator.heed(np.zeros((16, 16)))


@pytest.mark.parametrize("told", [1e39, np.inf, np.nan])
def test_numbers_too_large_for_single_precision_are_refused(told):
    allocator = DoseAllocator((16, 16), phases=2)
    with pytest.raises(ValueError, match=r"^log_prior must"):
        allocator.expect(np.full((16, 16, 2), told))
    with pytest.raises(ValueError, match=r"^stake must"):
        allocator.suspect(np.full((16, 16), told))
    assert np.isfinite(allocator.posterior).all()
