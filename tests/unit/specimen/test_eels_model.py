"""EELS model against published energies, a hydrogenic atom, other tables and plain convolution."""

import numpy as np
import pytest
import xraydb
from scipy import constants, stats

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen import EELSCamera, EELSModel, Phase
from daisy_bluesky.specimen._dipole_scattering import dipole_scattering
from daisy_bluesky.specimen._fast_electron import FastElectron
from daisy_bluesky.specimen._plasmon import valence_electrons
from daisy_bluesky.specimen._plural_scattering import PluralScattering
from daisy_bluesky.specimen._single_scattering import mean_free_path
from daisy_bluesky.spectra import EnergyAxis

CARBON = Phase("carbon", {"C": 1.0}, 2.0, 10.0)
SILICON = Phase("silicon", {"Si": 1.0}, 2.33, 80.0)
ALUMINIUM = Phase("aluminium", {"Al": 1.0}, 2.70, 80.0)
TITANATE = Phase("strontium titanate", {"Sr": 0.2, "Ti": 0.2, "O": 0.6}, 5.12, 30.0)
HAEMATITE = Phase("haematite", {"Fe": 0.4, "O": 0.6}, 5.24, 30.0)
CALCIUM_FLUORIDE = Phase("fluorite", {"Ca": 1, "F": 2}, 3.18, 30.0)
LOW_LOSS = EnergyAxis(-10.0, 0.1, 1024, "eV")


# R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd ed. (2011), table 3.2.
@pytest.mark.parametrize(("phase", "measured"), [(SILICON, 16.7), (ALUMINIUM, 15.0)])
def test_the_plasmon_lies_where_it_is_measured(phase, measured):
    model = EELSModel([phase], axis=LOW_LOSS, resolution=0.5)
    loss = LOW_LOSS.energies > 5.0
    assert LOW_LOSS.energies[loss][np.argmax(model.expected[0][loss])] == pytest.approx(measured, rel=0.06)


@pytest.mark.parametrize(
    ("element", "electrons"),
    list({"H": 1, "Be": 2, "O": 6, "Al": 3, "Ca": 2, "Ti": 4, "Cu": 11, "Zn": 2, "Ga": 3, "Xe": 8, "La": 3}.items()),
)
def test_valence_electrons_follow_the_periodic_table(element, electrons):
    assert valence_electrons(element) == electrons


@pytest.mark.parametrize(("number", "density"), [(13, 2.70), (14, 2.33), (26, 7.87), (29, 8.96)])
def test_the_mean_free_path_agrees_with_another_parametrisation(number, density):
    energy, collection = 100.0, 10.0  # Malis et al. state an accuracy of 20%; theirs is the shorter for light elements
    mean_loss = 7.6 * number**0.36  # T. Malis, S. C. Cheng, R. F. Egerton, J. Electron Microsc. Tech. 8 (1988) 193
    factor = (1 + energy / 1022) / (1 + energy / 511) ** 2
    malis = 106 * factor * energy / mean_loss / np.log(2 * collection * energy / mean_loss)
    assert mean_free_path(density, FastElectron(energy), 0.0, collection) == pytest.approx(malis, rel=0.35)


@pytest.mark.parametrize("thickness", [20.0, 100.0, 250.0])
def test_the_log_ratio_recovers_the_relative_thickness(thickness):
    axis = EnergyAxis(-20.0, 0.5, 8192, "eV")
    model = EELSModel([Phase("Si", {"Si": 1}, 2.33, thickness)], axis=axis, resolution=0.8)
    zero_loss = model.expected[0][axis.energies < 2.5].sum()
    recovered = np.log(model.expected[0].sum() / zero_loss)
    assert recovered == pytest.approx(model.relative_thickness[0], rel=0.01)


def test_plural_scattering_is_repeated_convolution():
    axis, resolution, thickness = EnergyAxis(-20.0, 0.5, 1024, "eV"), 1.5, 0.9
    plural = PluralScattering(axis, resolution)
    step = plural.losses[1]
    single = np.exp(-(((plural.losses - 20) / 3) ** 2)) + 1e-3 * (plural.losses > 284) * (plural.losses / 284.0) ** -3
    single *= thickness / (single.sum() * step)
    order, spectrum = np.zeros(plural.losses.size), np.zeros(plural.losses.size)
    order[0] = 1.0
    for n in range(12):
        spectrum += order
        order = np.convolve(order, single * step)[: order.size] / (n + 1)
    sigma = resolution / np.sqrt(8 * np.log(2))
    losses = np.arange(spectrum.size) * step
    for energy in (-0.5, 0.0, 1.0, 20.0, 40.0, 60.0, 280.0, 290.0, 310.0, 450.0):
        below, above = (stats.norm.cdf(energy + side * axis.dispersion / 2, losses, sigma) for side in (-1, 1))
        direct = np.exp(-thickness) * (spectrum @ (above - below))
        found = plural.spectrum(single, thickness)[axis.channel(energy)]
        assert found == pytest.approx(direct, rel=0.01, abs=1e-9)


