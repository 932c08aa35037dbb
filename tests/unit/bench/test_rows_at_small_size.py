from pathlib import Path

import pytest

from daisy_bluesky.bench import _loop, _recorded_maps, _virtual_map, _whole_run
from daisy_bluesky.bench._trained import virtual_classifier

DATA = Path("../shared/data")


@pytest.fixture(scope="module")
def classifier():
    return virtual_classifier()


def test_a_virtual_map_stands_beside_its_rasters():
    distortion, decision = _virtual_map.compare((40, 40), range(2))
    figures = distortion.figures
    assert 0 <= figures["adaptive"] < 0.2
    assert {"equal electrons", "equal time", "flying, equal time"} <= figures.keys()
    assert distortion.passed == (figures["adaptive"] <= 0.006)
    assert "seeds 0-1" in distortion.what
    assert 0 < decision.figures["median"] <= decision.figures["mean"] * 1.5


def test_the_whole_loop_costs_more_than_the_bare_one(classifier):
    cost, multiple, batches = _loop.compare((40, 40), 60, 1, classifier)
    assert multiple.figures["ratio"] > 1
    assert cost.figures["mean"] > multiple.figures["bare"] > 0
    assert multiple.passed == (multiple.figures["ratio"] <= 4)
    assert 0 < batches.figures["mean"] < cost.figures["mean"]


def test_a_run_is_followed_from_its_beginning_to_its_replay(classifier):
    memory, same, classifying, reading = _whole_run.follow((40, 40), 120, classifier, train_too=False)
    assert 1e8 < memory.figures["memory_before"] <= memory.figures["peak_memory"] < 4e9
    assert same.figures == {"decisions": 120.0, "different": 0.0}
    assert same.passed
    assert classifying.figures["events_per_second"] > 0
    assert reading.figures["without_spectra"] > 0


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the public measurements are not there")
def test_a_recording_is_judged_on_counts_held_out():
    gate = _recorded_maps.judge("a mineral", DATA / "eds_si_P45_mineral.npz", [0])
    assert gate.passed is None
    assert 0 < gate.figures["adaptive"] < gate.figures["uniform"] * 1.1
    assert 0 < gate.figures["raster"] < gate.figures["uniform"] * 1.1
