"""The adaptive map under a real RunEngine, and its siblings that ask nobody."""

import itertools

import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import Msg
from bluesky.simulators import summarize_plan
from bluesky.utils import FailedStatus, RunEngineInterrupted

from daisy_bluesky.callbacks import Journal
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import adaptive_map, raster_map, sparse_map
from daisy_bluesky.sampling import total_distortion
from daisy_bluesky.storage import replay

VISITS = 320


@pytest.fixture
def engine(new_engine):
    return new_engine()


def detectors(microscope):
    return [microscope.haadf, microscope.eds]


def test_every_event_is_followed_by_the_decision_for_the_next(engine, microscope, classifier_file, documents):
    engine(adaptive_map(detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads"), documents)
    events, decisions = documents.events(), documents.events("decisions")
    assert len(events) == len(decisions) == VISITS
    chosen = np.array([(doc["data"]["row"], doc["data"]["column"]) for doc in decisions])
    np.testing.assert_array_equal(documents.positions()[1:], chosen[:-1])
    assert len({tuple(position) for position in documents.positions()}) == VISITS
    assert [doc["data"]["visit"] for doc in decisions] == list(range(1, VISITS + 1))


def test_the_map_is_better_than_a_random_one_of_as_many_points(
    engine, microscope, specimen, classifier_file, documents
):
    engine(adaptive_map(detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads"), documents)
    (result,) = documents.events("result")
    found = total_distortion(result["data"]["phase_map"], specimen.labels, specimen.ill)
    rng = np.random.default_rng(0)
    measured = rng.permutation(specimen.labels.size)[:VISITS]
    nearest = np.empty(specimen.labels.size, dtype=int)
    for pixel in range(specimen.labels.size):
        distance = (measured // 40 - pixel // 40) ** 2 + (measured % 40 - pixel % 40) ** 2
        nearest[pixel] = specimen.labels.flat[measured[distance.argmin()]]
    assert found < 0.6 * total_distortion(nearest.reshape(40, 40), specimen.labels, specimen.ill)


def test_the_beam_accounts_one_exposure_an_event_and_is_blanked_at_the_end(
    engine, microscope, classifier_file, documents
):
    engine(adaptive_map(detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads"), documents)
    beam = microscope.beam
    assert beam.blanked.get()
    assert beam.visits.sum() == VISITS
    dwell = microscope.eds.dwell_time.get()
    assert beam.charge == pytest.approx(VISITS * dwell * 100.0)
    assert documents.events()[-1]["data"]["beam_total_charge"] == pytest.approx(beam.charge)


def test_metadata_is_what_stock_plans_give(engine, microscope, classifier_file, documents):
    plan = adaptive_map(
        detectors(microscope),
        microscope.probe,
        classifier=classifier_file,
        policy="slads",
        fraction=0.05,
        md={"sample": "rock"},
    )
    engine(plan, documents)
    start = documents.one("start")
    assert start["shape"] == [40, 40]
    assert start["extents"] == [[0, 39], [0, 39]]
    assert start["motors"] == ["probe"]
    assert start["num_points"] == 80
    assert start["hints"]["dimensions"] == [(["probe_row"], "primary"), (["probe_column"], "primary")]
    assert start["sample"] == "rock"


def test_a_dose_limit_stops_the_map(engine, microscope, classifier_file, documents):
    dwell = microscope.eds.dwell_time.get()
    electrons_a_visit = dwell * 100e-12 / 1.602176634e-19
    area = 1600 * (microscope.probe.pixel_size * 10) ** 2
    plan = adaptive_map(
        detectors(microscope),
        microscope.probe,
        classifier=classifier_file,
        policy="slads",
        max_dose=50.5 * electrons_a_visit / area,
    )
    engine(plan, documents)
    assert len(documents.events()) == 51
    assert documents.one("stop")["reason"] == "dose reached"


def test_a_time_limit_stops_the_map(engine, microscope, classifier_file, documents):
    visit = microscope.eds.dwell_time.get() + 0.005
    engine(
        adaptive_map(
            detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads", max_time=99.5 * visit
        ),
        documents,
    )
    assert len(documents.events()) == 100
    assert documents.one("stop")["reason"] == "time reached"


def test_convergence_stops_a_small_map_once_its_start_pattern_is_measured(
    engine, microscope, classifier_file, documents
):
    plan = adaptive_map(
        detectors(microscope),
        microscope.probe,
        classifier=classifier_file,
        policy="slads",
        start_fraction=0.05,
        convergence=0.3,
    )
    engine(plan, documents)
    assert 80 <= len(documents.events()) < VISITS
    assert documents.one("stop")["reason"] == "converged"
    assert documents.one("stop")["exit_status"] == "success"


def test_a_map_says_that_it_ended_at_its_fraction(engine, microscope, classifier_file, documents):
    engine(
        adaptive_map(
            detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads", fraction=0.02
        ),
        documents,
    )
    assert documents.one("stop")["reason"] == "fraction reached"


def test_a_fault_is_the_reason_in_the_stop_document(engine, specimen, classifier_file, documents):
    def jam(exposure):
        if exposure.number == 3:
            raise OSError("the shutter is jammed")

    faulty = make_devices(VirtualInstrument(specimen, faults={"eds": jam}), current=100.0, dwell_time=0.1)
    with pytest.raises(FailedStatus):
        engine(adaptive_map(detectors(faulty), faulty.probe, classifier=classifier_file, policy="slads"), documents)
    stop = documents.one("stop")
    assert stop["exit_status"] == "fail"
    assert "the shutter is jammed" in stop["reason"]
    assert faulty.beam.blanked.get()


def test_no_phase_need_be_known_beforehand(engine, microscope, specimen, documents):
    engine(adaptive_map(detectors(microscope), microscope.probe, fraction=0.3), documents)
    (result,) = documents.events("result")
    phase_map = result["data"]["phase_map"]
    found = np.unique(phase_map)
    assert len(found) >= 3
    agreement = sum(np.bincount(specimen.labels[phase_map == label]).max() for label in found) / phase_map.size
    assert agreement > 0.8


def test_a_summary_ends(microscope, classifier_file, capsys):
    summarize_plan(
        adaptive_map(detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads", fraction=0.02)
    )
    assert capsys.readouterr().out.count("probe -> ") == 32


def test_a_paused_map_goes_on_as_if_nothing_had_happened(new_engine, microscope, classifier_file, documents):
    plain = []
    new_engine()(
        adaptive_map(
            detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads", fraction=0.05
        ),
        lambda name, doc: plain.append((name, doc)),
    )
    undisturbed = [doc["data"]["row"] for name, doc in plain if name == "event" and "row" in doc["data"]]
    microscope.beam.reset()
    plan = adaptive_map(
        detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads", fraction=0.05
    )
    interruptions = _run_to_the_end(new_engine(), _pausing(plan, every=97), documents, microscope)
    assert interruptions > 3
    last = {doc["seq_num"]: doc["data"]["row"] for doc in documents.events("decisions")}
    assert [last[number] for number in sorted(last)] == undisturbed
    assert microscope.beam.visits.max() == 1
    assert microscope.beam.visits.sum() == 80


def _pausing(plan, every):
    """The same plan, interrupted at every so many messages, at once and deferred in turn."""
    counted = itertools.count(1)

    def pause_before(message):
        number = next(counted)
        if number % every or message.command == "pause":
            return None, None
        return _one_after_another([Msg("pause", None, defer=number % 2 == 0), message]), None

    return bpp.plan_mutator(plan, pause_before)


def _one_after_another(messages):
    answer = None
    for message in messages:
        answer = yield message
    return answer


def _run_to_the_end(engine, plan, documents, microscope):
    interruptions = 0
    try:
        engine(plan, documents)
    except RunEngineInterrupted:
        interruptions += 1
    while engine.state == "paused":
        assert microscope.beam.blanked.get()
        try:
            engine.resume()
        except RunEngineInterrupted:
            interruptions += 1
    return interruptions


def test_a_run_that_was_aborted_is_continued(new_engine, microscope, classifier_file, documents, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal = Journal(tmp_path / "daisy-data" / "journal")
    engine = new_engine()
    engine.subscribe(journal)
    plan = adaptive_map(detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads")
    with pytest.raises(RunEngineInterrupted):
        engine(_pausing(plan, every=1500))
    engine.abort("cut short")
    (first,) = (tmp_path / "daisy-data" / "journal").iterdir()
    spent = microscope.beam.charge
    before = [doc for name, doc in replay(first) if name == "event" and "eds_spectrum" in doc["data"]]
    assert 50 < len(before) < 200

    microscope.beam.reset()
    microscope.beam.current.put(50.0)
    other = new_engine()
    other.subscribe(journal)
    for argument in ({"shape": (20, 20)}, {"classifier": classifier_file}, {"spectrum": "eels_spectrum"}):
        (name,) = argument
        with pytest.raises(ValueError, match=name):
            other(adaptive_map(detectors(microscope), microscope.probe, continue_from=first.name, **argument))
    other(adaptive_map(detectors(microscope), microscope.probe, continue_from=first.name), documents)
    assert len(before) + len(documents.events()) == VISITS
    assert microscope.beam.visits.max() == 1
    assert microscope.beam.visits.sum() == VISITS
    assert documents.one("start")["continues"] == [first.name]
    assert documents.one("start")["num_points"] == len(documents.events())
    rest = (VISITS - len(before)) * microscope.eds.dwell_time.get() * 50.0
    assert microscope.beam.charge == pytest.approx(spent + rest)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"fraction": 0.0}, "fraction"),
        ({"fraction": 1.5}, "fraction"),
        ({"start_fraction": 0.5}, "start_fraction"),
        ({"shape": (41, 40)}, "shape"),
        ({"shape": (40,)}, "shape"),
        ({"dwell_time": -1.0}, "dwell_time"),
        ({"spectrum": "eels_spectrum"}, "eels_spectrum"),
        ({"classifier": "nowhere.npz"}, "nowhere.npz"),
        ({"model": "nowhere.npz"}, "nowhere.npz"),
        ({"max_dose": -1.0}, "max_dose"),
        ({"max_time": 0.0}, "max_time"),
        ({"convergence": -0.1}, "convergence"),
        ({"timeout": 0.0}, "timeout"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"shape": 40}, "shape"),
        ({"continue_from": "0123"}, "0123"),
        ({"continue_from": 5}, "continue_from: 5"),
        ({"fraction": "0.2"}, "fraction: '0.2'"),
        ({"start_fraction": "x"}, "start_fraction: 'x'"),
        ({"dwell_time": "1"}, "dwell_time: '1'"),
        ({"dwell_time": float("inf")}, "dwell_time: inf"),
        ({"timeout": "x"}, "timeout: 'x'"),
        ({"max_dose": "x"}, "max_dose: 'x'"),
        ({"max_time": "x"}, "max_time: 'x'"),
        ({"convergence": "x"}, "convergence: 'x'"),
        ({"seed": "a"}, "seed: 'a'"),
        ({"seed": float("nan")}, "seed: nan"),
        ({"seed": 10**30}, "seed: 1000"),
        ({"shape": [[1], [2, 3]]}, "shape"),
        ({"classifier": 5}, "classifier: 5"),
        ({"model": ""}, "model"),
        ({"md": 5}, "md: 5"),
        ({"md": {"recommender": 1}}, "md: recommender"),
        ({"md": {"shape": [1, 2]}}, "md: shape"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_exposed(
    engine, microscope, documents, arguments, named, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=named) as fault:
        engine(adaptive_map(detectors(microscope), microscope.probe, **arguments), documents)
    assert "\n" not in str(fault.value)
    assert not documents.emitted
    assert microscope.beam.charge == 0


def test_a_classifier_for_other_channels_is_refused(engine, microscope, specimen, tmp_path):
    spectra, labels = specimen.training_spectra(8, 500, 0)
    PhaseClassifier.fit(spectra[:, :1024], labels).save(tmp_path / "narrow.npz")
    with pytest.raises(ValueError, match=r"^classifier: .*narrow\.npz was trained for 1024 channels"):
        engine(adaptive_map(detectors(microscope), microscope.probe, classifier=str(tmp_path / "narrow.npz")))


def test_a_file_that_is_no_model_is_named(engine, microscope, tmp_path):
    (tmp_path / "notes.npz").write_bytes(b"not an archive")
    with pytest.raises(ValueError, match=r"notes\.npz"):
        engine(adaptive_map(detectors(microscope), microscope.probe, classifier=str(tmp_path / "notes.npz")))


@pytest.mark.parametrize("none", [None, 5, "eds"])
def test_detectors_that_are_no_list_are_refused(engine, microscope, none):
    with pytest.raises(ValueError, match=r"^detectors: .* is not a list"):
        engine(adaptive_map(none, microscope.probe))


@pytest.mark.parametrize("asked", [{"seed": -1}, {"seed": "a"}, {"fraction": None}, {"pattern": [1]}])
def test_what_a_sparse_map_is_asked_is_checked(engine, microscope, asked):
    (name,) = asked
    with pytest.raises(ValueError, match=f"^{name}: "):
        engine(sparse_map([microscope.haadf], microscope.probe, **asked))
    assert microscope.beam.charge == 0


@pytest.mark.parametrize("plan", [adaptive_map, raster_map, sparse_map])
def test_a_detector_that_is_named_twice_exposes_nothing(engine, microscope, plan):
    with pytest.raises(ValueError, match="eds is there twice"):
        engine(plan([microscope.eds, microscope.haadf, microscope.eds], microscope.probe))
    assert microscope.beam.charge == 0


def test_without_a_spectrum_there_is_no_adaptive_map(engine, microscope):
    with pytest.raises(ValueError, match="haadf"):
        engine(adaptive_map([microscope.haadf], microscope.probe))


def test_a_raster_visits_every_pixel_row_by_row(engine, microscope, documents):
    engine(raster_map([microscope.haadf], microscope.probe, shape=(5, 7), dwell_time=0.001), documents)
    assert [tuple(position) for position in documents.positions()] == [(r, c) for r in range(5) for c in range(7)]
    assert microscope.haadf.dwell_time.get() == 0.001


@pytest.mark.parametrize("pattern", ["random", "jittered", "sobol"])
def test_a_sparse_map_measures_a_fraction(engine, microscope, documents, pattern):
    engine(sparse_map([microscope.haadf], microscope.probe, fraction=0.1, pattern=pattern, seed=4), documents)
    assert len({tuple(position) for position in documents.positions()}) == 160


def test_an_unknown_pattern_is_named(engine, microscope):
    with pytest.raises(ValueError, match="spiral"):
        engine(sparse_map([microscope.haadf], microscope.probe, pattern="spiral"))


def test_a_hard_limit_of_the_beam_ends_the_map_with_what_it_has(engine, specimen, classifier_file, documents):
    dwell = specimen.eds_dwell(2000.0, 100.0)
    devices = make_devices(
        VirtualInstrument(specimen), current=100.0, dwell_time=dwell, max_charge=60.5 * dwell * 100.0
    )
    engine(adaptive_map(detectors(devices), devices.probe, classifier=classifier_file, policy="slads"), documents)
    assert len(documents.events()) == 60
    assert len(documents.events("result")) == 1
    assert "pC" in documents.one("stop")["reason"]
    assert devices.beam.charge <= 60.5 * dwell * 100.0


def test_a_map_of_less_than_a_hundredth_starts_with_all_of_it(engine, microscope, classifier_file, documents):
    engine(
        adaptive_map(
            detectors(microscope), microscope.probe, classifier=classifier_file, policy="slads", fraction=0.005
        ),
        documents,
    )
    assert len(documents.events()) == 8
