from math import inf

import numpy as np
import pytest

from daisy_bluesky.report import BreakEven, MapOutcome, verdict

MAP = np.ones((256, 256), dtype=int)
PIXEL = 1 / MAP.size


def outcome(name, distortion, electrons=1e9, seconds=100.0):
    return MapOutcome(name, MAP, 0.2, 500.0, electrons, seconds, total_distortion=distortion)


OWN = outcome("adaptive map", 0.004)


def test_it_says_where_the_raster_would_have_been_better():
    rivals = [
        outcome("raster, equal electrons", 0.001, seconds=130.0),
        outcome("raster, equal time", 0.01),
        outcome("flying raster", 0.0),
    ]
    lines = verdict(OWN, rivals)
    assert lines[0] == "The raster would have been better here (raster, equal electrons; flying raster)."
    assert "0.0040" in lines[1]
    assert lines[2].endswith("the raster would have been better here, for the same electrons.")
    assert "1.3 × the time" in lines[2]
    assert lines[3].endswith("worse.")
    assert lines[4].endswith("for the same electrons and time.")


def test_a_dearer_raster_is_not_called_better_here():
    lines = verdict(OWN, [outcome("full raster", 0.0, electrons=5e9, seconds=500.0)])
    assert lines[0] == "No raster of equal price shows a better map."
    assert lines[2].endswith("better, but dearer.")


def test_equal_maps_are_as_good():
    lines = verdict(OWN, [outcome("raster", 0.004)])
    assert lines[0] == "No raster of equal price shows a better map; as good: raster."
    assert lines[2].endswith(": as good.")


@pytest.mark.parametrize(
    ("wrong", "of_the_raster", "said"),
    [
        (1, 0, "as good"),
        (0, 2, "as good"),
        (8, 0, "better here"),
        (3, 0, "better here"),
        (0, 3, "worse"),
        (280, 262, "as good"),
        (280, 250, "better here"),
    ],
)
def test_maps_that_differ_by_counting_noise_are_as_good(wrong, of_the_raster, said):
    lines = verdict(outcome("adaptive map", wrong * PIXEL), [outcome("raster", of_the_raster * PIXEL)])
    assert said in lines[2]
    assert ("better here" in lines[0]) == (said == "better here")


def test_what_is_called_better_is_seen_to_be_better():
    own, raster = outcome("adaptive map", 3 * PIXEL), outcome("raster", 0.0)
    _, mine, theirs = verdict(own, [raster])
    assert "total distortion 0.00005" in mine
    assert "total distortion 0.00000" in theirs


def test_deviances_that_are_shown_alike_are_called_alike():
    own, raster = (
        MapOutcome(name, MAP, 0.2, 5.0, 1e9, 10.0, deviance=deviance)
        for name, deviance in (("adaptive map", 40.001), ("raster", 40.0))
    )
    assert verdict(own, [raster])[2].endswith("as good.")


def test_break_even_in_overhead_and_dwell():
    even = BreakEven(counts=25.0, dwell=0.01, overhead=0.16, visit_dwell=0.042, electrons=1e9 / 31)
    *_, needed, turn = verdict(OWN, [outcome("raster", 0.001)], even)
    assert "25 counts a pixel (10 ms): 1/31 of the electrons" in needed
    assert "more than 160 ms" in turn
    assert "less than 42 ms" in turn


@pytest.mark.parametrize(
    ("even", "said"),
    [
        (BreakEven(25.0, 0.01, 0.0, 0.042, 1e9), "whatever the overhead"),
        (BreakEven(inf, inf, 0.0, inf, inf), "No raster with up to the dwell of a visit"),
    ],
)
def test_break_even_at_the_ends(even, said):
    assert said in verdict(OWN, [outcome("raster", 0.01)], even)[-1]


def test_maps_without_truth_are_compared_by_deviance():
    own = MapOutcome("adaptive map", MAP, 0.2, 5.0, 1e9, 10.0, deviance=40.0)
    raster = MapOutcome("raster", MAP, 1.0, 1.0, 1e9, 10.0, deviance=39.0)
    assert verdict(own, [raster])[0].startswith("The raster would have been better")
    with pytest.raises(ValueError, match="neither total distortion nor deviance"):
        verdict(MapOutcome("map", MAP, 0.2, 5.0, 1e9, 10.0), [raster])
