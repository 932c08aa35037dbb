"""Maps that are guided by a survey image, under a real RunEngine."""

import threading

import numpy as np
import pytest
from bluesky.utils import RunEngineInterrupted

from daisy_bluesky.callbacks import Journal, check_decisions
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.sampling import total_distortion
from daisy_bluesky.storage import replay

SHAPE = (24, 24)


@pytest.fixture
def engine(new_engine):
    return new_engine()


def guided_map(microscope, classifier_file, **arguments):
    visit = microscope.eds.dwell_time.get()
    given = {
        "classifier": classifier_file,
        "cost": {"minimum_dwell": visit / 60},
        "policy": "dose",
        "fraction": 0.03,
        "shape": SHAPE,
    } | arguments
    return adaptive_map([microscope.haadf, microscope.eds], microscope.probe, **given)


@pytest.mark.parametrize("batch", [1, 8])
def test_a_frame_is_measured_accounted_and_stored_before_the_map(
    engine, microscope, specimen, classifier_file, documents, batch
):
    before = microscope.haadf.dwell_time.get()
    engine(guided_map(microscope, classifier_file, survey="acquire", batch=batch), documents)
    (survey,) = [event["data"] for event in documents.events("survey")]
    image = np.asarray(survey["survey_image"])
    labels = specimen.labels[:24, :24]
    means = np.array([image[labels == phase].mean() for phase in np.unique(labels)])
    spread = max(image[labels == phase].std() / np.sqrt((labels == phase).sum()) for phase in np.unique(labels))
    assert image.shape == SHAPE
    assert np.ptp(means) > 5 * spread
    current = 100.0
    assert survey["survey_charge"] == pytest.approx(576 * 1e-5 * current, rel=1e-3)
    mapped = sum(event["data"]["beam_charge"] for event in documents.events())
    if batch == 1:
        assert microscope.beam.charge == pytest.approx(survey["survey_charge"] + mapped)
    assert (microscope.beam.charge_map[:24, :24] >= 1e-5 * current * 0.999).all()
    assert microscope.haadf.dwell_time.get() == before
    assert documents.one("start")["plan_args"]["survey"] == "acquire"


def test_a_guided_run_decides_the_same_again(engine, microscope, specimen, classifier_file, documents, tmp_path):
    rng = np.random.default_rng(3)
    np.save(tmp_path / "survey.npy", specimen.labels[:24, :24] * 3.0 + rng.normal(size=SHAPE))
    engine.subscribe(Journal(tmp_path / "journal"))
    plan = guided_map(microscope, classifier_file, survey=str(tmp_path / "survey.npy"), fraction=0.05)
    (uid,) = engine(plan, documents)
    (tmp_path / "survey.npy").unlink()
    check = check_decisions(lambda run: replay(tmp_path / "journal" / run), uid)
    assert check.decisions == len(documents.events("decisions")) > 200
    assert check.different == 0, check.first
    assert check.recommender.policy.survey_weight > 0


def test_sparse_visits_are_guided_too_and_decide_the_same_again(
    engine, microscope, specimen, classifier_file, documents, tmp_path
):
    rng = np.random.default_rng(3)
    np.save(tmp_path / "survey.npy", specimen.labels[:24, :24] * 3.0 + rng.normal(size=SHAPE))
    engine.subscribe(Journal(tmp_path / "journal"))
    found = {}
    for survey in (str(tmp_path / "survey.npy"), None):
        documents.emitted.clear()
        plan = guided_map(microscope, classifier_file, survey=survey, fraction=0.35, policy="slads", cost=None)
        (uid,) = engine(plan, documents)
        (result,) = documents.events("result")
        found[survey] = total_distortion(result["data"]["phase_map"], specimen.labels[:24, :24], specimen.ill[:24, :24])
        check = check_decisions(lambda run: replay(tmp_path / "journal" / run), uid)
        assert check.decisions == len(documents.events("decisions")) == round(0.35 * 576)
        assert check.different == 0, check.first
        assert (check.recommender.policy.survey_weight > 0) == (survey is not None)
    assert found[str(tmp_path / "survey.npy")] < found[None]


