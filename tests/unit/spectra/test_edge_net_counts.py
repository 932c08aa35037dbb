"""Net counts of edges against an independent truth: known edges, SciPy's fit, repeated measurement."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from daisy_bluesky.spectra import EnergyAxis, edge_net_counts, fit_power_law

AXIS = EnergyAxis(100.0, 2.0, 256, "eV")
ONSET, WIDTH, FIT = 284.0, 40.0, (220.0, 276.0)


def expected(background=400.0, edge=30.0, exponent=3.2):
    energies = AXIS.energies
    jump = np.where((energies >= ONSET) & (energies < ONSET + 80), edge, 0.0)
    return background * (energies / 250.0) ** -exponent + jump


def measured(mean, n, *, gain=1.0, spread=0.0, read_noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(np.broadcast_to(mean, (n, AXIS.channels))).astype(float)
    noise = np.sqrt((gain * spread) ** 2 * electrons + read_noise**2) * rng.standard_normal(electrons.shape)
    return gain * electrons + noise


def test_an_edge_on_a_power_law_is_counted_exactly():
    net, _ = edge_net_counts(1e6 * expected(), AXIS, ONSET, WIDTH, FIT)
    assert net == pytest.approx(1e6 * 30.0 * WIDTH / AXIS.dispersion, rel=1e-4)


def test_the_fit_is_that_of_scipy():
    spectrum = measured(expected(), 1)[0]
    within = (AXIS.energies >= FIT[0]) & (AXIS.energies < FIT[1])
    fitted = fit_power_law(spectrum, AXIS, FIT, exponent=(3.0, 1e3))
    model = fitted.amplitude * (AXIS.energies[within] / fitted.reference) ** -fitted.exponent
    law = lambda e, a, r: a * (e / fitted.reference) ** -r  # noqa: E731
    found, covariance = curve_fit(
        law, AXIS.energies[within], spectrum[within], p0=(400, 3), sigma=np.sqrt(model), absolute_sigma=True
    )
    np.testing.assert_allclose((fitted.amplitude, fitted.exponent), found, rtol=1e-4)
    np.testing.assert_allclose(fitted.covariance, covariance, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(
    ("scale", "camera"),
    [
        (1.0, {}),
        (0.05, {}),
        (0.3, {"gain": 10.0, "spread": 0.5, "read_noise": 8.0}),
        (0.02, {"gain": 10.0, "spread": 0.5, "read_noise": 40.0}),
    ],
)
def test_net_counts_are_unbiased_and_scatter_as_their_variance_says(scale, camera):
    exponents = 3.0 + 0.5 * np.random.default_rng(3).standard_normal((4000, 1))
    spectra = measured(scale * expected(exponent=exponents), 4000, **camera)
    gain = camera.get("gain", 1.0)
    noise = {"noise_gain": gain * (1 + camera.get("spread", 0) ** 2), "read_noise": camera.get("read_noise", 0.0)}
    net, variance = edge_net_counts(spectra, AXIS, ONSET, WIDTH, FIT, exponent=(3.0, 0.5), **noise)
    assert net.mean() == pytest.approx(gain * scale * 30.0 * WIDTH / AXIS.dispersion, abs=0.1 * net.std())
    assert variance.mean() == pytest.approx(net.var(), rel=0.12)


def test_a_known_exponent_lowers_the_variance():
    spectra = measured(0.1 * expected(), 1000)
    _, free = edge_net_counts(spectra, AXIS, ONSET, WIDTH, FIT)
    net, held = edge_net_counts(spectra, AXIS, ONSET, WIDTH, FIT, exponent=(3.2, 0.0))
    assert held.mean() < 0.6 * free.mean()
    assert held.mean() == pytest.approx(net.var(), rel=0.1)


def test_spectra_that_are_all_noise_give_finite_numbers():
    spectra = measured(np.zeros(AXIS.channels), 500, read_noise=8.0)
    net, variance = edge_net_counts(spectra, AXIS, ONSET, WIDTH, FIT, read_noise=8.0)
    assert np.isfinite(net).all()
    assert np.isfinite(variance).all()
    assert net.mean() == pytest.approx(0, abs=4 * np.sqrt(net.var() / 500))
    empty = edge_net_counts(np.zeros(AXIS.channels), AXIS, ONSET, WIDTH, FIT)
    assert np.isfinite(empty).all()
    assert empty[1] > 0


def test_read_outs_add_their_noise():
    spectra = measured(0.1 * expected(), 4000, read_noise=16.0)
    net, variance = edge_net_counts(
        spectra, AXIS, ONSET, WIDTH, FIT, read_noise=8.0, read_outs=np.full(4000, 4), exponent=(3.2, 0.0)
    )
    assert variance.mean() == pytest.approx(net.var(), rel=0.12)


def test_a_map_gives_what_each_spectrum_gives():
    spectra = measured(expected(), 6).astype(np.float32).reshape(2, 3, -1)
    net, variance = edge_net_counts(spectra, AXIS, ONSET, WIDTH, FIT)
    assert net.shape == variance.shape == (2, 3)
    np.testing.assert_allclose(edge_net_counts(spectra[1, 2], AXIS, ONSET, WIDTH, FIT), (net[1, 2], variance[1, 2]))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"onset_eV": 600.0}, "onset_eV"),
        ({"onset_eV": ONSET, "fit_window": (50.0, 90.0)}, "fit_window"),
        ({"onset_eV": ONSET, "fit_window": (220.0, 222.0)}, "fit_window"),
        ({"onset_eV": ONSET, "read_noise": -1.0}, "read_noise"),
        ({"onset_eV": ONSET, "noise_gain": 0.0}, "noise_gain"),
        ({"onset_eV": ONSET, "exponent": (0.0, 1.0)}, "exponent"),
    ],
)
def test_what_makes_no_sense_is_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        edge_net_counts(np.zeros(AXIS.channels), AXIS, **arguments)
