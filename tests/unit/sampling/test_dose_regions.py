"""A region that an operator prefers draws dose, where visits cost little and where they are dear."""

import numpy as np
import pytest
from sampling_maps import random_field

from daisy_bluesky.sampling import DoseAllocator, VisitCost

SHAPE = (32, 32)
SHORTEST = 1e-3
REGION = np.zeros(SHAPE, bool)
REGION[:, :16] = True
SETTLING = pytest.mark.parametrize("settling", [0.0, 0.1])


def allocator(settling):
    return DoseAllocator(SHAPE, phases=2, cost=VisitCost(minimum_dwell=SHORTEST, settling=settling), seed=3)


def measure(allocator, visits, batch=8):
    truth, rng = random_field(SHAPE[0], 5), np.random.default_rng(0)
    for _ in range(visits // batch):
        asked = allocator.suggest(batch)
        places = np.stack([asked["row"], asked["column"]], axis=1)
        told = rng.normal(size=(len(asked), 2)) * np.sqrt(500.0 * asked["dwell"])[:, None]
        told[np.arange(len(asked)), truth[places[:, 0], places[:, 1]] - 1] += 500.0 * asked["dwell"]
        allocator.ingest(places, told, dwell=asked["dwell"])
    return allocator


@SETTLING
def test_it_draws_visits_and_what_is_expected_stays(settling):
    begun = 128 if settling else 2 * REGION.size
    plain, preferring = measure(allocator(settling), begun), measure(allocator(settling), begun)
    expected = [preferring.expected_at(row, column) for row in range(0, 32, 5) for column in range(32)]
    preferring.add_region(REGION, 20.0)
    again = [preferring.expected_at(row, column) for row in range(0, 32, 5) for column in range(32)]
    np.testing.assert_array_equal(again, expected)
    assert preferring.remaining_distortion() == plain.remaining_distortion()
    batch = preferring.suggest(12)
    assert REGION[batch["row"], batch["column"]].mean() > 0.8
    before = plain.dwell
    measure(plain, 160)
    measure(preferring, 160)
    assert (preferring.dwell - before)[REGION].sum() > 1.4 * (plain.dwell - before)[REGION].sum()


@SETTLING
def test_a_region_said_first_or_last_or_taken_back_leads_to_the_same_place(settling):
    first, last, plain = allocator(settling), allocator(settling), allocator(settling)
    places = np.argwhere(np.ones(SHAPE, bool))[::7]
    evidence = np.where((places[:, 0] < 12)[:, None], [0.0, -2.0], [-2.0, 0.0])
    first.add_region(REGION, 5.0)
    for each in (first, last, plain):
        each.ingest(places, evidence, dwell=np.full(len(places), 4 * SHORTEST))
    last.add_region(REGION, 5.0)
    np.testing.assert_array_equal(first.suggest(9), last.suggest(9))
    last.add_region(REGION, 1.0)
    np.testing.assert_array_equal(plain.suggest(9), last.suggest(9))


def test_a_phase_discovered_later_leaves_the_preference():
    preferring = measure(allocator(0.0), 2048)
    preferring.add_region(REGION, 50.0)
    preferring.ingest([(20, 20)], [[-3.0, -3.0, 0.0]])
    batch = preferring.suggest(12)
    assert REGION[batch["row"], batch["column"]].mean() > 0.8


@pytest.mark.parametrize(
    ("region", "preference"), [(np.ones((3, 3)), 2.0), (np.ones(SHAPE), 0.0), (np.ones(SHAPE), np.nan)]
)
def test_bad_regions_are_named_and_change_nothing(region, preference):
    sampler = measure(allocator(0.0), 64)
    before = sampler.suggest(5)
    with pytest.raises(ValueError, match=r"^(region|preference) must"):
        sampler.add_region(region, preference)
    np.testing.assert_array_equal(sampler.suggest(5), before)


@pytest.mark.parametrize("settling", [0.0, 0.01])
def test_what_is_expected_is_no_more_than_the_field_has_pixels(settling):
    begun = allocator(settling)
    assert 0 < begun.expected_at(0, 0) < REGION.size
    (visit,) = begun.suggest()
    assert 0 < begun.expected_at(int(visit["row"]), int(visit["column"])) <= REGION.size


def test_the_first_pass_comes_first_whatever_is_preferred():
    preferring = allocator(0.0)
    preferring.add_region(REGION, 1000.0)
    preferring.add_region(~REGION, 0.5)
    measure(preferring, REGION.size)
    assert preferring.measured.all()
