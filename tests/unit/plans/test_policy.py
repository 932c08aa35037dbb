"""Which policy decides follows from what a visit costs, and the run says why."""

from types import SimpleNamespace

import pytest

from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans._policy import chosen_policy, told_costs
from daisy_bluesky.specimen import VirtualSpecimen

CLASSIFIER = "phases.npz"


def asked(**given):
    return {"policy": None, "cost": None, "classifier": CLASSIFIER, "dwell_time": None} | given


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"minimum_dwell": 1e-5, "settling": 1e-5}, "dose"),
        ({"minimum_dwell": 1e-5, "settling": 2e-2}, "slads"),
        ({"minimum_dwell": 8e-3}, "slads"),
        ({"settling": 1e-5}, "slads"),
    ],
)
def test_what_devices_tell_decides(told, expected):
    chosen = chosen_policy(asked(), 1e-2, told)
    assert chosen["policy"] == expected
    assert chosen["policy_reason"]


def test_what_the_user_says_of_the_cost_counts_more_than_what_devices_tell():
    chosen = chosen_policy(asked(cost={"settling": 0.0}), 1e-2, {"minimum_dwell": 1e-5, "settling": 1.0})
    assert chosen["policy"] == "dose"
    assert chosen["cost"]["settling"] == 0.0
    assert chosen["cost"]["minimum_dwell"] == 1e-5


def test_unknown_phases_are_found_by_one_visit_a_pixel():
    chosen = chosen_policy(asked(classifier=None), 1e-2, {"minimum_dwell": 1e-5})
    assert chosen["policy"] == "slads"
    assert "classifier" in chosen["policy_reason"]


def test_the_users_word_is_the_reason():
    assert chosen_policy(asked(policy="dose"), 1e-2, {})["policy_reason"] == "asked for"


def test_the_slowest_detector_counts():
    detectors = [SimpleNamespace(minimum_dwell=1e-6, read_out_time=1e-3), SimpleNamespace(minimum_dwell=1e-4)]
    probe = SimpleNamespace(settle_time=2e-5)
    assert told_costs(detectors, probe) == {"minimum_dwell": 1e-4, "read_out": 1e-3, "settling": 2e-5}
    assert told_costs([SimpleNamespace()], SimpleNamespace()) == {}


def test_a_dwell_time_is_taken_at_its_word_unless_a_cost_is_given():
    told = {"minimum_dwell": 1e-5, "settling": 1e-5}
    chosen = chosen_policy(asked(dwell_time=0.3), 0.3, told)
    assert (chosen["policy"], "0.3 s" in chosen["policy_reason"]) == ("slads", True)
    assert chosen_policy(asked(dwell_time=0.3, cost={"settling": 0.0}), 0.3, told)["policy"] == "dose"
    assert chosen_policy(asked(dwell_time=0.3, policy="dose"), 0.3, told)["policy"] == "dose"


def test_built_in_devices_tell_what_a_visit_costs():
    microscope = make_devices(VirtualInstrument(VirtualSpecimen.demo((8, 8))), settle_time=2e-4, dwell_time=0.02)
    told = told_costs([microscope.haadf, microscope.eds], microscope.probe)
    assert told == {"minimum_dwell": 1e-5, "read_out": 0.0, "settling": 2e-4}
    chosen = chosen_policy(asked(), 0.02, told)
    assert chosen["policy"] == "dose"
    assert chosen["cost"]["minimum_dwell"] == 1e-5
    slow = make_devices(
        VirtualInstrument(VirtualSpecimen.demo((8, 8))),
        dwell_time=0.02,
        minimum_dwells={"eds": 0.015},
        read_out_times={"eds": 0.001},
    )
    told = told_costs([slow.haadf, slow.eds], slow.probe)
    assert (told["minimum_dwell"], told["read_out"]) == (0.015, 0.001)
    assert chosen_policy(asked(), 0.02, told)["policy"] == "slads"
    for wrong in ({"minimum_dwells": {"eds": 0.0}}, {"read_out_times": {"eds": -1.0}}, {"minimum_dwells": {"x": 1.0}}):
        with pytest.raises(ValueError, match=r"minimum_dwell|read_out_time"):
            make_devices(VirtualInstrument(VirtualSpecimen.demo((8, 8))), **wrong)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"cost": 3}, "cost: 3 is no dictionary"),
        ({"cost": {"settling": "1ms"}}, "cost: settling"),
        ({"cost": {1: 2}}, "no cost is named 1"),
        ({"cost": {"blanked": "no"}}, "cost: blanked"),
        ({"cost": {"minimum_dwell": 1.0}, "policy": "dose"}, "the shortest is 1 s"),
    ],
)
def test_a_cost_that_is_none_is_named(given, named):
    with pytest.raises(ValueError, match=named):
        chosen_policy(asked(**given), 1e-2, {})