def test_a_run_that_goes_on_knows_its_survey(engine, microscope, classifier_file, documents, tmp_path, monkeypatch):
    monkeypatch.setenv("DAISY_DATA", str(tmp_path))
    engine.subscribe(Journal(tmp_path / "journal"))
    (first,) = engine(guided_map(microscope, classifier_file, survey="acquire", fraction=0.01))
    survey_charge = 576 * 1e-5 * 100.0
    with pytest.raises(ValueError, match="survey: "):
        engine(guided_map(microscope, None, continue_from=first, survey="acquire", policy=None, cost=None))
    plan = guided_map(microscope, None, continue_from=first, policy=None, cost=None, fraction=0.02)
    (second,) = engine(plan, documents)
    assert not documents.events("survey")
    check = check_decisions(lambda run: replay(tmp_path / "journal" / run), second)
    assert check.different == 0, check.first
    assert check.recommender.spending.charge == pytest.approx(microscope.beam.charge, rel=1e-6)
    assert check.recommender.spending.charge > survey_charge


def test_a_limit_of_the_beam_ends_the_survey_frame(engine, specimen, classifier_file, documents):
    half = 576 * 1e-5 * 100.0 / 2
    microscope = make_devices(VirtualInstrument(specimen), current=100.0, dwell_time=0.01, max_charge=half)
    engine(guided_map(microscope, classifier_file, survey="acquire"), documents)
    assert "limit of the beam" in documents.one("stop")["reason"]
    assert not documents.events()
    assert microscope.beam.blanked.get()


def test_a_pause_in_the_survey_frame_exposes_nothing_twice(engine, specimen, classifier_file, documents):
    reached = threading.Event()

    def ask(exposure):
        if exposure.number == 100 and not reached.is_set():
            reached.set()
            engine.request_pause()

    microscope = make_devices(VirtualInstrument(specimen, faults={"haadf": ask}), current=100.0, dwell_time=0.01)
    with pytest.raises(RunEngineInterrupted):
        engine(guided_map(microscope, classifier_file, survey="acquire", fraction=0.002), documents)
    assert microscope.beam.blanked.get()
    assert 0 < microscope.beam.visits.sum() < 576
    assert not documents.events("survey")
    engine.resume()
    (survey,) = documents.events("survey")
    mapped = sum(event["data"]["beam_charge"] for event in documents.events())
    assert survey["data"]["survey_charge"] == pytest.approx(576 * 1e-5 * 100.0, rel=1e-3)
    assert microscope.beam.charge == pytest.approx(survey["data"]["survey_charge"] + mapped)


def test_bad_surveys_are_named_before_anything_is_exposed(engine, microscope, classifier_file, documents, tmp_path):
    np.save(tmp_path / "small.npy", np.ones((3, 3)))
    np.save(tmp_path / "nan.npy", np.full(SHAPE, np.nan))
    for survey in ("nowhere.npy", str(tmp_path / "small.npy"), str(tmp_path / "nan.npy"), "image.jpg", 3):
        with pytest.raises(ValueError, match=r"^survey: "):
            engine(guided_map(microscope, classifier_file, survey=survey), documents)
    together = guided_map(microscope, None, survey="acquire", policy=None, cost=None, objectives={"Fe Ka": 1.0})
    with pytest.raises(ValueError, match=r"^survey: objectives heed no survey"):
        engine(together, documents)
    eds_only = adaptive_map(
        [microscope.eds], microscope.probe, classifier=classifier_file, policy="dose", survey="acquire"
    )
    with pytest.raises(ValueError, match=r"^survey: .*haadf"):
        engine(eds_only, documents)
    assert not documents.emitted
    assert microscope.beam.charge == 0
