from pathlib import Path

import numpy as np
import pytest

from daisy_bluesky.spectra import EnergyAxis, name_peaks

DATA = Path(__file__).parents[4] / "shared" / "data"
AXIS = EnergyAxis(0.0, 0.010, 2048)
LEAD_SULPHIDE = {2.345: 1500, 2.442: 900, 10.55: 1000, 12.61: 700, 14.76: 130, 9.18: 50, 2.308: 1500}
STEEL = {6.400: 4000, 7.058: 540, 0.705: 900, 5.412: 800, 5.947: 110}


def spectrum(peaks, *, shift=0.0, seed=0):
    """Gaussian peaks of a usual detector on a falling background, with Poisson noise."""
    expected = 30 * np.exp(-AXIS.energies / 3)
    for energy, counts in peaks.items():
        sigma = np.sqrt(0.130**2 + 0.0025 * (energy - 5.895)) / 2.355
        expected += 10 * counts * 0.01 / sigma / 2.5066 * np.exp(-0.5 * ((AXIS.energies - shift - energy) / sigma) ** 2)
    return np.random.default_rng(seed).poisson(expected)


def labels(named):
    return {label for _, label in named}


def test_known_elements():
    named = name_peaks(spectrum(STEEL), AXIS, ["Fe", "Cr"])
    assert {"Fe Ka", "Fe Kb", "Fe La", "Cr Ka"} <= labels(named)
    assert [energy for energy, _ in named] == sorted(energy for energy, _ in named)
    assert {label: energy for energy, label in named}["Fe Ka"] == pytest.approx(6.40, abs=0.02)


def test_unknown_elements():
    assert labels(name_peaks(spectrum(STEEL), AXIS)) >= {"Fe Ka", "Cr Ka"}
    assert {label.split()[0] for label in labels(name_peaks(spectrum(STEEL), AXIS))} == {"Fe", "Cr"}


def test_lead_is_told_from_sulphur_by_its_other_lines():
    assert {"Pb La", "Pb Lb"} <= labels(name_peaks(spectrum(LEAD_SULPHIDE), AXIS))


def test_sulphur_is_not_taken_for_lead_or_molybdenum():
    assert labels(name_peaks(spectrum({2.308: 5000}), AXIS)) == {"S Ka"}


def test_a_poor_calibration_is_allowed_for():
    named = name_peaks(spectrum(STEEL | {1.740: 3000}, shift=0.045), AXIS)
    assert labels(named) >= {"Fe Ka", "Cr Ka", "Si Ka"}


def test_noise_has_no_names():
    assert name_peaks(spectrum({}), AXIS) == []
    assert name_peaks(np.zeros(2048), AXIS) == []


def test_wrong_length_is_refused():
    with pytest.raises(ValueError, match="2048 channels"):
        name_peaks(np.zeros(100), AXIS)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "there", "allowed"),
    [
        ("eds_si_SiO2_particles", {"Si Ka", "O Ka", "C Ka", "Cu Ka"}, "Si O C Cu"),
        ("eds_si_espm_brg_fp", {"Mg Ka", "Si Ka", "Fe Ka", "Cu Ka"}, "Mg Al Si Ca Fe Cu Ga O"),
        ("eds_si_P45_mineral", {"O Ka", "Na Ka", "Al Ka", "Si Ka", "Ca Ka", "Fe Ka"}, "O Na Mg Al Si K Ca Fe Ti"),
    ],
)
def test_measured_spectra_whose_elements_are_known(name, there, allowed):
    path = DATA / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"no {path}: the public measurements are not here")
    with np.load(path, allow_pickle=False) as stored:
        channels = int(stored["shape"][2])
        counts = np.bincount(stored["ch"], stored["n"], minlength=channels)
        axis = EnergyAxis(float(stored["e_offset"]), float(stored["e_scale"]), channels)
    found = labels(name_peaks(counts, axis))
    assert there <= found
    assert {label.split()[0] for label in found} <= set(allowed.split())
