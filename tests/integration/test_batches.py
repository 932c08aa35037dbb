"""Adaptive maps that ask after every batch of visits."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from bluesky.simulators import summarize_plan
from bluesky.utils import FailedStatus, RunEngineInterrupted

from daisy_bluesky.callbacks import Journal, check_decisions
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument, WallClock
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.sampling import total_distortion
from daisy_bluesky.storage import replay

BATCH, VISITS = 32, 320


@pytest.fixture
def laboratory(new_engine, tmp_path):
    """A RunEngine with a journal, and how its only run is read back."""
    engine = new_engine()
    journal = Journal(tmp_path / "journal")
    engine.subscribe(journal)

    def single(stream):
        (folder,) = (tmp_path / "journal").iterdir()
        names = {}
        found = []
        for name, document in replay(folder):
            if name == "descriptor":
                names[document["uid"]] = document["name"]
            elif name == "event_page" and names[document["descriptor"]] == stream:
                found += [
                    {key: values[place] for key, values in document["data"].items()}
                    for place in range(len(document["seq_num"]))
                ]
        return found

    return SimpleNamespace(engine=engine, folder=tmp_path / "journal", events=single, journal=journal)


def batches(microscope, **arguments):
    return adaptive_map([microscope.haadf, microscope.eds], microscope.probe, batch=BATCH, **arguments)


def decided(laboratory):
    """How many visits a decision answers."""
    return len({decision["visit"] for decision in laboratory.events("decisions")})


def positions(events):
    return [(event["probe_row"], event["probe_column"]) for event in events]


def test_positions_are_visited_as_decided_once_each(laboratory, microscope, classifier_file, documents):
    laboratory.engine(batches(microscope, classifier=classifier_file, policy="slads"), documents)
    events, decisions = laboratory.events("primary"), laboratory.events("decisions")
    assert len(events) == len(set(positions(events))) == VISITS
    start = round(0.01 * 1600)
    chosen = [(decision["row"], decision["column"]) for decision in decisions if decision["row"] >= 0]
    assert positions(events)[start:] == chosen[: VISITS - start]
    assert sorted({decision["visit"] for decision in decisions}) == list(range(1, VISITS + 1))
    assert microscope.beam.visits.sum() == VISITS
    assert microscope.beam.blanked.get()
    assert documents.one("stop")["num_events"]["primary"] == VISITS
    assert all(event["eds_spectrum"].shape == (2048,) for event in events)


def test_every_decision_of_a_batch_is_taken_again_in_replay(laboratory, microscope, classifier_file):
    (uid,) = laboratory.engine(batches(microscope, classifier=classifier_file, policy="slads"))
    check = check_decisions(lambda run: replay(laboratory.folder / run), uid)
    assert check.decisions >= VISITS
    assert check.different == 0


def test_a_map_in_batches_is_nearly_as_good(laboratory, microscope, specimen, classifier_file, documents, new_engine):
    laboratory.engine(batches(microscope, classifier=classifier_file, policy="slads"), documents)
    (in_batches,) = documents.events("result")
    documents.emitted.clear()
    microscope.beam.reset()
    plan = adaptive_map(
        [microscope.haadf, microscope.eds], microscope.probe, classifier=classifier_file, policy="slads"
    )
    new_engine()(plan, documents)
    (one_by_one,) = documents.events("result")
    distortion = [
        total_distortion(result["data"]["phase_map"], specimen.labels, specimen.ill)
        for result in (in_batches, one_by_one)
    ]
    assert distortion[0] < 1.5 * distortion[1] + 0.01


def test_the_last_batch_is_as_short_as_the_fraction_asks(laboratory, microscope, classifier_file):
    laboratory.engine(batches(microscope, classifier=classifier_file, policy="slads", fraction=50 / 1600))
    assert len(laboratory.events("primary")) == decided(laboratory) == 50


def test_a_limit_of_the_beam_ends_the_map_with_its_result(laboratory, specimen, classifier_file, documents):
    microscope = make_devices(VirtualInstrument(specimen), current=100.0, dwell_time=0.1, max_charge=40.5 * 10.0)
    laboratory.engine(batches(microscope, classifier=classifier_file, policy="slads"), documents)
    assert documents.one("stop")["exit_status"] == "success"
    assert documents.one("stop")["reason"].startswith("limit of the beam")
    assert len(laboratory.events("primary")) == decided(laboratory) == 40
    assert documents.events("result")


def test_what_was_measured_before_a_fault_is_kept_and_gone_on_with(
    laboratory, specimen, classifier_file, documents, monkeypatch
):
    def jam(exposure):
        if exposure.number == 70:
            raise OSError("the shutter is jammed")

    microscope = make_devices(VirtualInstrument(specimen, faults={"eds": jam}), current=100.0, dwell_time=0.1)
    with pytest.raises(FailedStatus):
        laboratory.engine(batches(microscope, classifier=classifier_file, policy="slads"), documents)
    assert microscope.beam.blanked.get()
    assert "the shutter is jammed" in documents.one("stop")["reason"]
    kept = positions(laboratory.events("primary"))
    assert len(kept) == 69

    monkeypatch.setenv("DAISY_DATA", str(laboratory.folder.parent))
    documents.emitted.clear()
    uid = documents_uid(laboratory)
    laboratory.engine(batches(microscope, continue_from=uid, fraction=120 / 1600), documents)
    later = [page for name, page in documents.emitted if name == "event_page" and "probe_row" in page["data"]]
    rows = [row for page in later for row in page["data"]["probe_row"]]
    columns = [column for page in later for column in page["data"]["probe_column"]]
    assert len(rows) == 120 - 69
    assert not set(kept) & set(zip(rows, columns, strict=True))


def documents_uid(laboratory):
    (folder,) = laboratory.folder.iterdir()
    return folder.name


@pytest.fixture
def live(specimen):
    """A microscope that lives by the wall, and the moments at which its exposures begin."""
    return make_devices(VirtualInstrument(specimen, clock=WallClock()), current=100.0, dwell_time=0.01)


def pause_at(engine, microscope, exposure):
    """Ask for a pause, as a user would from another thread, when an exposure of that number has begun."""
    unblank, begun = microscope.beam.instrument.unblank, []

    def unblank_and_ask():
        unblank()
        begun.append(1)
        if len(begun) == exposure:
            threading.Thread(target=engine.request_pause, daemon=True).start()

    microscope.beam.instrument.unblank = unblank_and_ask


def test_a_pause_in_mid_batch_loses_and_doubles_nothing(laboratory, live, classifier_file):
    pause_at(laboratory.engine, live, 40)
    with pytest.raises(RunEngineInterrupted):
        laboratory.engine(batches(live, classifier=classifier_file, policy="slads", fraction=64 / 1600))
    assert live.beam.blanked.get()
    paused_at = live.beam.exposures
    assert 40 <= paused_at < 64
    laboratory.engine.resume()
    events = laboratory.events("primary")
    assert len(events) == len(set(positions(events))) == decided(laboratory) == 64
    assert live.beam.visits.sum() == 64
    assert live.beam.visits.max() == 1


def test_an_abort_from_a_pause_keeps_what_was_measured(laboratory, live, classifier_file):
    pause_at(laboratory.engine, live, 40)
    with pytest.raises(RunEngineInterrupted):
        laboratory.engine(batches(live, classifier=classifier_file, policy="slads", fraction=64 / 1600))
    exposures = live.beam.exposures
    laboratory.engine.abort()
    assert live.beam.blanked.get()
    assert live.beam.exposures == exposures == len(laboratory.events("primary"))


@pytest.mark.parametrize("batch", [0, -3, 2.5, "many", None])
def test_a_batch_that_is_no_number_of_visits_is_refused(laboratory, microscope, batch):
    with pytest.raises(ValueError, match=r"^batch: .* is not a whole number from 1 up to 2"):
        laboratory.engine(adaptive_map([microscope.haadf, microscope.eds], microscope.probe, batch=batch))
    assert microscope.beam.exposures == 0


def test_a_summary_ends(microscope, classifier_file, capsys):
    summarize_plan(batches(microscope, classifier=classifier_file, policy="slads", fraction=64 / 1600))
    assert "Open Run" in capsys.readouterr().out


def test_dwell_times_go_with_the_positions(microscope):
    from daisy_bluesky.devices import VISIT, ListScan

    scan = ListScan([microscope.eds], microscope.probe, [microscope.beam], timeout=10.0)
    scan.prepare(np.array([(1, 2, 0.25), (3, 4, 0.5)], VISIT))
    scan.kickoff()
    scan.complete().wait(10)
    (page,) = scan.collect_pages()
    assert page["data"]["beam_dwell_time"] == [0.25, 0.5]
    assert page["data"]["probe_row"] == [1, 3]
    assert list(scan.collect_pages()) == []
