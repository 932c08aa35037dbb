"""What looks at a series of frames while it arrives, fed with documents alone."""

import logging

import numpy as np
import pytest

from daisy_bluesky.callbacks import DamageWatcher, FrameSum, ScreeWatcher, SignalWindow
from daisy_bluesky.devices import EVENT
from daisy_bluesky.specimen import Damage, VirtualSeries, crystal

SHAPE, CHANNELS = (48, 52), 2048
SETTINGS = {
    "shape": list(SHAPE),
    "areas": [[0.0, 0.0], [5.0, 0.0]],
    "spectra": {"eds_frame": {"offset": 0.0, "dispersion": 0.01, "channels": CHANNELS, "unit": "keV"}},
    "doses": {"frame_time": 1.0, "frame_duration": 1.1, "dose_per_frame": 250.0},
}


@pytest.fixture(scope="module")
def series():
    return VirtualSeries(crystal(SHAPE), SHAPE, counts=1000.0, events=30_000.0, seed=4)


def begin(*callbacks, **more):
    keys = {"haadf_image": {"shape": list(SHAPE)}, "eds_frame": {"shape": [*SHAPE, CHANNELS]}}
    for callback in callbacks:
        callback("start", {"uid": "run", "time": 0.0, "multiframe": SETTINGS, **more})
        callback("descriptor", {"uid": "frames", "name": "primary", "data_keys": keys, "run_start": "run"})


def event(image, events, number, area=0):
    data = {"frame_number": number, "area": area, "haadf_image": image, "eds_frame": events.astype(EVENT)}
    return {"descriptor": "frames", "seq_num": number + 1, "data": data, "uid": str(number), "time": 0.0}


def feed(series, frames, *callbacks, area=0, first=0):
    for number in frames:
        document = event(series.image(number), series.events(number), first + number, area)
        for callback in callbacks:
            callback("event", document)


def test_counts_in_a_map_are_those_of_the_frames(series):
    watching = FrameSum()
    begin(watching)
    feed(series, range(3), watching)
    low, high = 2.85, 3.15
    counted = sum(((e["channel"] >= 285) & (e["channel"] < 315)).sum() for e in map(series.events, range(3)))
    found = watching.maps([(low, high)]).sum()
    assert 0.85 * counted < found <= counted  # frames drift out of the first one's field


def test_an_event_that_comes_again_counts_once(series):
    once, twice = FrameSum(), FrameSum()
    begin(once, twice)
    feed(series, range(3), once)
    feed(series, [0, 1, 1, 2, 2], twice)
    assert once.frames == twice.frames
    np.testing.assert_array_equal(once.image(), twice.image())
    np.testing.assert_array_equal(once.spectra().volume((0, 40)), twice.spectra().volume((0, 40)))


def test_areas_are_summed_apart(series):
    watching = FrameSum()
    begin(watching)
    feed(series, range(2), watching)
    feed(series, range(3), watching, area=1, first=2)
    assert watching.areas == [0, 1]
    assert watching.registration(1).numbers.tolist() == [2, 3, 4]
    assert watching.spectra(0).frames == (0, 1)
    with pytest.raises(ValueError, match="there is no area 7"):
        watching.image(7)


def test_a_series_that_goes_on_is_one_and_a_new_one_begins_anew(series):
    watching = FrameSum()
    begin(watching)
    feed(series, range(2), watching)
    begin(watching, uid="later", continues=["run"])
    feed(series, [2], watching)
    assert watching.frames == [0, 1, 2]
    begin(watching, uid="another")
    feed(series, [0], watching)
    assert watching.frames == [0]


def test_runs_of_another_kind_are_passed_over(series):
    watching = FrameSum()
    watching("start", {"uid": "count", "time": 0.0})
    watching("descriptor", {"uid": "frames", "name": "primary", "data_keys": {}, "run_start": "count"})
    feed(series, [0], watching)
    assert watching.frames == []
    assert watching.result() == {}


def test_too_large_a_sum_is_refused_at_the_start():
    with pytest.raises(MemoryError, match="limit"):
        begin(FrameSum(upsample=8, memory_limit=2**20))
    eels = {"offset": 0.0, "dispersion": 1.0, "channels": 1024, "unit": "eV"}
    start = {"uid": "run", "time": 0.0, "multiframe": {**SETTINGS, "spectra": {"eels_frame": eels}}}
    with pytest.raises(MemoryError, match=r"memory_limit: the spectra of 2 areas .* merge_areas=True"):
        FrameSum(memory_limit=15_000_000)("start", start)


def test_frames_of_another_shape_are_left_out(series):
    watching = FrameSum()
    begin(watching)
    feed(series, [0], watching)
    watching("event", event(series.image(1)[:20], series.events(1), 1))
    feed(series, [2], watching)
    assert watching.frames == [0, 2]
    assert "those before it 48 x 52" in watching.excluded[1]
    assert dict(watching.registration().excluded) == watching.excluded


def test_a_registration_needs_two_frames(series):
    watching = FrameSum()
    begin(watching)
    feed(series, [0], watching)
    with pytest.raises(ValueError, match="needs two usable frames, and has 1"):
        watching.registration()


