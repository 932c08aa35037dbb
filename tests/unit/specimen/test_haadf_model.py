"""HAADF model against textbook scattering and statistics."""

import numpy as np
import pytest
from scipy import constants, integrate

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen import HAADFModel, Phase

ELECTRONS = 100e-12 * 1e-3 / constants.e
EXPOSURE = Exposure(number=1, row=0, column=0, start=0.0, dwell=1e-3, current=100.0, visit=0)


def film(element, density, thickness):
    return Phase(f"{element} {thickness}", {element: 1.0}, density, thickness)


def test_thin_films_scatter_by_a_power_of_the_atomic_number():
    carbon, gold = film("C", 2.0, 0.01), film("Au", 19.3, 0.01)
    dark = HAADFModel([carbon, gold], exponent=1.7).scattered
    per_atom = dark / [carbon.atoms_per_area, gold.atoms_per_area]
    assert per_atom[1] / per_atom[0] == pytest.approx((79 / 6) ** 1.7, rel=1e-3)


def test_scattering_accumulates_with_thickness():
    once, twice = HAADFModel([film("Fe", 7.87, 80.0), film("Fe", 7.87, 160.0)]).scattered
    assert 1 - twice == pytest.approx((1 - once) ** 2)


def test_silicon_scatters_as_a_screened_nucleus_does():
    energy, thickness = 200e3, 1.0
    rest = constants.m_e * constants.c**2 / constants.e
    gamma = 1 + energy / rest
    wave_number = gamma * np.sqrt(1 - gamma**-2) * constants.m_e * constants.c / constants.hbar
    bohr = constants.physical_constants["Bohr radius"][0]

    def into_ring(angle):
        transfer = (wave_number * angle) ** 2 + (14 ** (1 / 3) / bohr) ** 2
        return 2 * np.pi * angle * (2 * gamma * 14 / bohr / transfer) ** 2

    cross_section = integrate.quad(into_ring, 0.06, 0.2)[0]
    atoms = 2.33e6 / 28.0855 * constants.N_A * thickness * 1e-9
    (scattered,) = HAADFModel([film("Si", 2.33, thickness)], inner_angle=60.0, outer_angle=200.0).scattered
    assert scattered == pytest.approx(1 - np.exp(-atoms * cross_section), rel=1e-3)


def test_mean_and_noise_of_the_intensity():
    model = HAADFModel(
        [film("Si", 2.33, 50.0), film("Fe", 7.87, 50.0)], offset=300.0, read_noise=40.0, pulse_spread=0.5
    )
    rng = np.random.default_rng(4)
    readings = np.array([model.intensity(np.array([0.25, 0.75]), EXPOSURE, rng) for _ in range(20_000)])
    electrons = ELECTRONS * (0.25 * model.scattered[0] + 0.75 * model.scattered[1])
    variance = electrons * (1 + 0.5**2) + 40.0**2
    assert readings.mean() == pytest.approx(electrons + 300.0, abs=5 * np.sqrt(variance / readings.size))
    assert readings.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / readings.size))


def test_the_same_random_numbers_give_the_same_intensity():
    model = HAADFModel([film("Si", 2.33, 50.0)])
    first, second = (model.intensity(np.ones(1), EXPOSURE, np.random.default_rng(7)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("angles", [(0.0, 100.0), (100.0, 60.0)])
def test_angles_that_make_no_sense_are_refused(angles):
    with pytest.raises(ValueError, match="inner_angle < outer_angle"):
        HAADFModel([film("Si", 2.33, 50.0)], inner_angle=angles[0], outer_angle=angles[1])
    with pytest.raises(ValueError, match="phases"):
        HAADFModel([])
    with pytest.raises(ValueError, match="beam energy is -1"):
        HAADFModel([film("Si", 2.33, 50.0)], beam_energy=-1.0)
