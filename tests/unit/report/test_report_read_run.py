from dataclasses import replace

import numpy as np
import pytest
from scipy.constants import elementary_charge

from daisy_bluesky.report import GroundTruth, read_run


def test_a_summary_says_what_was_measured_and_what_it_cost(made_up_run):
    run = read_run(iter(made_up_run.documents()))
    assert run.visits == made_up_run.visits
    np.testing.assert_array_equal(run.positions, made_up_run.positions)
    np.testing.assert_array_equal(run.haadf, made_up_run.haadf)
    np.testing.assert_array_equal(run.labels, made_up_run.labels)
    np.testing.assert_array_equal(run.phase_map, made_up_run.truth)
    np.testing.assert_array_equal(run.counts, made_up_run.spectra.sum(1))
    assert run.electrons == pytest.approx(run.visits * 50e-12 * 0.02 / elementary_charge)
    assert run.seconds == pytest.approx(run.visits * 0.02 + (run.visits - 1) * 0.005)
    assert run.latency(0.5) == pytest.approx(1e-4 * (run.visits + 1) / 2)
    assert run.events_per_second == pytest.approx(run.visits / 10)
    assert (run.energy_axis.offset, run.energy_axis.dispersion, run.energy_axis.channels) == (-0.1, 0.05, 64)
    assert run.dense_bytes == made_up_run.spectra.nbytes


def test_mean_spectra_are_those_of_the_labels(made_up_run):
    run = read_run(made_up_run.documents())
    expected = [made_up_run.spectra[made_up_run.labels == label].mean(0) for label in (1, 2)]
    np.testing.assert_allclose(run.mean_spectra, expected)


def test_tiled_may_give_one_stream_after_the_other_and_in_pages(made_up_run):
    events = [made_up_run.event(i)[1] for i in range(made_up_run.visits)]
    page = {
        "descriptor": "p",
        "uid": [""] * len(events),
        "time": [0.0] * len(events),
        "timestamps": {},
        "filled": {},
        "seq_num": [event["seq_num"] for event in events],
        "data": {key: [event["data"][key] for event in events] for key in events[0]["data"]},
    }
    decisions = [made_up_run.decision(i) for i in range(made_up_run.visits)]
    streams = [*made_up_run.opening(), *decisions, ("event_page", page), *made_up_run.closing()]
    one, other = read_run(made_up_run.documents()), read_run(streams)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.mean_spectra, other.mean_spectra)
    assert one.seconds == other.seconds


def test_an_event_that_is_emitted_again_replaces_itself(made_up_run):
    again = [made_up_run.event(4), made_up_run.decision(4)]
    run = read_run([*made_up_run.opening(), *made_up_run.measured(), *again, *made_up_run.closing()])
    assert run.visits == made_up_run.visits
    assert run.electrons == read_run(made_up_run.documents()).electrons


def test_after_second_thoughts_the_final_map_names_the_spectra(made_up_run):
    number = int(np.flatnonzero(made_up_run.labels == 2)[0])
    documents = made_up_run.documents()
    at = documents.index(made_up_run.decision(number))
    documents[at] = made_up_run.decision(number, found=-1)
    documents[at + 2] = made_up_run.decision(number + 1, relabelled=1)
    run = read_run(documents)
    np.testing.assert_array_equal(run.labels, made_up_run.labels)


def test_a_run_cut_short_gets_a_map_from_what_it_measured(made_up_run):
    run = read_run([*made_up_run.opening(), *made_up_run.measured()])
    good = made_up_run.labels > 0
    at_measured = run.phase_map[tuple(made_up_run.positions[good].T)]
    np.testing.assert_array_equal(at_measured, made_up_run.labels[good])
    assert np.isnan(run.events_per_second)


def test_a_continued_run_is_summed_over_its_runs(made_up_run):
    whole = read_run(made_up_run.documents())
    half = made_up_run.visits // 2
    first = [*made_up_run.opening(), *made_up_run.measured()[: 2 * half]]
    rest = []
    for name, document in made_up_run.measured()[2 * half :]:
        rest.append((name, document | {"seq_num": document["seq_num"] - half}))
    both = read_run([*first, *made_up_run.opening(), *rest, *made_up_run.closing()])
    np.testing.assert_array_equal(both.positions, whole.positions)
    np.testing.assert_array_equal(both.labels, whole.labels)
    assert both.electrons == pytest.approx(whole.electrons)
    assert both.seconds == pytest.approx(whole.seconds - made_up_run.gap)  # nothing is spent between two runs


def test_a_raster_without_recommender_is_a_run_too(made_up_run):
    name, start = made_up_run.opening()[0]
    start = {key: value for key, value in start.items() if key != "recommender"}
    events = [made_up_run.event(i) for i in range(made_up_run.visits)]
    run = read_run([(name, start), *made_up_run.opening()[1:], *events])
    assert run.phase_map is None
    assert np.all(run.labels == -1)
    assert run.mean_spectra.shape == (0, 64)
    with pytest.raises(ValueError, match="no phase was found"):
        run.outcome("raster")


@pytest.mark.parametrize("label", [0, -1])
def test_a_map_without_any_phase_is_not_judged(made_up_run, label):
    run = read_run(made_up_run.documents())
    with pytest.raises(ValueError, match="no phase was found"):
        replace(run, phase_map=np.full(run.shape, label)).outcome("adaptive map")


def test_the_price_of_a_run(made_up_run):
    spent = read_run(made_up_run.documents()).acquisition()
    assert spent.dwell == pytest.approx(0.02)
    assert spent.current == pytest.approx(50.0)
    assert spent.overhead == pytest.approx(0.005)
    assert spent.fraction == made_up_run.visits / made_up_run.truth.size


def test_the_outcome_of_a_run_is_judged_where_the_truth_is_known(made_up_run):
    run = read_run(made_up_run.documents())
    ill = np.zeros(run.shape, dtype=bool)
    ill[tuple(made_up_run.positions[::9].T)] = True
    outcome = run.outcome("adaptive map", GroundTruth(made_up_run.truth, ill))
    assert (outcome.total_distortion, outcome.misclassified, outcome.false_alarms) == (0, 0, 0)
    assert run.outcome("adaptive map").total_distortion is None


def test_what_is_no_map_is_refused(made_up_run):
    with pytest.raises(ValueError, match="no event with a probe position"):
        read_run(made_up_run.opening())
    _, event = made_up_run.event(0)
    del event["data"]["probe_row"]
    with pytest.raises(ValueError, match="carry no probe_row"):
        read_run([*made_up_run.opening(), ("event", event)])
    _, event = made_up_run.event(0)
    del event["data"]["beam_charge"]
    with pytest.raises(ValueError, match="no beam account"):
        read_run([*made_up_run.opening(), ("event", event)]).acquisition()


def test_a_run_object_gives_its_documents(made_up_run):
    class Run:
        def documents(self):
            return made_up_run.documents()

    assert read_run(Run()).visits == made_up_run.visits
