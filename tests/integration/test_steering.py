"""An operator's regions in maps of phases, under a real RunEngine."""

import numpy as np
import pytest

from daisy_bluesky.callbacks import check_decisions
from daisy_bluesky.plans import Steering, adaptive_map

SHAPE = (24, 24)


@pytest.fixture
def engine(new_engine):
    return new_engine()


@pytest.fixture
def region():
    pixels = np.zeros(SHAPE, bool)
    pixels[:, :12] = True
    return pixels


def phase_map(microscope, classifier_file, **arguments):
    given = {"classifier": classifier_file, "shape": SHAPE, "fraction": 0.25, "policy": "slads"} | arguments
    return adaptive_map([microscope.haadf, microscope.eds], microscope.probe, **given)


@pytest.mark.parametrize("added", [0, 60])
def test_a_region_draws_visits_of_a_map_of_phases(engine, microscope, classifier_file, documents, region, added):
    steering, heard = Steering(), 0

    def operate(name, document):
        nonlocal heard
        heard += name == "event" and "eds_spectrum" in document["data"]
        if heard == added and name == "event":
            steering.add_region(region, 50.0)

    if added:
        engine.subscribe(operate)
    else:
        steering.add_region(region, 50.0)
    engine(phase_map(microscope, classifier_file, steering=steering), documents)
    columns = documents.positions()[added + 2 :, 1]
    assert (columns < 12).mean() > 0.75
    (first, *_) = documents.events("steering")
    np.testing.assert_array_equal(np.reshape(first["data"]["preference"], SHAPE), np.where(region, 50.0, 1.0))
    check = check_decisions(lambda _: iter(documents.emitted), documents.one("start")["uid"])
    assert check.decisions == len(documents.events("decisions")) > 100
    assert check.different == 0, check.first


def test_a_region_draws_dose_and_replays(engine, microscope, classifier_file, documents, region):
    steering, added, shortest = Steering(), [], microscope.eds.dwell_time.get() / 60
    dose = {"policy": "dose", "cost": {"minimum_dwell": shortest}, "fraction": 0.04}

    def operate(name, document):
        if name == "event" and "eds_spectrum" in document["data"] and not added:
            added.append(document["seq_num"])
            steering.add_region(region, 1000.0)

    engine.subscribe(operate)
    engine(phase_map(microscope, classifier_file, steering=steering, **dose), documents)
    visits = documents.positions()[added[0] + 1 :].astype(int)
    assert len(visits) > 600
    assert len(np.unique(documents.positions()[: region.size], axis=0)) == region.size
    assert region[tuple(visits[region.size :].T)].mean() > 0.9
    (recorded,) = documents.events("steering")
    np.testing.assert_array_equal(np.reshape(recorded["data"]["preference"], SHAPE), np.where(region, 1000.0, 1.0))
    check = check_decisions(lambda _: iter(documents.emitted), documents.one("start")["uid"])
    assert check.different == 0, check.first


def test_no_frame_exposes_what_was_vetoed_beforehand(engine, microscope, classifier_file, documents, region):
    steering, shortest = Steering(), microscope.eds.dwell_time.get() / 60
    steering.restrict(region)
    free = {"minimum_dwell": shortest, "settling": 0.0, "read_out": 0.0, "fly_back": 0.0}
    plan = phase_map(microscope, classifier_file, steering=steering, policy="dose", batch=8, cost=free, fraction=0.03)
    engine(plan, documents)
    assert not documents.events("frame")
    exposed = microscope.beam.dwell_map[: SHAPE[0], : SHAPE[1]] > 0
    assert exposed[region].any()
    assert not exposed[~region].any()


def test_no_survey_is_acquired_where_pixels_are_vetoed(engine, microscope, classifier_file, documents, region):
    steering = Steering()
    steering.restrict(region)
    with pytest.raises(ValueError, match=r"^survey: 'acquire' would expose"):
        engine(phase_map(microscope, classifier_file, steering=steering, survey="acquire"), documents)
    assert documents.emitted == []


def test_a_veto_holds_for_the_next_map_too_until_it_is_taken_back(
    engine, microscope, classifier_file, documents, region
):
    steering = Steering()
    steering.restrict(region)
    for _ in range(2):
        documents.emitted.clear()
        engine(phase_map(microscope, classifier_file, steering=steering, fraction=0.1), documents)
        assert region[tuple(documents.positions().astype(int).T)].all()
        assert len(documents.events("steering")) == 1
    steering.restrict(None)
    documents.emitted.clear()
    engine(phase_map(microscope, classifier_file, steering=steering, fraction=0.1), documents)
    assert 0.2 < region[tuple(documents.positions().astype(int).T)].mean() < 0.8