def test_the_scree_of_a_kesterite_shows_its_components_as_the_dose_grows(series):
    watching = FrameSum()
    scree = ScreeWatcher(watching)
    begin(watching, scree)
    feed(series, range(9), watching, scree)
    assert list(scree.ranks) == [1, 4, 9]
    assert scree.doses == [250.0, 1000.0, 2250.0]
    assert scree.ranks[1] <= scree.ranks[4] <= scree.ranks[9]
    assert scree.ranks[9] >= 3
    assert scree.screes[-1].counts == pytest.approx(9 * 30_000, rel=0.15)


def test_a_scree_of_an_upsampled_sum_is_refused():
    with pytest.raises(ValueError, match="upsample: the sum is upsampled 4 times"):
        ScreeWatcher(FrameSum(upsample=4))


SELENIUM = {"Se L": SignalWindow("eds_frame", 1.25, 1.50)}


def test_an_element_that_leaves_is_noticed_in_its_area_and_told(caplog):
    dose = VirtualSeries(crystal(SHAPE), SHAPE).exposing.dose
    fading = VirtualSeries(crystal(SHAPE), SHAPE, events=30_000.0, damage=Damage(mass_loss={"Se": 60 * dose}), seed=1)
    whole = VirtualSeries(crystal(SHAPE), SHAPE, events=30_000.0, seed=2)
    watching = DamageWatcher(SELENIUM)
    begin(watching)
    with caplog.at_level(logging.WARNING):
        feed(whole, range(12), watching)
        feed(fading, range(30), watching, area=1, first=12)
    assert watching.damage.keys() == {("Se L", 1)}
    assert watching.damage["Se L", 1].change < 0
    assert "Se L in area 1 is falling" in caplog.text


def test_a_window_of_spectra_that_are_not_there_is_named():
    watching = DamageWatcher({"O K": SignalWindow("eels_frame", 520.0, 560.0)})
    with pytest.raises(ValueError, match="windows: O K is in eels_frame, but there are eds_frame"):
        begin(watching)


def test_a_window_that_not_all_frames_show_is_named():
    with pytest.raises(ValueError, match=r"windows: Se L, 125 to 150, does not lie within 0 to 20.48 keV, which all"):
        begin(DamageWatcher({"Se L": SignalWindow("eds_frame", 125.0, 150.0)}))
    with pytest.raises(ValueError, match="windows: O K, 5 to 20, does not lie within 20 to 90 eV"):
        begin(DamageWatcher({"O K": SignalWindow("eels_frame", 5.0, 20.0)}), multiframe=stepped(3))


def stepped(frames):
    axis = {"offset": -10.0, "dispersion": 1.0, "channels": 100, "unit": "eV"}
    return {**SETTINGS, "spectra": {"eels_frame": axis}, "energy_offset_step": 15.0, "frames": frames}


def test_a_drift_tube_that_is_stepped_damages_nothing():
    """The zero-loss peak, most of all electrons, leaves the camera with the first step."""
    watching = DamageWatcher({name: SignalWindow("eels_frame", 40.0, 50.0, name) for name in ("falling", "rising")})
    begin(watching, multiframe=stepped(3))
    for number in range(3):
        energies = -10.0 + 15.0 * number + np.arange(100)
        frame = np.broadcast_to(np.where(energies == 0, 1e6, 10.0), (4, 4, 100)).astype(np.float32)
        data = {"frame_number": number, "area": 0, "eels_frame": frame, "eels_energy_offset": energies[0]}
        watching("event", {"descriptor": "frames", "data": data})
    assert watching.damage == {}


def test_a_scree_refuses_what_has_no_x_rays_before_the_first_frame():
    with pytest.raises(ValueError, match="spectra: the sum leaves them out"):
        ScreeWatcher(FrameSum(spectra=False))
    with pytest.raises(ValueError, match="only counted X-rays"):
        begin(ScreeWatcher(FrameSum()), multiframe=stepped(3))


def test_a_scree_says_that_its_sum_gets_no_frames(series, caplog):
    scree = ScreeWatcher(FrameSum())
    begin(scree)
    feed(series, range(2), scree)
    scree("stop", {})
    assert "give the sum to multiframe_map as its frame_sum" in caplog.text


def test_x_rays_of_a_frame_whose_energy_losses_are_broken_are_not_counted(series):
    eels = {"offset": 100.0, "dispersion": 1.0, "channels": 8, "unit": "eV"}
    watching = FrameSum()
    begin(watching, multiframe={**SETTINGS, "spectra": {**SETTINGS["spectra"], "eels_frame": eels}})
    for number in range(3):
        document = event(series.image(number), series.events(number), number)
        losses = np.full((*SHAPE, 8), np.nan if number == 1 else 1.0, np.float32)
        document["data"] |= {"eels_frame": losses, "eels_energy_offset": 100.0}
        watching("event", document)
    assert watching.excluded.keys() == {1}
    assert watching.spectra(key="eds_frame").frames == watching.spectra(key="eels_frame").frames == (0, 2)
