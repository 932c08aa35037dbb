"""Which policy decides follows from what a visit costs, and the run says why."""

from types import SimpleNamespace

import pytest

from daisy_bluesky.plans._policy import chosen_policy, told_costs

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
