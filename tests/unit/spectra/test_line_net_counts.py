"""Net counts of lines against an independent truth: spectra whose line and background are known."""

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import norm

from daisy_bluesky.spectra import EnergyAxis, line_net_counts

AXIS = EnergyAxis(0.0, 0.01, 1000, "keV")
SIGMA = 0.06
WINDOWS = (3.9, 4.1), (4.9, 5.2)


def expected(counts, slope=-0.03):
    edges = AXIS.offset + AXIS.dispersion * (np.arange(AXIS.channels + 1) - 0.5)
    line = counts * np.diff(norm.cdf(edges, 4.5, SIGMA))
    return line + 0.4 + slope * (AXIS.energies - 4.5)


def test_a_sloping_background_is_taken_away_exactly():
    net, _ = line_net_counts(expected(0.0), AXIS, 4.5, width_keV=0.3, background_keV=WINDOWS)
    assert net == pytest.approx(0, abs=1e-9)


def test_a_line_on_it_is_counted():
    net, _ = line_net_counts(expected(50.0), AXIS, 4.5, width_keV=0.8, background_keV=WINDOWS)
    assert net == pytest.approx(50.0, rel=1e-3)


@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_the_variance_is_that_of_repeated_counting(scale):
    spectra = np.random.default_rng(1).poisson(scale * expected(10.0), (20_000, AXIS.channels))
    net, variance = line_net_counts(spectra, AXIS, 4.5)
    assert variance.mean() == pytest.approx(net.var(), rel=0.04)


def test_maps_and_sparse_spectra_give_what_each_spectrum_gives():
    spectra = np.random.default_rng(2).poisson(expected(10.0), (3, 4, AXIS.channels))
    net, variance = line_net_counts(spectra, AXIS, 4.5)
    flat = sparse.csr_array(spectra.reshape(12, -1))
    assert net.shape == (3, 4)
    for got, want in zip(line_net_counts(flat, AXIS, 4.5), (net, variance), strict=True):
        np.testing.assert_allclose(got, want.ravel())
    np.testing.assert_allclose(line_net_counts(spectra[1, 2], AXIS, 4.5), (net[1, 2], variance[1, 2]))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"energy_keV": 0.02}, "background_keV"),
        ({"energy_keV": 12.0}, "energy_keV"),
        ({"energy_keV": 4.505, "width_keV": 0.001, "background_keV": WINDOWS}, "energy_keV"),
        ({"energy_keV": 4.5, "background_keV": ((4.0, 4.1), (4.0, 4.1))}, "background_keV"),
    ],
)
def test_windows_that_do_not_fit_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        line_net_counts(np.zeros(AXIS.channels), AXIS, **arguments)


def test_spectra_of_another_length_are_refused():
    with pytest.raises(ValueError, match="spectra"):
        line_net_counts(np.zeros((3, 7)), AXIS, 4.5)
