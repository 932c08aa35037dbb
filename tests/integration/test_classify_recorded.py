"""Classification of measured spectra."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky.classify import PhaseClassifier, SpectrumLabeller
from daisy_bluesky.classify._likelihood import smoothed_means

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public measurements in ../shared/data are not there"),
]


def load_object(name):
    specification = importlib.util.spec_from_file_location("eds_objects", DATA / "objects.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["eds_objects"] = module
    specification.loader.exec_module(module)
    return module.load(name)


def spectrum_image(name):
    with np.load(DATA / f"{name}.npz") as stored:
        rows, columns, channels = stored["shape"]
        spectra = np.zeros((rows * columns, channels), np.uint32)
        np.add.at(spectra, (stored["y"].astype(int) * columns + stored["x"], stored["ch"]), stored["n"])
    return spectra


def deviance(counts, expected):
    ratio = np.where(counts > 0, counts / expected, 1.0)
    return 2 * np.sum(counts * np.log(ratio) - (counts - expected))


@pytest.mark.parametrize(
    ("name", "training_counts", "counts", "most_wrong"),
    [
        ("PbSn/dendrite2_test_128", 7500, 7500, 0.0005),
        ("PbSn/dendrite2_test_128", 1000, 7500, 0.0005),
        ("PbSn/dendrite2_test_128", 1000, 1000, 0.0005),
        ("minerals/ebc_a_4_128", 1000, 200, 0.0015),
    ],
)
def test_spectra_of_other_measurements_get_their_phase(name, training_counts, counts, most_wrong):
    measured = load_object(name)
    classifier = PhaseClassifier.fit(*measured.training_set(24, counts=training_counts), names=measured.phases)
    places = [(row, column) for row in range(128) for column in range(row % 4, 128, 4)]
    spectra = np.array([measured.spectrum(row, column, counts) for row, column in places])
    truth = np.array([0 if measured.ill[place] else measured.labels[place] for place in places])
    assert (truth == 0).sum() > 10
    assert np.mean(classifier.predict(spectra) != truth) <= most_wrong


@pytest.mark.parametrize(
    ("name", "phases", "gained"),
    [("eds_si_espm_brg_fp", 2, 0.05), ("eds_si_SiO2_particles", 2, 0.2), ("eds_si_P45_mineral", 1, -0.001)],
)
def test_phases_discovered_from_a_seventh_of_the_pixels_explain_the_others(name, phases, gained):
    spectra = spectrum_image(name)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(spectra))
    visited, others = np.split(order, [int(0.15 * len(order))])
    labeller = SpectrumLabeller(None, spectra.shape[1])
    labels = [labeller.label(int(visit), spectra[visit]) for visit in visited]
    assert phases <= len(labeller.phases) <= 6
    assert np.mean(np.array(labels) == 0) < 0.03
    half = rng.binomial(spectra[others[:1500]].astype(np.int64), 0.5)
    kept = spectra[others[:1500]] - half
    totals = np.maximum(kept.sum(1, keepdims=True), 1e-6)
    means = smoothed_means(labeller.mean_spectra() * len(visited) / len(labeller.phases))
    named = np.array([labeller.log_likelihood(spectrum).argmax() for spectrum in half])
    single = deviance(kept, totals * smoothed_means(spectra[visited].sum(0)))
    assert deviance(kept, totals * means[named]) <= (1 - gained) * single
