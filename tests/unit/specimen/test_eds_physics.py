"""Each step of the EDS model against a published number, a limit or a twin."""

import numpy as np
import pytest
from scipy.integrate import quad

from daisy_bluesky.specimen import EDSModel, Phase, SiliconDriftDetector
from daisy_bluesky.specimen._emission import bremsstrahlung_yield, characteristic_yield, mass_attenuation, transmission
from daisy_bluesky.specimen._ionisation import ionisation_cross_section
from daisy_bluesky.spectra import EnergyAxis

IRON = Phase("iron", {"Fe": 1}, 7.874, 100)
QUARTZ = Phase("quartz", {"Si": 1, "O": 2}, 2.65, 100)


def bethe(electrons, edge, beam_energy, b, c):
    """Relativistic Bethe cross-section, cm2 (Powell, Rev. Mod. Phys. 48 (1976) 33, with Williams' terms)."""
    beta2 = 1 - 1 / (1 + beam_energy / 510.999) ** 2
    slow = 510.999 * beta2 / 2
    return 6.51e-20 * electrons * b / (slow * edge) * (np.log(c * slow / edge) - np.log(1 - beta2) - beta2)


@pytest.mark.parametrize("beam_energy", [100, 200, 300])
@pytest.mark.parametrize("edge", [0.284, 0.543, 1.839, 4.966, 7.112, 8.979])
def test_k_shell_agrees_with_bethe_at_microscope_energies(edge, beam_energy):
    expected = bethe(2, edge, beam_energy, b=0.9, c=0.65)
    assert ionisation_cross_section("K", edge, beam_energy) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("edge", [0.453, 0.853, 1.940, 3.537])
def test_l3_shell_agrees_with_bethe_at_microscope_energies(edge):
    assert ionisation_cross_section("L3", edge, 200) == pytest.approx(bethe(4, edge, 200, b=0.6, c=0.6), rel=0.35)


def test_nothing_is_ionised_below_threshold():
    assert ionisation_cross_section("K", 7.112, 7.0) == 0
    assert ionisation_cross_section("L3", 7.112, 7.0) == 0


def test_iron_k_photons_per_electron():
    energies, photons = characteristic_yield(IRON, 200)
    k_photons = photons[(energies > 6.3) & (energies < 7.2)].sum()
    by_hand = 8.49e22 * 100e-7 * bethe(2, 7.112, 200, b=0.9, c=0.65) * 0.340  # yield: Krause 1979
    assert k_photons == pytest.approx(by_hand, rel=0.1)


def test_transmission_is_the_mean_over_the_depth():
    energy = np.array([0.525])
    slope = mass_attenuation(QUARTZ.weight_fractions, energy)[0] * QUARTZ.density / np.sin(np.radians(20))
    integral = quad(lambda depth: np.exp(-slope * depth), 0, 100e-7)[0] / 100e-7
    assert transmission(QUARTZ, energy, 20)[0] == pytest.approx(integral, rel=1e-9)


def test_transmission_limits():
    energy = np.array([0.525])
    assert transmission(Phase("thin", {"Si": 1, "O": 2}, 2.65, 1e-3), energy, 20)[0] == pytest.approx(1, abs=1e-4)
    thick = Phase("thick", {"Si": 1, "O": 2}, 2.65, 1e6)
    depth = mass_attenuation(thick.weight_fractions, energy)[0] * 2.65 * 0.1 / np.sin(np.radians(20))
    assert transmission(thick, energy, 20)[0] == pytest.approx(1 / depth)


def test_mass_attenuation_of_silicon():
    published = [2777, 245.2, 64.68]  # cm2/g, Hubbell & Seltzer, NIST
    np.testing.assert_allclose(mass_attenuation({"Si": 1.0}, np.array([2.0, 5.0, 8.0])), published, rtol=0.03)


def test_peak_to_background_of_chromium_is_as_measured():
    """Fiori's figure at 100 to 300 keV lies between 2,000 and 10,000."""
    model = EDSModel([Phase("chromium", {"Cr": 1}, 7.19, 100)], stray_fraction=0)
    energies, rate = model.axis.energies, model.rates[0]
    peak = rate[(energies > 5.2) & (energies < 5.62)].sum()
    assert 2_000 < peak / rate[(energies > 4.8) & (energies < 5.0)].mean() < 10_000


