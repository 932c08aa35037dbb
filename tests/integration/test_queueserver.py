"""bluesky-queueserver takes the plans, checks their parameters and hands them devices."""

from types import SimpleNamespace

import pytest
from bluesky_queueserver.manager.profile_ops import (
    existing_plans_and_devices_from_nspace,
    prepare_plan,
    validate_plan,
)

from daisy_bluesky.plans import adaptive_map, multiframe_map, raster_map, sparse_map

POSITIONAL = [["haadf", "eds"], "probe"]


@pytest.fixture
def queue(microscope):
    names = ("beam", "probe", "haadf", "eds")
    space = {name: getattr(microscope, name) for name in names}
    space |= {"adaptive_map": adaptive_map, "raster_map": raster_map, "sparse_map": sparse_map}
    space["multiframe_map"] = multiframe_map
    plans, devices, plan_objects, device_objects = existing_plans_and_devices_from_nspace(nspace=space)
    return SimpleNamespace(
        space=space, plans=plans, devices=devices, plan_objects=plan_objects, device_objects=device_objects
    )


def item(name, args=POSITIONAL, **kwargs):
    return {"name": name, "args": args, "kwargs": kwargs, "user_group": "microscopists"}


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("adaptive_map", {}),
        (
            "adaptive_map",
            {
                "shape": [32, 32],
                "dwell_time": 0.01,
                "fraction": 0.1,
                "max_dose": 1e4,
                "max_time": 600,
                "convergence": 0.01,
                "classifier": "phases.npz",
                "seed": 3,
                "md": {"sample": "rock"},
            },
        ),
        ("adaptive_map", {"continue_from": "0123abcd"}),
        ("raster_map", {"shape": [5, 7], "dwell_time": 0.01}),
        ("multiframe_map", {"pixel_size": 0.05, "dwell_time": 2e-5, "frames": 20, "region": [0, 0, 5, 5], "areas": 3}),
        ("multiframe_map", {"pixel_size": 0.05, "dwell_time": 2e-5, "frames": 20, "areas": [[0, 0], [7, 0]]}),
        ("multiframe_map", {"continue_from": "0123abcd", "frames": 40, "max_dose": 1e6}),
        ("sparse_map", {"fraction": 0.3, "pattern": "sobol", "seed": 1}),
    ],
)
def test_plans_are_accepted_with_plain_literals(queue, name, kwargs):
    assert validate_plan(item(name, **kwargs), allowed_plans=queue.plans, allowed_devices=queue.devices) == (True, "")


@pytest.mark.parametrize(
    ("name", "kwargs", "complaint"),
    [
        ("adaptive_map", {"fraction": "much"}, "fraction"),
        ("adaptive_map", {"shape": "wide"}, "shape"),
        ("adaptive_map", {"max_dose": [1, 2]}, "max_dose"),
        ("raster_map", {"fraction": 0.5}, "unexpected keyword argument 'fraction'"),
        ("sparse_map", {"seed": 0.5}, "seed"),
        ("spiral_map", {}, "not in the list of allowed plans"),
    ],
)
def test_parameters_are_checked_before_a_plan_is_queued(queue, name, kwargs, complaint):
    accepted, message = validate_plan(item(name, **kwargs), allowed_plans=queue.plans, allowed_devices=queue.devices)
    assert not accepted
    assert complaint in message


def test_every_parameter_is_described_to_the_user_of_the_queue(queue):
    for name in ("adaptive_map", "raster_map", "sparse_map"):
        described = queue.plans[name]
        assert described["description"]
        assert [parameter["name"] for parameter in described["parameters"] if not parameter.get("description")] == []


def prepared(queue, task):
    return prepare_plan(
        task,
        plans_in_nspace=queue.plan_objects,
        devices_in_nspace=queue.device_objects,
        allowed_plans={"microscopists": queue.plans},
        allowed_devices={"microscopists": queue.devices},
        nspace=queue.space,
    )


def test_a_queued_plan_runs_with_the_devices_it_names(queue, new_engine, documents):
    call = prepared(queue, item("adaptive_map", shape=[20, 20], fraction=0.1))
    new_engine()(call["callable"](*call["args"], **call["kwargs"]), documents)
    assert len(documents.events()) == 40
    assert documents.one("start")["shape"] == [20, 20]


def test_a_detector_that_the_session_does_not_have_is_named(queue, new_engine, documents):
    call = prepared(queue, item("raster_map", args=[["haadf", "wds"], "probe"]))
    with pytest.raises(ValueError, match="detectors: 'wds' is no detector"):
        new_engine()(call["callable"](*call["args"], **call["kwargs"]), documents)
    assert documents.emitted == []
