"""Maps of several objectives under a real RunEngine, steered while they are measured, and decided again."""

from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky.callbacks import Journal, check_decisions
from daisy_bluesky.devices import make_devices
from daisy_bluesky.devices.backends import VirtualInstrument
from daisy_bluesky.plans import Steering, adaptive_map
from daisy_bluesky.report import draw_element_maps, element_maps
from daisy_bluesky.specimen import EELSCamera, VirtualSpecimen
from daisy_bluesky.storage import replay

SHAPE = (24, 24)


@pytest.fixture
def engine(new_engine):
    return new_engine()


@pytest.fixture(scope="module")
def flake():
    return VirtualSpecimen.flake(SHAPE, seed=1, camera=EELSCamera(gain=5.0, read_noise=30.0))


@pytest.fixture
def instrument(flake):
    return make_devices(VirtualInstrument(flake), current=1.0, settle_time=0.001, dwell_time=1.0)


def same_decisions(documents):
    check = check_decisions(lambda _: iter(documents.emitted), documents.one("start")["uid"])
    assert check.decisions > 0
    assert check.first == ""
    return check


def test_energy_losses_alone_decide_and_give_maps_with_their_variances(engine, instrument, flake, documents, tmp_path):
    objectives = {"B K": 1.0, "C K": 1.0, "poor in N K": 0.5}
    engine(adaptive_map([instrument.eels], instrument.probe, objectives=objectives, fraction=0.2), documents)
    (result,) = documents.events("result")
    for name, phases in (("B_K", (2, 3)), ("N_K", (2, 3)), ("C_K", (1, 3))):
        image, variance = (np.asarray(result["data"][f"{name}_map{end}"]) for end in ("", "_variance"))
        there = flake.fractions[..., list(phases)].sum(axis=-1)
        assert np.corrcoef(image.ravel(), there.ravel())[0, 1] > 0.85
        assert (variance > 0).all()
    assert "phase_map" not in result["data"]
    maps = element_maps(documents.emitted)
    assert list(maps) == ["B K", "C K", "N K"]
    picture = draw_element_maps(tmp_path / "maps.png", maps, {"raster": {"B K": maps["B K"].image}})
    assert picture.stat().st_size > 10_000
    assert len(documents.events("decisions")) == len(documents.events()) == round(0.2 * 24 * 24)
    same_decisions(documents)


def test_the_first_example_of_the_how_to_maps_the_virtual_specimen(engine, documents):
    specimen = VirtualSpecimen.demo()
    devices = make_devices(VirtualInstrument(specimen), current=500.0)
    text = (Path(__file__).parents[2] / "docs/how-to/map-several-elements.md").read_text()
    example = text[text.index("RE(adaptive_map(") :].partition("\n\n")[0]
    names = {"eds": devices.eds, "eels": devices.eels, "probe": devices.probe, "adaptive_map": adaptive_map}
    eval(example, {"RE": lambda plan: engine(plan, documents), **names})
    assert documents.one("stop")["reason"] == "dose reached"
    assert len(documents.events()) == pytest.approx(0.2 * 64 * 64, rel=0.1)
    labels = specimen.labels[:64, :64]
    (result,) = documents.events("result")
    for name, holding in (("Ti_Ka", {"ilmenite"}), ("Ca_L3", {"augite", "plagioclase"})):
        there = np.isin(labels, [label for label, phase in enumerate(specimen.phases, 1) if phase in holding])
        assert np.corrcoef(np.ravel(result["data"][f"{name}_map"]), there.ravel())[0, 1] > 0.8


def test_the_map_ends_when_the_dose_is_spent(engine, instrument, documents):
    dose = 0.1 * 1.0 * 1.0 * 6.241509e6 / 50.0**2
    plan = adaptive_map([instrument.eels], instrument.probe, objectives={"B K": 1.0}, fraction=1.0, max_dose=dose)
    engine(plan, documents)
    assert documents.one("stop")["reason"] == "dose reached"
    assert len(documents.events()) == pytest.approx(0.1 * 24 * 24, abs=1)


def test_x_rays_and_energy_losses_and_phases_decide_together(engine, instrument, documents):
    objectives = {"C K": 1.0, "C Ka": 0.5, "phases": 0.5}
    detectors = [instrument.eds, instrument.eels]
    engine(adaptive_map(detectors, instrument.probe, objectives=objectives, fraction=0.15, batch=5), documents)
    (result,) = documents.events("result")
    assert {"C_K_map", "C_Ka_map", "phase_map"} <= result["data"].keys()
    same_decisions(documents)


def test_what_the_operator_changes_is_recorded_and_decided_again(engine, instrument, documents):
    steering, heard = Steering(), 0
    top = np.zeros(SHAPE, bool)
    top[:12] = True

    def operate(name, document):
        nonlocal heard
        heard += name == "event" and "eels_spectrum" in document["data"]
        if heard == 20:
            steering.weights = {"B K": 5.0}
        if heard == 40:
            steering.restrict(top)
            steering.add_region(top, 2.0)

    engine.subscribe(operate)
    objectives = {"B K": 1.0, "C K": 1.0}
    plan = adaptive_map([instrument.eels], instrument.probe, objectives=objectives, fraction=0.15, steering=steering)
    engine(plan, documents)
    changes = documents.events("steering")
    assert len(changes) > 1
    np.testing.assert_array_equal(np.asarray(changes[-1]["data"]["weights"]), [5.0, 0.0])
    rows = documents.positions()[:, 0]
    assert (rows[:40] >= 12).any()
    assert (rows[41:] < 12).all()
    assert same_decisions(documents).recommender.policy.weights == {"B K": 5.0, "C K": 0.0}


