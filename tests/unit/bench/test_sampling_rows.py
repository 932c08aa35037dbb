"""The rows of the sampling table at small size: the peers sample as published, and gates say what was measured."""

from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky.bench import (
    _sampling_batches,
    _sampling_grey,
    _sampling_quality,
    _sampling_reconstruction,
    _sampling_stopping,
)
from daisy_bluesky.bench._sampling_electrons import equal_electron_raster
from daisy_bluesky.bench._sampling_maps import Case, Family, families, four_phases, smooth_field, two_phases
from daisy_bluesky.bench._sampling_peers import learn, sampled
from daisy_bluesky.sampling import SladsModel, patterns, vote


@pytest.fixture(scope="module")
def peers():
    return learn([two_phases(64, 100)])


@pytest.fixture(scope="module")
def family():
    truth = two_phases(64, 3)
    return Family("fields", [Case(truth, np.zeros(truth.shape, bool), seed) for seed in range(2)], "generic")


def test_the_maps_are_as_stated():
    field = two_phases(128, 1)
    assert (field == 2).mean() == pytest.approx(0.35, abs=1e-3)
    assert set(np.unique(four_phases(128, 1))) == {1, 2, 3, 4}
    made = families(Path("absent"), side=64, seeds=range(2))
    assert [len(each.cases) for each in made] == [2, 2]


def test_peers_sample_exactly_and_better_than_at_random(peers, family):
    """Their map is the vote over what they measured, ill pixels left out."""
    truth = family.cases[0].truth
    ill = np.random.default_rng(0).random(truth.shape) < 0.02
    places = patterns.random(truth.shape, 0.15, 0)
    blind = (vote(truth.shape, places, truth[tuple(places.T)]) != truth).mean()
    for predictor in peers.values():
        ((labels, measured),) = sampled(Case(truth, ill, 0), predictor, (0.15,))
        assert measured.sum() == round(0.15 * truth.size)
        valid = measured & ~ill
        np.testing.assert_array_equal(labels[valid], truth[valid])
        expected = vote(truth.shape, np.argwhere(valid), truth[valid])
        assert (labels != expected).mean() < 0.01  # ties in distance
        assert (labels != truth)[~ill].mean() < 0.7 * blind


def test_quality_rows(peers, family):
    distortion, below, area = _sampling_quality.compare(family, SladsModel.default(), peers)
    own, raster = (distortion.figures[f"{name} at 15%"] for name in ("ours", "raster"))
    assert 0 <= own < raster < 0.5
    assert below.passed in (True, False)
    assert area.passed == (area.figures["ratio"] <= 0.85)


def test_batch_rows(family):
    quality, travel = _sampling_batches.compare(family, SladsModel.default(), 20)
    assert quality.passed == (quality.figures["ratio"] <= 1.1)
    assert 0 < travel.figures["ratio"] < 1


def test_reconstruction_rows():
    quality, speed = _sampling_reconstruction.labels("fields", [two_phases(64, seed) for seed in range(2)])
    assert quality.passed == (quality.figures["ours"] < quality.figures["vote"])
    assert speed.figures["SciPy"] > speed.figures["seconds"] > 0
    grey = _sampling_reconstruction.values([smooth_field(64, seed) for seed in range(2)])
    assert grey.figures["ours"] < 0.9 * grey.figures["mean of neighbours"]


def test_a_raster_of_as_many_electrons_gets_better_with_them(family):
    truth = family.cases[0].truth
    few, many = (equal_electron_raster(family.cases[0], 0.15, counts) for counts in (20.0, 2000.0))
    assert many < few < (truth == 2).mean()
    assert many < 0.001


def test_grey_row():
    rows, columns = np.indices((64, 64))
    image = np.where(np.hypot(rows - 30, columns - 28) < 15, 200.0, 40.0)
    gate = _sampling_grey.compare("disc", image, SladsModel.default(), range(1))
    assert gate.passed == all(
        gate.figures[f"ours at {share}"] < gate.figures[f"raster at {share}"] for share in ("10%", "15%", "20%")
    )
    assert gate.figures["ours at 15%"] < gate.figures["raster at 15%"]


def test_stopping_row(family):
    gate, of_family = _sampling_stopping.compare({"fields": family.cases})
    assert gate.figures == of_family.figures
    assert 0 <= gate.figures["covered"] <= 1
    assert gate.passed == (0.82 <= gate.figures["covered"] <= 0.98)
    assert gate.figures["width"] > 0
