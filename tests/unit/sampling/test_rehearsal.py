"""A rehearsal against what simple theory says, and its parts against independent truth."""

import numpy as np
import pytest
from scipy.stats import skellam

from daisy_bluesky.sampling import (
    DoseAllocator,
    VisitCost,
    _rehearsal,
    break_even_dwell,
    break_even_overhead,
    draw_evidence,
    plausible_phase_map,
    rehearse,
    total_distortion,
)
from daisy_bluesky.sampling._rehearsed_maps import PaperField, dosed


@pytest.fixture(scope="module")
def labels():
    row, column = np.indices((32, 32))
    return 1 + (np.hypot(row - 15, column - 12) < 9).astype(np.int64)


MEANS = np.array([[0.7, 0.3], [0.3, 0.7]])


@pytest.fixture(scope="module")
def rehearsal(labels):
    return rehearse([labels, labels], MEANS, rate=1000.0, cost=VisitCost(settling=2e-3, minimum_dwell=1e-3))


def test_more_time_makes_better_maps_and_every_price_adds_up(rehearsal):
    """Sparse visits, all of them of one length, end where single spectra are taken for the other phase's."""
    mistaken = skellam.sf(0, 3.0, 7.0) + 0.5 * skellam.pmf(0, 3.0, 7.0)
    for policy in ("raster", "sparse", "dose"):
        points = [one for one in rehearsal.forecasts if one.policy == policy]
        if policy == "sparse":
            assert points[-1].distortion == pytest.approx(mistaken, rel=0.2)
        else:
            assert points[-1].distortion < 0.2 * points[0].distortion
        for one in points:
            assert one.seconds == pytest.approx(one.exposure + one.fraction * 1024 * 2e-3, rel=0.05)
            assert one.low <= one.distortion <= one.high


def test_what_is_needed_agrees_with_a_map_of_that_price(rehearsal, labels):
    again = rehearse([labels], MEANS, rate=1000.0, cost=rehearsal.cost, wanted=0.02, seed=5)
    for policy, one in rehearsal.needed.items():
        assert 0.3 < again.needed[policy].seconds / one.seconds < 1.2  # a worse map is cheaper
    assert rehearsal.best.seconds == min(one.seconds for one in rehearsal.needed.values())


def test_only_the_middle_of_a_large_field_is_rehearsed_and_scaled(labels, monkeypatch):
    monkeypatch.setattr(_rehearsal, "WINDOW", 24)
    large = rehearse([np.pad(labels, 8, mode="wrap")], MEANS, rate=1000.0, wanted=0.15, visit_dwell=0.03)
    middle = rehearse([labels[4:28, 4:28]], MEANS, rate=1000.0, wanted=0.15, visit_dwell=0.03)
    assert [one.distortion for one in large.forecasts] == [one.distortion for one in middle.forecasts]
    assert large.needed["dose"].seconds == pytest.approx(4 * middle.needed["dose"].seconds)


def test_break_even_is_where_raster_and_sparse_map_take_the_same_time():
    fraction, visit, needed = 0.2, 10e-3, 1e-3
    overhead = break_even_overhead(fraction, visit, needed)
    assert fraction * (visit + overhead) == pytest.approx(needed + overhead)
    dwell = break_even_dwell(fraction, 3e-3, needed)
    assert fraction * (dwell + 3e-3) == pytest.approx(needed + 3e-3)
    assert break_even_overhead(fraction, 1e-3, needed) == 0.0
    assert break_even_overhead(1.0, visit, needed) == np.inf
    assert break_even_dwell(1.0, 1.0, needed) == 0.0


def test_drawn_counts_have_the_mean_and_the_variance_of_poisson_spectra():
    rng = np.random.default_rng(0)
    told = np.array([[1.0, 0.0], [0.0, 1.0]])  # evidence = counts in each channel
    kind = np.repeat([0, 1], 20000)
    found = draw_evidence(kind, np.full(40000, 3.0), np.cumsum(MEANS, axis=1), told, rng)
    np.testing.assert_allclose(found[:20000].mean(axis=0), 3.0 * MEANS[0], rtol=0.03)
    np.testing.assert_allclose(found[20000:].var(axis=0), 3.0 * MEANS[1], rtol=0.05)


def test_a_plausible_map_is_that_behind_a_noisy_image(labels):
    three = labels + 2 * (np.indices(labels.shape)[1] > 26)
    image = three * 3.0 + np.random.default_rng(1).normal(size=labels.shape)
    assert total_distortion(plausible_phase_map(image, 3), three) < 0.03


def test_an_image_of_too_few_grey_values_is_named():
    with pytest.raises(ValueError, match=r"^survey: "):
        plausible_phase_map(np.ones((8, 8)), 2)
    with pytest.raises(ValueError, match=r"^phases: "):
        plausible_phase_map(np.arange(64.0).reshape(8, 8), 1)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"phase_maps": []}, "phase_maps"),
        ({"phase_maps": [np.zeros((8, 8), int)]}, "phase_maps"),
        ({"phase_maps": [np.full((8, 8), 3)]}, "phase_maps"),
        ({"means": np.ones((1, 5))}, "means"),
        ({"means": np.array([[1.0, 0.0], [0.5, 0.5]])}, "means"),
        ({"rate": 0.0}, "rate"),
        ({"wanted": 0.0}, "wanted"),
        ({"visit_dwell": -1.0}, "visit_dwell"),
    ],
)
def test_bad_arguments_are_named(labels, given, named):
    arguments = {"phase_maps": [labels], "means": MEANS, "rate": 1000.0} | given
    with pytest.raises(ValueError, match=f"^{named}: "):
        rehearse(arguments.pop("phase_maps"), arguments.pop("means"), **arguments)


def test_allocated_dose_is_foretold_by_the_map_that_a_run_stores(labels):
    """Where visits are dear and few, `DoseAllocator.reconstruct` is far better than the map it decides by."""
    cost, rate, price = VisitCost(settling=3e-3, minimum_dwell=1e-4), 2000.0, 4e-4
    rng, stored, foretold = np.random.default_rng(0), [], []
    for seed in range(5):
        policy, spent = DoseAllocator(labels.shape, phases=2, seed=seed, cost=cost), 0.0
        while spent < price * labels.size:
            asked = policy.suggest(16)
            mean = MEANS[labels[asked["row"], asked["column"]] - 1]
            counts = rng.poisson(mean * rate * asked["dwell"][:, None])
            places = np.stack([asked["row"], asked["column"]], axis=1)
            policy.ingest(places, counts @ np.log(MEANS).T, dwell=asked["dwell"])
            spent += asked["dwell"].sum() + len(asked) * cost.overhead
        stored.append(total_distortion(policy.reconstruct(), labels))
        foretold += [one.distortion for one in dosed(PaperField(labels, MEANS, rate, cost, seed), [price], 0.0)]
    assert np.mean(foretold) == pytest.approx(np.mean(stored), abs=0.2)  # by the other map 0.4
