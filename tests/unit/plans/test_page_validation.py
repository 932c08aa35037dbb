"""Pages are checked as strictly as ever, only faster."""

import copy

import numpy as np
import pytest
from event_model import DocumentNames, schema_validators
from jsonschema import ValidationError

from daisy_bluesky.plans._page_validation import quick_page_validation

PAGE = {
    "uid": ["a", "b"],
    "descriptor": "d",
    "seq_num": [1, 2],
    "time": [1.0, 2.0],
    "data": {"spectrum": [np.ones(4), np.ones(4)], "row": [0.0, "any value"]},
    "timestamps": {"spectrum": [1.0, 1.0], "row": [1.0, 1.0]},
    "filled": {},
}
FAULTS = {
    "a number for a list": lambda page: page["data"].update(row=1.0),
    "a list for the data": lambda page: page.update(data=[]),
    "a text for a time": lambda page: page["time"].append("late"),
    "a fraction for a number of sequence": lambda page: page["seq_num"].append(1.5),
    "a number for a uid": lambda page: page["uid"].append(3),
    "a number for what was filled": lambda page: page["filled"].update(row=[3]),
    "a timestamp that is no list": lambda page: page["timestamps"].update(row=1.0),
    "a key nobody knows": lambda page: page.update(more=1),
    **{f"no {key}": lambda page, key=key: page.pop(key) for key in PAGE if key != "filled"},
}


def validate(page):
    schema_validators[DocumentNames.event_page].validate(page)


def test_a_good_page_passes():
    validate(PAGE)
    with quick_page_validation():
        validate(PAGE)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_either_way(fault):
    page = copy.deepcopy(PAGE)
    FAULTS[fault](page)
    with pytest.raises(ValidationError):
        validate(page)
    with quick_page_validation(), pytest.raises(ValidationError):
        validate(page)


def test_the_original_is_back_afterwards_also_when_something_fails():
    before = schema_validators[DocumentNames.event_page]
    context = quick_page_validation()
    context.__enter__()
    assert schema_validators[DocumentNames.event_page] is not before
    assert not context.__exit__(RuntimeError, RuntimeError(), None)
    assert schema_validators[DocumentNames.event_page] is before