def test_a_core_loss_axis_is_the_same_spectrum_without_its_zero_loss_peak():
    thick = Phase("thick", {"Si": 1, "O": 2}, 2.2, 200.0)
    everything = EELSModel([thick], axis=EnergyAxis(-50.0, 1.0, 2048, "eV")).expected[0]
    core = EELSModel([thick], axis=EnergyAxis(450.0, 1.0, 1024, "eV")).expected[0]
    assert core == pytest.approx(everything[500:1524], rel=1e-6)
    assert core.sum() < 1e-2 * everything.sum()


def test_plural_scattering_raises_the_losses_behind_an_edge():
    thin, thick = (
        EELSModel([Phase("C", {"C": 1}, 2.0, t)], axis=EnergyAxis(200.0, 1.0, 1024, "eV")) for t in (5.0, 150.0)
    )
    ratio = thick.expected[0] / thin.expected[0]
    assert ratio[thin.axis.channel(330.0)] > 1.3 * ratio[thin.axis.channel(285.5)]


@pytest.mark.parametrize(
    ("phase", "name", "onset"),
    [
        (CARBON, "C K", 284),
        (TITANATE, "Ti L3", 456),
        (TITANATE, "O K", 532),
        (HAEMATITE, "Fe L3", 708),
        (CALCIUM_FLUORIDE, "Ca L3", 346),
        (CALCIUM_FLUORIDE, "F K", 685),
        (ALUMINIUM, "Al K", 1560),
        (SILICON, "Si K", 1839),
    ],
)
def test_edges_begin_where_the_atlas_says(phase, name, onset):
    axis = EnergyAxis(30.0, 0.5, 4096, "eV")
    spectrum = EELSModel([phase], axis=axis).expected[0]
    window = slice(axis.channel(onset - 12), axis.channel(onset + 12))
    steepest = axis.energies[window][np.argmax(np.gradient(np.log(spectrum[window])))]
    assert steepest == pytest.approx(onset, abs=2.5), name


def test_the_background_falls_by_the_power_that_other_tables_give():
    axis, angle = EnergyAxis(100.0, 0.5, 1024, "eV"), 10.0
    thin = Phase("thin carbon", {"C": 1.0}, 2.0, 0.5)
    spectrum = EELSModel([thin], axis=axis, collection_angle=angle).expected[0]
    window = slice(axis.channel(150), axis.channel(270))
    energies = axis.energies[window]
    exponent, _ = np.polyfit(np.log(energies), np.log(spectrum[window]), 1)
    gamma = 1 + 200 / 511
    characteristic = energies / (gamma * 511e3 * (1 - gamma**-2))
    absorption = xraydb.mu_elam("C", energies, kind="photo")
    twin = absorption / energies * np.log(1 + (angle * 1e-3 / characteristic) ** 2)
    expected, _ = np.polyfit(np.log(energies), np.log(twin), 1)
    assert exponent == pytest.approx(expected, abs=0.25)
    assert 3.0 < -exponent < 6.0  # the range that R. F. Egerton, 3rd ed. (2011), section 4.4 gives
    residual = np.log(spectrum[window]) - np.polyval(
        np.polyfit(np.log(energies), np.log(spectrum[window]), 1), np.log(energies)
    )
    assert np.abs(residual).max() < 0.05


def hydrogenic_k(number, loss, angle, energy):
    """Cross-section of a K shell, cm2/eV: R. F. Egerton, Ultramicroscopy 4 (1979) 169 (SIGMAK)."""
    rydberg, rest = 13.606, 511.06e3
    charge = number - 0.5
    gamma = 1 + energy * 1e3 / rest
    effective = 0.5 * rest * (1 - gamma**-2)
    before = gamma**2 * effective / rydberg
    after = before - loss / rydberg * (gamma - loss / (2 * rest))
    least = (np.sqrt(before) - np.sqrt(after)) ** 2
    most = least + 4 * np.sqrt(before * after) * np.sin(angle / 2) ** 2
    log_transfer = np.linspace(np.log(least), np.log(most), 400)
    q = np.exp(log_transfer) / charge**2
    k2 = loss / (rydberg * charge**2) - 1
    k = max(np.sqrt(abs(k2)), 0.1)
    if k2 >= 0:
        phase = np.arctan2(2 * k, q - k2 + 1)
        ratio = np.exp(-2 / k * phase) / (1 - np.exp(-2 * np.pi / k))
    else:
        ratio = np.exp(-1 / k * np.log((q + 1 - k2 + 2 * k) / (q + 1 - k2 - 2 * k)))
    shape = (q + k2 / 3 + 1 / 3) / ((q - k2 + 1) ** 2 + 4 * k2) ** 3
    strength = 256 * loss / (rydberg**2 * charge**4) * ratio * shape
    return 3.5166e-16 * rydberg / effective * rydberg / loss * np.trapezoid(strength, log_transfer)