def test_pixels_whose_variance_limits_are_visited_again_within_their_limit(engine, flake, documents):
    """At a low dose a visit; a limit of three visits a pixel on the beam holds, and does not end the map."""
    dose = 1.0 * 0.05 * 6.241509074e6 / (10.0 * flake.pixel_size) ** 2
    instrument = make_devices(VirtualInstrument(flake), current=1.0, dwell_time=0.05, max_pixel_dose=3 * dose)
    plan = adaptive_map([instrument.eels], instrument.probe, objectives={"B K": 1.0, "N K": 1.0}, fraction=0.9)
    engine(plan, documents)
    assert documents.one("stop")["reason"] == "fraction reached"
    visits = instrument.beam.visits
    assert 2 <= visits.max() <= 3
    assert (visits > 1).sum() >= 10
    same_decisions(documents)


def test_x_rays_and_energy_losses_steered_and_gone_on_with(new_engine, instrument, documents, tmp_path, monkeypatch):
    """Weights and a veto hold in the run that goes on, until they are changed there, and all is decided again."""
    monkeypatch.setenv("DAISY_DATA", str(tmp_path))
    engine, steering, heard = new_engine(), Steering(), []
    engine.subscribe(Journal(tmp_path / "journal"))
    left = np.zeros(SHAPE, bool)
    left[:, :12] = True

    def operate(name, document):
        if name == "event" and "eels_spectrum" in document["data"]:
            heard.append(document["seq_num"])
            if len(heard) == 20:
                steering.restrict(left)
                steering.weights = {"C Ka": 4.0}

    objectives = {"B K": 1.0, "C Ka": 1.0}
    detectors = [instrument.eds, instrument.eels]
    engine.subscribe(operate)
    (first,) = engine(adaptive_map(detectors, instrument.probe, objectives=objectives, fraction=0.1, steering=steering))
    before, later, right = instrument.beam.visits.copy(), Steering(), ~left
    plan = adaptive_map(detectors, instrument.probe, continue_from=first, fraction=0.15, steering=later)
    other = new_engine()
    other.subscribe(Journal(tmp_path / "journal"))

    def change(name, document):
        if name == "event" and "eels_spectrum" in document["data"] and document["seq_num"] == 10:
            later.restrict(right)

    other.subscribe(change)
    (second,) = other(plan, documents)
    assert later.weights == {"B K": 0.0, "C Ka": 4.0}
    columns = documents.positions()[:, 1]
    assert (columns[:10] < 12).all()
    assert (columns[11:] >= 12).all()
    assert instrument.beam.visits.sum() == round(0.15 * 576)
    assert before.sum() == round(0.1 * 576)
    for run in (first, second):
        check = check_decisions(lambda uid: replay(tmp_path / "journal" / uid), run)
        assert check.decisions > 0
        assert check.first == ""
    (result,) = documents.events("result")
    assert {"B_K_map", "C_Ka_map"} <= result["data"].keys()


def test_a_map_of_phases_alone_can_be_restricted_too(engine, instrument, documents):
    steering = Steering()
    allowed = np.zeros(SHAPE, bool)
    allowed[:, 8:] = True
    steering.restrict(allowed)
    engine(adaptive_map([instrument.eds], instrument.probe, fraction=0.1, steering=steering), documents)
    assert (documents.positions()[:, 1] >= 8).all()
    same_decisions(documents)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objectives": {"B X": 1.0}}, "did you mean 'B K'"),
        ({"objectives": {"phase": 1.0}}, "did you mean 'phases'"),
        ({"objectives": {"B K": -1.0}}, "weight of 'B K'"),
        ({"objectives": {}}, "objectives: "),
        ({"objectives": {3: 1.0}}, "objectives: 3 is no name"),
        ({"objectives": {"poor in phases": 1.0}}, "there is no amount of that"),
        ({"objectives": {"poor in B K": 1.0}, "convergence": 0.1}, "convergence: "),
        ({"objectives": {"B K": 1.0}, "survey": "acquire"}, "survey: objectives heed no"),
        ({"objectives": {"B K": 1.0}, "steering": "up"}, "steering: 'up' is no Steering"),
        ({"objectives": {"Fe Ka": 1.0}}, "Fe Ka"),
        ({"objectives": {"B K": 1.0}, "policy": "dose"}, "policy: "),
        ({"objectives": {"B K": 1.0}, "classifier": "some.npz"}, "classifier: "),
        ({"objectives": {"phases": 1.0}}, "detectors: "),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(engine, instrument, documents, arguments, message):
    with pytest.raises(ValueError, match=message) as refused:
        engine(adaptive_map([instrument.eels], instrument.probe, **arguments), documents)
    assert "\n" not in str(refused.value)
    assert documents.emitted == []


def test_a_hand_that_does_not_fit_is_refused_where_it_is_given(engine, instrument, documents):
    steering = Steering()
    steering.weights = {"C K": 1.0}
    with pytest.raises(ValueError, match="'C K' is none of B K"):
        engine(adaptive_map([instrument.eels], instrument.probe, objectives={"B K": 1.0}, steering=steering), documents)
    with pytest.raises(ValueError, match="region"):
        Steering().add_region(np.ones(3))
    with pytest.raises(ValueError, match="preference"):
        Steering().add_region(np.ones(SHAPE), 0.0)
