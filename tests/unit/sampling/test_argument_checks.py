"""What is no argument is named in one line, and a sampler that refuses it is as it was."""

import numpy as np
import pytest

from daisy_bluesky.sampling import DoseAllocator, Objectives, Slads, SladsModel, patterns, rehearse, train

SHAPE = (12, 12)


def slads(**given):
    return Slads(SHAPE, phases=2, **given)


def dosed(**given):
    return DoseAllocator(SHAPE, phases=2, **given)


def objectives(**given):
    return Objectives(SHAPE, {"A": 1.0, "poor in A": 1.0}, **given)


@pytest.mark.parametrize("make", [slads, objectives])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("seed", 1.5),
        ("seed", "x"),
        ("seed", True),
        ("dwell", -1.0),
        ("dwell", 0.0),
        ("dwell", np.inf),
        ("dwell", "long"),
        ("model", "default"),
        ("model", 3),
    ],
)
def test_a_sampler_names_the_argument(make, name, value):
    with pytest.raises(ValueError, match=f"^{name}\\b"):
        make(**{name: value})


@pytest.mark.parametrize("value", ["1 s", {}, 1j])
def test_a_limit_is_of_numbers(value):
    for make in (dosed, objectives):
        with pytest.raises(ValueError, match=r"^limit must be real numbers"):
            make(limit=value)


@pytest.mark.parametrize(
    ("name", "value"), [("seed", -1), ("seed", 1.5), ("seed", "x"), ("cost", 3), ("cost", {"settling": 1})]
)
def test_a_dose_allocator_names_the_argument(name, value):
    with pytest.raises(ValueError, match=rf"^{name}\b"):
        dosed(**{name: value})


def test_what_is_told_to_a_dose_allocator_is_of_numbers():
    allocator = dosed()
    for name, tell in (
        ("stake", allocator.suspect),
        ("log_prior", allocator.expect),
        ("dwell", lambda told: allocator.ingest([(1, 1)], [1], dwell=told)),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be real numbers"):
            tell(["much"])
    assert not allocator.measured.any()


@pytest.mark.parametrize("value", [np.nan, np.inf, "low", None, 1j])
def test_a_threshold_is_a_finite_number(value):
    with pytest.raises(ValueError, match=r"^thresholds: that of 'poor in A' is "):
        objectives(thresholds={"poor in A": value})


@pytest.mark.parametrize(("make", "found"), [(slads, [1, 2]), (objectives, np.ones((2, 1, 2))), (dosed, [1, 2])])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positions", [(np.inf, 0), (1, 1)]),
        ("positions", [(-np.inf, 0), (1, 1)]),
        ("positions", [(np.nan, 0), (1, 1)]),
        ("positions", [("a", "b"), ("c", "d")]),
        ("positions", [(0, 0), (1,)]),
        ("positions", [(None, 0), (1, 1)]),
        ("positions", [(1e30, 0), (1, 1)]),
        ("positions", np.ones((2, 2), complex)),
        ("evidence", ["a", "b"]),
        ("evidence", np.ones((2, 1, 2), complex)),
        ("evidence", np.zeros((2, 2), complex)),
        ("evidence", [[0.0, 1.0], [0.0]]),
    ],
)
def test_a_visit_that_is_refused_changes_nothing(make, found, name, value):
    sampler, twin = make(seed=3), make(seed=3)
    given = {"positions": [(2, 3), (4, 5)], "evidence": found}
    with pytest.raises(ValueError, match=f"^{name}\\b"):
        sampler.ingest(**{**given, name: value})
    assert not sampler.measured.any()
    for one in (sampler, twin):
        one.ingest(**given)
    np.testing.assert_array_equal(
        [sampler.expected_at(*place) for place in np.ndindex(SHAPE)],
        [twin.expected_at(*place) for place in np.ndindex(SHAPE)],
    )


@pytest.mark.parametrize(("make", "found"), [(slads, [1]), (objectives, np.ones((1, 1, 2)))])
def test_positions_between_pixels_are_for_dose_allocation_alone(make, found):
    with pytest.raises(ValueError, match=r"^positions must be whole pixels"):
        make().ingest([(0.5, 0)], found)


def test_dwell_times_in_words_are_none():
    with pytest.raises(ValueError, match=r"^dwell must be real numbers"):
        objectives().ingest([(1, 1)], np.ones((1, 1, 2)), dwell=["long"])


@pytest.mark.parametrize("make", [slads, objectives, dosed])
@pytest.mark.parametrize("place", [(1.5, 0), (0, "a"), (0, 12), (-1, 0)])
def test_a_position_to_ask_about_is_a_pixel_of_the_field(make, place):
    with pytest.raises(ValueError, match=r"^position "):
        make().expected_at(*place)


@pytest.mark.parametrize("make", [slads, objectives, dosed])
def test_no_restriction_allows_all(make):
    sampler = make()
    sampler.restrict(np.zeros(SHAPE, bool))
    assert len(sampler.suggest(4)) == 0
    sampler.restrict(None)
    assert len(sampler.suggest(4)) == 4


@pytest.mark.parametrize("name", ["random", "jittered", "line_hop", "sobol", "halton"])
@pytest.mark.parametrize("seed", [-1, 0.5, "x"])
def test_a_pattern_names_its_seed(name, seed):
    with pytest.raises(ValueError, match=r"^seed must be"):
        getattr(patterns, name)(SHAPE, 0.1, seed)


def test_training_and_rehearsal_name_their_seed():
    labels = np.arange(400).reshape(20, 20) % 2 + 1
    with pytest.raises(ValueError, match=r"^seed must be"):
        train([labels], seed=-1)
    with pytest.raises(ValueError, match=r"^seed must be"):
        rehearse([labels], np.eye(2) + 0.1, rate=1.0, seed=-1)


@pytest.mark.parametrize("name", ["exploration", "window", "feature_version", "weights"])
@pytest.mark.parametrize("value", [np.ones(3), np.array("many"), np.array(1j)])
def test_a_file_with_something_else_in_it_is_no_model(name, value, tmp_path):
    file = tmp_path / "model.npz"
    SladsModel.default().save(file)
    with np.load(file) as stored:
        arrays = dict(stored)
    np.savez(file, **(arrays | {name: value}))
    with pytest.raises(ValueError, match=r"model"):
        SladsModel.load(file)
    with pytest.raises(ValueError, match=r"model"):
        SladsModel.from_bytes(file.read_bytes())
