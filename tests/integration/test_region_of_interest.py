"""Maps of a part of the field, under a real RunEngine."""

import numpy as np
import pytest
from event_model import unpack_event_page

from daisy_bluesky.callbacks import Journal, check_decisions
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.storage import replay

SHAPE = (24, 24)
REGION = np.hypot(*(np.indices(SHAPE) - 11.5)) < 8


@pytest.fixture
def engine(new_engine):
    return new_engine()


def part_of_map(microscope, classifier_file, **arguments):
    given = {"classifier": classifier_file, "shape": SHAPE, "fraction": 0.2, "policy": "slads"} | arguments
    return adaptive_map([microscope.haadf, microscope.eds], microscope.probe, **given)


def measured(documents):
    """Return the data of all visits, measured one by one or in batches."""
    found = []
    for name, document in documents.emitted:
        events = unpack_event_page(document) if name == "event_page" else [document] if name == "event" else []
        found += [event["data"] for event in events if "probe_row" in event["data"]]
    return found


def inside(visits):
    return REGION[[round(visit["probe_row"]) for visit in visits], [round(visit["probe_column"]) for visit in visits]]


def decided_again(check):
    assert check.decisions > 0
    assert check.different == 0, check.first


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("policy", ["slads", "dose"])
def test_only_the_region_is_visited_and_the_fraction_is_of_it(
    engine, microscope, classifier_file, documents, policy, batch
):
    cost = {"cost": {"minimum_dwell": microscope.eds.dwell_time.get() / 4}} if policy == "dose" else {}
    engine(part_of_map(microscope, classifier_file, roi=REGION, policy=policy, batch=batch, **cost), documents)
    visits = measured(documents)
    assert inside(visits).all()
    if policy == "slads":
        assert len(visits) == round(0.2 * REGION.sum())
    else:
        spent = sum(visit["beam_dwell_time"] for visit in visits)
        assert spent == pytest.approx(0.2 * REGION.sum() * microscope.eds.dwell_time.get(), rel=0.1)
    decided_again(check_decisions(lambda _: iter(documents.emitted), documents.one("start")["uid"]))


def test_a_region_in_a_file_is_stored_and_known_to_the_run_that_goes_on(
    engine, microscope, classifier_file, documents, tmp_path, monkeypatch
):
    monkeypatch.setenv("DAISY_DATA", str(tmp_path))
    np.save(tmp_path / "region.npy", REGION.astype(np.uint8) * 255)
    engine.subscribe(Journal(tmp_path / "journal"))
    (first,) = engine(part_of_map(microscope, classifier_file, roi=str(tmp_path / "region.npy")))
    (tmp_path / "region.npy").unlink()
    with pytest.raises(ValueError, match=r"^roi: run .* goes on with what it stored"):
        engine(part_of_map(microscope, None, continue_from=first, policy=None, roi=REGION))
    plan = part_of_map(microscope, None, continue_from=first, policy=None, fraction=0.4)
    (second,) = engine(plan, documents)
    visits = measured(documents)
    assert inside(visits).all()
    check = check_decisions(lambda run: replay(tmp_path / "journal" / run), second)
    decided_again(check)
    assert check.recommender.visits == round(0.4 * REGION.sum())


def test_regions_that_are_none_are_named_before_anything_is_exposed(
    engine, microscope, classifier_file, documents, tmp_path
):
    np.save(tmp_path / "grey.npy", np.indices(SHAPE)[0])
    bad = np.ones((3, 3)), np.zeros(SHAPE), np.full(SHAPE, 0.5), np.full(SHAPE, np.nan), "nowhere.npy", "mask.jpg"
    for roi in (*bad, str(tmp_path / "grey.npy"), 3):
        with pytest.raises(ValueError, match=r"^roi: ") as refused:
            engine(part_of_map(microscope, classifier_file, roi=roi), documents)
        assert "\n" not in str(refused.value)
    assert documents.emitted == []
    assert microscope.beam.charge == 0