def test_bremsstrahlung_ends_at_the_beam_energy():
    emitted = bremsstrahlung_yield(IRON, np.array([-0.1, 0.0, 5.0, 14.9, 15.0, 18.0]), 15.0)
    assert (emitted > 0).tolist() == [False, False, True, True, False, False]


def test_resolution_at_manganese_ka():
    axis = EnergyAxis(0.0, 0.001, 20_000)
    peak = SiliconDriftDetector(resolution=127).response(np.array([5.895]), axis)[0]
    above = axis.energies[peak > peak.max() / 2]
    assert above[-1] - above[0] == pytest.approx(0.127, abs=0.002)


def test_resolution_finer_than_fano_is_refused():
    with pytest.raises(ValueError, match="Fano"):
        SiliconDriftDetector(resolution=100)


def test_window_transmits_as_published():
    """A polymer window on a silicon grid passes roughly half of C K to O K and nearly all above 2 keV."""
    efficiency = SiliconDriftDetector().efficiency(np.array([0.277, 0.525, 3.0, 8.0, 40.0]))
    assert 0.3 < efficiency[0] < 0.7
    assert 0.4 < efficiency[1] < 0.7
    assert efficiency[2:4].min() > 0.93
    assert efficiency[4] < 0.15


def test_escape_peak_lies_a_silicon_photon_below():
    axis = EnergyAxis(0.0, 0.010, 2048)
    row = SiliconDriftDetector().response(np.array([5.895]), axis)[0]
    escaped = row[(axis.energies > 3.9) & (axis.energies < 4.4)]
    assert axis.energies[(axis.energies > 3.9) & (axis.energies < 4.4)][escaped.argmax()] == pytest.approx(
        4.155, abs=0.01
    )
    assert 0.002 < escaped.sum() < 0.008  # measured 0.3 to 0.6%
    assert row.sum() == pytest.approx(1, abs=1e-9)


def test_no_escape_below_the_silicon_edge():
    assert SiliconDriftDetector().escape_fraction(np.array([1.7]))[0] == 0


def test_rate_is_proportional_to_solid_angle_and_to_thickness_of_thin_films():
    thin, thicker = (Phase("iron", {"Fe": 1}, 7.874, t) for t in (1.0, 2.0))
    model = EDSModel([thin, thicker], stray_fraction=0)
    window = (model.axis.energies > 6.2) & (model.axis.energies < 6.6)
    assert model.rates[1, window].sum() == pytest.approx(2 * model.rates[0, window].sum(), rel=1e-3)
    half = EDSModel([thin], stray_fraction=0, detector=SiliconDriftDetector(solid_angle=0.35))
    np.testing.assert_allclose(half.rates[0], model.rates[0] / 2, rtol=1e-12)


def test_absolute_rate_of_iron():
    """Counts by hand: electrons x atoms x cross-section x yield x Ka share x solid angle."""
    model = EDSModel([IRON], stray_fraction=0)
    window = (model.axis.energies > 6.2) & (model.axis.energies < 6.6)
    by_hand = 6.2415e6 * 8.49e17 * bethe(2, 7.112, 200, b=0.9, c=0.65) * 0.340 * 0.88 * 0.7 / (4 * np.pi)
    assert model.rates[0, window].sum() == pytest.approx(by_hand, rel=0.1)


def test_stray_counts_are_the_stated_fraction_and_show_copper():
    clean, stray = (EDSModel([IRON], stray_fraction=fraction) for fraction in (0, 0.05))
    assert stray.rates.sum() == pytest.approx(1.05 * clean.rates.sum())
    grid = (stray.rates - clean.rates)[0]
    assert clean.axis.energies[400:][grid[400:].argmax()] == pytest.approx(8.04, abs=0.02)


def test_lines_above_the_beam_energy_are_not_excited():
    model = EDSModel([IRON], beam_energy=5.0)
    assert model.rates[0, model.axis.energies > 5.4].sum() < 1e-9 * model.rates[0].sum()
