"""Frames, first passes and re-visits on a recorded specimen, which gives no more of a pixel than was recorded."""

import numpy as np
import pytest
from bluesky import plans as bp
from command_line import save_spectrum_image

from daisy_bluesky.callbacks import Journal, check_decisions
from daisy_bluesky.classify import PhaseClassifier
from daisy_bluesky.devices import FrameScan, make_devices
from daisy_bluesky.devices.backends import RecordedInstrument
from daisy_bluesky.plans import adaptive_map
from daisy_bluesky.specimen import RecordedSpecimen
from daisy_bluesky.storage import replay

SHAPE = (16, 16)
DWELL = 0.02


@pytest.fixture
def recording(tmp_path):
    return RecordedSpecimen.load(save_spectrum_image(tmp_path / "image.npz", SHAPE, dwell=DWELL))


@pytest.fixture
def recorded(recording):
    return make_devices(RecordedInstrument(recording), current=100.0, dwell_time=DWELL)


@pytest.fixture
def phases_file(tmp_path):
    other = RecordedSpecimen.load(save_spectrum_image(tmp_path / "other.npz", SHAPE, dwell=DWELL, seed=9))
    spectra = other.spectrum_image().toarray()
    labels = np.tile(np.repeat([1, 2], SHAPE[1] // 2), SHAPE[0])
    PhaseClassifier.fit(spectra.astype(np.uint32), labels, seed=0).save(tmp_path / "phases.npz")
    return str(tmp_path / "phases.npz")


def test_a_frame_takes_the_first_part_of_every_pixel_s_counts(new_engine, recorded, recording, documents):
    scan = FrameScan([recorded.haadf, recorded.eds], recorded.probe, dwell_time=DWELL / 4)
    new_engine()(bp.count([scan]), documents)
    (event,) = documents.events()
    events = event["data"]["eds_frame"]
    cube = np.zeros((*SHAPE, recording.eds_axis.channels), np.int64)
    cube[events["row"], events["column"], events["channel"]] += events["count"]
    np.testing.assert_array_equal(cube.reshape(-1, cube.shape[2]), recording.thinned(0.25).toarray())
    np.testing.assert_allclose(event["data"]["haadf_image"], recording.survey)
    np.testing.assert_allclose(recording.consumed, DWELL / 4)
    assert recorded.beam.blanked.get()


@pytest.mark.parametrize("batch", [1, 8])
def test_re_visits_stay_within_what_was_recorded(
    new_engine, recorded, recording, phases_file, documents, tmp_path, batch
):
    """The whole recorded dwell may be spent, but of no pixel more than its own."""
    engine = new_engine()
    engine.subscribe(Journal(tmp_path / "journal"))
    plan = adaptive_map(
        [recorded.haadf, recorded.eds],
        recorded.probe,
        classifier=phases_file,
        policy="dose",
        cost={"minimum_dwell": DWELL / 20},
        survey="acquire",
        fraction=0.6,
        batch=batch,
    )
    (uid,) = engine(plan, documents)
    stop = documents.one("stop")
    assert stop["exit_status"] == "success"
    assert stop["reason"] in ("fraction reached", "nothing left to measure")
    assert bool(documents.events("frame")) == (batch > 1)
    assert recording.consumed.max() <= DWELL * (1 + 1e-9)
    check = check_decisions(lambda run: replay(tmp_path / "journal" / run), uid)
    assert check.decisions > 0
    assert check.different == 0, check.first


def test_a_limit_on_pixels_turns_re_visits_elsewhere(new_engine, specimen, classifier_file, documents):
    """A limit of the beam on pixels does not end a map that can go on with other pixels."""
    from daisy_bluesky.devices.backends import VirtualInstrument

    visit, current = 0.05, 100.0
    area = (10.0 * specimen.pixel_size) ** 2
    most = visit * current * 6.241509074e6 / area
    microscope = make_devices(
        VirtualInstrument(specimen), current=current, settle_time=0.0, dwell_time=visit, max_pixel_dose=most
    )
    plan = adaptive_map(
        [microscope.eds],
        microscope.probe,
        shape=(16, 16),
        classifier=classifier_file,
        policy="dose",
        cost={"minimum_dwell": visit / 20},
        fraction=0.5,
    )
    new_engine()(plan, documents)
    assert documents.one("stop")["reason"] in ("fraction reached", "nothing left to measure")
    assert microscope.beam.visits.max() > 1
    assert microscope.beam.dose.max() <= most * (1 + 1e-6)


def test_a_map_with_a_survey_of_its_own_is_gone_on_with(new_engine, recording, documents, tmp_path, monkeypatch):
    """The survey image takes beam time but no counts: pixels measured to their end are not beyond it."""
    monkeypatch.setenv("DAISY_DATA", str(tmp_path))
    engine = new_engine()
    engine.subscribe(Journal(tmp_path / "journal"))
    first = make_devices(RecordedInstrument(recording), current=100.0, dwell_time=DWELL)
    detectors = [first.haadf, first.eds]
    (uid,) = engine(adaptive_map(detectors, first.probe, survey="acquire", policy="slads", fraction=0.1))
    again = RecordedSpecimen.load(tmp_path / "image.npz")
    later = make_devices(RecordedInstrument(again), current=100.0, dwell_time=DWELL)
    plan = adaptive_map([later.haadf, later.eds], later.probe, continue_from=uid, fraction=0.2)
    new_engine_ = new_engine()
    new_engine_.subscribe(Journal(tmp_path / "journal"))
    new_engine_(plan, documents)
    assert documents.one("stop")["reason"] == "fraction reached"
    assert len(documents.events()) == round(0.2 * 256) - round(0.1 * 256)
    assert later.beam.visits.max() <= 2
