import numpy as np
import pytest

from daisy_bluesky.specimen import ILL_KINDS, VirtualSpecimen, make_ill
from daisy_bluesky.spectra import EnergyAxis


@pytest.fixture(scope="module")
def specimen():
    return VirtualSpecimen.demo((64, 64))


@pytest.mark.parametrize("kind", ILL_KINDS)
def test_total_counts_do_not_tell_ill_from_good(specimen, kind):
    """A two-sided threshold on total counts with 1% false alarms misses most of each kind."""
    good = specimen.eds_bulk(*np.nonzero(~specimen.ill), expected_counts=1000).sum(axis=1)
    low, high = np.percentile(good, [0.5, 99.5])
    ill = specimen.ill_spectra(400, 1000, seed=1, kind=kind).sum(axis=1)
    assert np.mean((ill < low) | (ill > high)) < 0.3


@pytest.mark.parametrize("kind", ILL_KINDS)
def test_shape_tells_ill_from_good(specimen, kind):
    """The likelihood of the best phase falls below all but a few good spectra's."""
    means = np.array([specimen.eds_mean(label) for label in range(1, 5)])
    score = np.log(means + 1e-6).T

    def fit(spectra):
        return (spectra @ score).max(axis=1) / spectra.sum(axis=1)

    good = fit(specimen.training_spectra(100, 1000, seed=2)[0])
    ill = fit(specimen.ill_spectra(200, 1000, seed=3, kind=kind))
    assert np.mean(ill < np.percentile(good, 1)) > 0.5


def test_shifted_gain_moves_a_peak():
    axis = EnergyAxis(0.0, 0.01, 2048)
    peak = np.exp(-0.5 * ((axis.energies - 8.0) / 0.06) ** 2)
    shifted = make_ill(peak, "shifted gain", axis, np.random.default_rng(0))
    moved = abs(shifted @ axis.energies / shifted.sum() / 8.0 - 1)
    assert 0.039 < moved < 0.101
    assert shifted.sum() == pytest.approx(peak.sum(), rel=1e-6)


def test_half_dead_time_piles_up_pairs():
    axis = EnergyAxis(-0.1, 0.01, 2048)
    peak = np.exp(-0.5 * ((axis.energies - 4.0) / 0.05) ** 2)
    spectrum = make_ill(peak, "half dead time", axis, np.random.default_rng(0))
    pairs = (axis.energies > 7) & (axis.energies < 9)
    assert spectrum[pairs] @ axis.energies[pairs] / spectrum[pairs].sum() == pytest.approx(8.0, abs=0.01)


def test_cosmic_spike_fills_few_channels():
    axis = EnergyAxis(0.0, 0.01, 2048)
    good = np.full(2048, 0.5)
    extra = make_ill(good, "cosmic spike", axis, np.random.default_rng(0)) - good
    assert 1 <= np.count_nonzero(extra) <= 3
    assert 0.15 <= extra.sum() / good.sum() <= 0.5


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="flat noise"):
        make_ill(np.ones(8), "sunburn", EnergyAxis(0, 1, 8), np.random.default_rng(0))
