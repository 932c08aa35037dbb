"""What a run takes over from the one it continues, and what it refuses to go on with."""

from types import SimpleNamespace

import numpy as np
import pytest
from bluesky.simulators import summarize_plan

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.specimen import VirtualSpecimen
from daisy_bluesky.storage import replay

DWELL = 0.25


def new_microscope(specimen, dwell_time=0.01):
    return make_devices(VirtualInstrument(specimen), current=100.0, dwell_time=dwell_time)


def plan_for(microscope, **arguments):
    return adaptive_map([microscope.haadf, microscope.eds], microscope.probe, **arguments)


@pytest.fixture
def laboratory(new_engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = new_engine()
    journal = Journal(tmp_path / "daisy-data" / "journal")
    engine.subscribe(journal)
    return SimpleNamespace(engine=engine, journal=journal, folder=journal.directory)


@pytest.fixture
def cut_short(laboratory, specimen, classifier_file):
    """Where a map failed after 30 events, its uid, and the microscope that measured it."""
    microscope = new_microscope(specimen)

    def fail_after_30(name, document):
        if name == "event" and document["seq_num"] == 30:
            raise RuntimeError("enough")

    plan = plan_for(
        microscope, classifier=classifier_file, policy="slads", dwell_time=DWELL, fraction=0.05, max_dose=1e9
    )
    with pytest.raises(RuntimeError, match="enough"):
        laboratory.engine(plan, fail_after_30)
    (folder,) = laboratory.folder.iterdir()
    return SimpleNamespace(**vars(laboratory), uid=folder.name, microscope=microscope, points=measured(folder))


def measured(folder):
    return sum(name == "event" and "eds_spectrum" in document["data"] for name, document in replay(folder))


def test_dwell_times_and_limits_hold_on(cut_short, specimen, documents):
    later = new_microscope(specimen)
    cut_short.engine(plan_for(later, continue_from=cut_short.uid), documents)
    assert {event["data"]["beam_dwell_time"] for event in documents.events()} == {DWELL}
    assert cut_short.points + len(documents.events()) == 80
    arguments = documents.one("start")["plan_args"]
    assert (arguments["fraction"], arguments["max_dose"]) == (0.05, 1e9)


def test_others_are_taken_where_they_are_given(cut_short, specimen, documents):
    later = new_microscope(specimen)
    cut_short.engine(plan_for(later, continue_from=cut_short.uid, fraction=0.04, dwell_time=0.5), documents)
    assert {event["data"]["beam_dwell_time"] for event in documents.events()} == {0.5}
    assert cut_short.points + len(documents.events()) == 64


def test_a_map_that_has_its_points_is_not_begun_again(cut_short, specimen):
    later = new_microscope(specimen)
    with pytest.raises(ValueError, match=r"^fraction: run .* has its 16 points already; give a larger fraction$"):
        cut_short.engine(plan_for(later, continue_from=cut_short.uid, fraction=0.01))
    assert later.beam.charge == 0
    assert len(list(cut_short.folder.iterdir())) == 1


def test_another_specimen_is_not_taken_for_the_same(cut_short, specimen):
    others = [
        VirtualSpecimen.demo(specimen.shape, seed=4),
        VirtualSpecimen.demo((40, 41), seed=3),
    ]
    for other in others:
        with pytest.raises(ValueError, match=r"continue_from: run .* was measured on another field or specimen"):
            cut_short.engine(plan_for(new_microscope(other), continue_from=cut_short.uid))


@pytest.mark.parametrize("asked", [{"seed": 7}, {"start_fraction": 0.02}, {"spectrum": "eels_spectrum"}])
def test_what_is_fixed_by_the_run_cannot_be_asked_otherwise(cut_short, specimen, asked):
    (name,) = asked
    with pytest.raises(ValueError, match=rf"^{name}: run .* was measured with .*; leave {name} out"):
        cut_short.engine(plan_for(new_microscope(specimen), continue_from=cut_short.uid, **asked))


def test_what_the_field_had_before_is_added_to_what_the_account_knows(cut_short, specimen):
    later = new_microscope(specimen)
    later.eds.dwell_time.put(1.0)
    later.probe.set((3, 4)).wait()
    later.eds.trigger().wait()
    earlier = cut_short.microscope.beam
    cut_short.engine(plan_for(later, continue_from=cut_short.uid, fraction=31 / 1600))
    assert later.beam.visits.sum() == 1 + 31
    assert later.beam.dwell_map[3, 4] == pytest.approx(1.0 + earlier.dwell_map[3, 4])


def test_what_the_account_knows_is_not_added_again(cut_short):
    beam = cut_short.microscope.beam
    before = beam.dwell_map.copy()
    cut_short.engine(plan_for(cut_short.microscope, continue_from=cut_short.uid, fraction=31 / 1600))
    assert beam.visits.sum() == 31
    np.testing.assert_array_equal(beam.dwell_map[before > 0], before[before > 0])


def test_a_summary_books_nothing(cut_short, specimen, capsys):
    later = new_microscope(specimen)
    summarize_plan(plan_for(later, continue_from=cut_short.uid))
    assert "Open Run" in capsys.readouterr().out
    assert later.beam.charge == 0


def test_a_run_that_is_being_measured_is_not_gone_on_with(laboratory, specimen, classifier_file):
    microscope, refusals = new_microscope(specimen), []

    def go_on_meanwhile(name, document):
        if name == "event" and document["seq_num"] == 5 and "eds_spectrum" in document["data"]:
            (folder,) = laboratory.folder.iterdir()
            plan = plan_for(microscope, continue_from=folder.name)
            next(plan)
            with pytest.raises(ValueError, match="is still being measured; wait until it has ended") as refusal:
                plan.send(laboratory.folder)
            refusals.append(refusal)

    laboratory.engine(plan_for(microscope, classifier=classifier_file, policy="slads", fraction=0.01), go_on_meanwhile)
    assert len(refusals) == 1
    assert microscope.beam.exposures == 16
