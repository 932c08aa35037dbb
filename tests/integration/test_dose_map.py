"""The adaptive map that decides where and how long, under a real RunEngine."""

import numpy as np
import pytest

from daisy_bluesky.callbacks import Journal, check_decisions
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.sampling import total_distortion
from daisy_bluesky.storage import replay

PART = 0.03
SHAPE = (24, 24)


@pytest.fixture
def engine(new_engine):
    return new_engine()


def dose_map(microscope, classifier_file, **arguments):
    visit = microscope.eds.dwell_time.get()
    given = {
        "classifier": classifier_file,
        "cost": {"minimum_dwell": visit / 60},
        "fraction": PART,
        "shape": SHAPE,
    } | arguments
    return adaptive_map([microscope.haadf, microscope.eds], microscope.probe, **given)


def test_the_cost_decides_the_policy(engine, microscope, classifier_file, documents):
    engine(dose_map(microscope, classifier_file, fraction=0.01), documents)
    assert documents.one("start")["recommender"]["policy"] == "dose"
    documents.emitted.clear()
    dear = {"settling": 10 * microscope.eds.dwell_time.get()}
    engine(dose_map(microscope, classifier_file, fraction=0.01, cost=dear), documents)
    assert documents.one("start")["recommender"]["policy"] == "slads"


def test_dwell_follows_the_decisions_and_is_given_back(engine, microscope, classifier_file, documents):
    before = microscope.eds.dwell_time.get()
    engine(dose_map(microscope, classifier_file), documents)
    events, decisions = documents.events(), documents.events("decisions")
    asked = [doc["data"]["dwell"] for doc in decisions[:-1]]
    np.testing.assert_allclose([doc["data"]["beam_dwell_time"] for doc in events[1:]], asked, rtol=1e-6)
    spent = sum(doc["data"]["beam_dwell_time"] for doc in events)
    assert spent == pytest.approx(PART * 576 * before, rel=0.05)
    assert documents.one("stop")["reason"] == "fraction reached"
    assert microscope.eds.dwell_time.get() == before


def test_beats_one_visit_a_pixel_of_the_same_dwell(engine, microscope, specimen, classifier_file, documents):
    found = {}
    for policy in ("dose", "slads"):
        documents.emitted.clear()
        engine(dose_map(microscope, classifier_file, policy=policy), documents)
        (result,) = documents.events("result")
        found[policy] = total_distortion(result["data"]["phase_map"], specimen.labels[:24, :24], specimen.ill[:24, :24])
    assert found["dose"] < 0.5 * found["slads"]


def test_a_stored_run_decides_the_same_again(engine, microscope, classifier_file, documents, tmp_path):
    engine.subscribe(Journal(tmp_path / "journal"))
    (uid,) = engine(dose_map(microscope, classifier_file), documents)
    check = check_decisions(lambda run: replay(tmp_path / "journal" / run), uid)
    assert check.decisions == len(documents.events("decisions")) > 200
    assert check.different == 0, check.first
    (result,) = documents.events("result")
    np.testing.assert_array_equal(check.recommender.policy.reconstruct(), result["data"]["phase_map"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"policy": "hope"}, "policy"),
        ({"policy": "dose", "classifier": None}, "classifier"),
        ({"cost": {"setling": 1.0}}, "setling"),
        ({"cost": {"settling": -1.0}}, "settling"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_exposed(
    engine, microscope, classifier_file, documents, arguments, named
):
    with pytest.raises(ValueError, match=named):
        engine(dose_map(microscope, classifier_file, **arguments), documents)
    assert not documents.emitted
    assert microscope.beam.charge == 0


def test_the_first_pass_of_a_map_in_batches_is_one_frame(
    engine, microscope, specimen, classifier_file, documents, tmp_path
):
    """One event for all pixels, then re-visits; replay decides the same, and the account is what was spent."""
    engine.subscribe(Journal(tmp_path / "journal"))
    visit = microscope.eds.dwell_time.get()
    cost = {"minimum_dwell": visit / 60, "settling": 0.0}
    (uid,) = engine(dose_map(microscope, classifier_file, batch=16, policy="dose", cost=cost), documents)
    (frame,) = documents.events("frame")
    assert frame["data"]["frame_dwell_time"] == pytest.approx(visit / 60)
    assert microscope.beam.visits[:24, :24].min() >= 1
    dwell = frame["data"]["frame_dwell_time"] * 576
    pages = [doc for name, doc in documents.emitted if name == "event_page" and "beam_dwell_time" in doc["data"]]
    dwell += sum(sum(page["data"]["beam_dwell_time"]) for page in pages)
    assert dwell == pytest.approx(PART * 576 * visit, rel=0.1)
    assert microscope.beam.dwell_map.sum() == pytest.approx(dwell)
    (result,) = documents.events("result")
    check = check_decisions(lambda run: replay(tmp_path / "journal" / run), uid)
    assert check.decisions > 50
    assert check.different == 0, check.first
    np.testing.assert_array_equal(check.recommender.policy.reconstruct(), result["data"]["phase_map"])
    assert check.recommender.spending.charge == pytest.approx(microscope.beam.charge)
    np.testing.assert_allclose(check.recommender.spending.dwell_map((40, 40)), microscope.beam.dwell_map)
    assert total_distortion(result["data"]["phase_map"], specimen.labels[:24, :24], specimen.ill[:24, :24]) < 0.1