@pytest.mark.parametrize(("element", "onset"), [("C", 284.0), ("N", 401.6), ("O", 532.0), ("Al", 1560.0)])
def test_core_losses_agree_with_a_hydrogenic_atom(element, onset):
    number, angle, energy = xraydb.atomic_number(element), 10.0, 200.0
    losses = np.linspace(onset + 2, onset + 100, 60)
    phase = Phase(element, {element: 1.0}, 1.0, 1.0)
    total = dipole_scattering(phase, losses, FastElectron(energy), angle)
    below = np.array([0.95 * onset])
    background = dipole_scattering(phase, below, FastElectron(energy), angle)[0] * (losses / below) ** -4.0
    found = np.trapezoid((total - background) / phase.atoms_per_area, losses)
    twin = np.trapezoid([hydrogenic_k(number, loss, angle * 1e-3, energy) for loss in losses], losses)
    assert found == pytest.approx(twin, rel=0.2)


def test_noise_has_the_mean_and_variance_of_the_camera():
    camera = EELSCamera(gain=6.0, gain_spread=0.4, read_noise=5.0)
    expected = np.array([0.0, 0.5, 20.0, 3000.0])
    rng = np.random.default_rng(5)
    readings = np.array([camera.read(expected, rng) for _ in range(20_000)])
    variance = 36.0 * (1 + 0.16) * expected + 25.0 + 1 / 12
    assert readings.dtype == np.float32
    assert np.array_equal(readings, np.rint(readings))
    assert np.all(np.abs(readings.mean(axis=0) - 6.0 * expected) < 5 * np.sqrt(variance / len(readings)))
    assert readings.var(axis=0) == pytest.approx(variance, rel=0.1)
    assert readings.min() < 0


def test_a_spectrum_is_the_mix_of_its_phases():
    model = EELSModel([CARBON, HAEMATITE])
    exposure = Exposure(number=1, row=0, column=0, start=0.0, dwell=0.01, current=50.0, visit=0)
    fractions = np.array([0.3, 0.7])
    rng = np.random.default_rng(6)
    mean = np.mean([model.spectrum(fractions, exposure, rng) for _ in range(400)], axis=0)
    electrons = 50e-12 * 0.01 / constants.e * (0.3 * model.expected[0] + 0.7 * model.expected[1])
    deviation = np.sqrt((125 * electrons + 64) / 400)
    assert mean.shape == (model.axis.channels,)
    assert np.all(np.abs(mean / 10 - electrons) < 6 * deviation / 10 + 0.05)
    again, same = (model.spectrum(fractions, exposure, np.random.default_rng(8)) for _ in range(2))
    assert np.array_equal(again, same)


def test_electrons_are_neither_made_nor_lost_but_to_the_aperture():
    axis = EnergyAxis(-50.0, 1.0, 8192, "eV")
    wide, narrow = (EELSModel([HAEMATITE], axis=axis, collection_angle=angle).expected.sum() for angle in (100.0, 5.0))
    assert narrow < wide < 1.0
    assert wide > 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axis": EnergyAxis(0.0, 0.01, 1024, "keV")}, "axis is in eV"),
        ({"axis": EnergyAxis(-2000.0, 1.0, 1024, "eV")}, "ends above 0 eV"),
        ({"resolution": 0.0}, "positive dispersion and resolution"),
        ({"collection_angle": 0.0}, "positive collection angle"),
        ({"beam_energy": 0.0}, "beam energy is 0.0 keV"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        EELSModel([CARBON], **options)
    with pytest.raises(ValueError, match="phases"):
        EELSModel([])
    with pytest.raises(ValueError, match="positive gain"):
        EELSCamera(gain=0.0)
    with pytest.raises(ValueError, match="photoabsorption of Pu is not tabulated"):
        EELSModel([Phase("plutonium", {"Pu": 1.0}, 19.8, 50.0)])
