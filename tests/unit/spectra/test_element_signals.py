"""Lines and edges by name."""

import numpy as np
import pytest

from daisy_bluesky.spectra import (
    EnergyAxis,
    characteristic_lines,
    edge_net_counts,
    element_signal,
    line_net_counts,
    signal_names,
)

XRAYS = EnergyAxis(0.0, 0.01, 1500, "keV")
LOSSES = EnergyAxis(130.0, 1.0, 400, "eV")
BOTH = {"keV": XRAYS, "eV": LOSSES}


def test_a_line_gives_the_net_counts_of_its_energy_per_second():
    spectrum = np.random.default_rng(1).poisson(2.0, XRAYS.channels)
    net, variance = line_net_counts(spectrum, XRAYS, characteristic_lines("Ti")[0].energy)
    rate, spread = element_signal("Ti Ka", BOTH).rate(spectrum, 4.0)
    assert rate == pytest.approx(net / 4, abs=1e-6)
    assert spread == pytest.approx(variance / 16)


def test_an_edge_gives_the_net_counts_above_its_background_per_second():
    spectrum = np.random.default_rng(1).poisson(300 * (LOSSES.energies / 200) ** -3.0).astype(np.float32)
    signal = element_signal("C K", BOTH, {"noise_gain": 2.0, "read_noise": 3.0})
    net, variance = edge_net_counts(spectrum, LOSSES, 283.8, noise_gain=2.0, read_noise=3.0)
    assert signal.rate(spectrum, 2.0) == (pytest.approx(net / 2), pytest.approx(variance / 4))


def test_nothing_counted_is_not_nothing_there_for_certain():
    assert element_signal("Ti Ka", BOTH).rate(np.zeros(XRAYS.channels), 1.0) == (0.0, 1.0)


def test_lines_and_edges_of_one_element_are_told_apart():
    assert element_signal("C Ka", BOTH).axis is XRAYS
    assert element_signal("C K", BOTH).axis is LOSSES
    assert signal_names("C", BOTH) == ["C Ka", "C K"]


@pytest.mark.parametrize(
    ("name", "offered"), [("Ti ka", "'Ti Ka'"), ("B X", "'B K'"), ("Tl Ka", "Tl La|Ti Ka"), ("nonsense", "no line")]
)
def test_names_that_are_none_are_refused_with_near_ones(name, offered):
    with pytest.raises(ValueError, match=offered):
        element_signal(name, BOTH)


def test_what_lies_off_the_axes_is_refused():
    with pytest.raises(ValueError, match="'O K'"):
        element_signal("O K", BOTH)
