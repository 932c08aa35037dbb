import numpy as np
import pytest

from daisy_bluesky.mfsi import EelsSum, ElementMap, SpectrumSum, edge_map, line_maps
from daisy_bluesky.spectra import EnergyAxis

SHAPE = (30, 24)
EDS = EnergyAxis(0.0, 0.02, 300, "keV")
EELS = EnergyAxis(300.0, 1.0, 300, "eV")
FIELDS = [("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint16)]


def listed(cube):
    places = np.argwhere(cube)
    events = np.zeros(len(places), FIELDS)
    events["row"], events["column"], events["channel"] = places.T
    events["count"] = cube[tuple(places.T)]
    return events


def x_rays(half):
    """Expected counts: a line of 6 counts a pixel in one half of the field, upon a falling background."""
    line = np.exp(-0.5 * ((EDS.energies - 3.0) / 0.05) ** 2)
    rate = np.broadcast_to(0.05 * np.exp(-EDS.energies / 5), (*SHAPE, EDS.channels)).copy()
    rate[half] += 6.0 * line / line.sum()
    return rate


def test_line_maps_hold_net_counts_with_their_uncertainty():
    rng = np.random.default_rng(0)
    half = np.arange(SHAPE[0]) < 15
    total = SpectrumSum(SHAPE, EDS.channels)
    for _ in range(40):
        total.add(listed(rng.poisson(x_rays(half))), np.zeros((*SHAPE, 2)))
    found = line_maps(total, EDS, {"Ag La": 3.0}, width_keV=0.3)
    found |= line_maps(total, EDS, {"none": 4.5}, width_keV=0.3)
    silver, none = found["Ag La"], found["none"]
    assert silver.rate[half].mean() == pytest.approx(6.0, rel=0.02)
    for quiet in (silver.net[~half], none.net):
        assert abs(quiet.mean()) < 4 * np.sqrt(none.variance.mean() / quiet.size)
    assert np.var(none.net) == pytest.approx(none.variance.mean(), rel=0.15)
    assert silver.signal_to_noise > 5 > 0.5 > abs(none.signal_to_noise)
    assert silver.contrast_to_noise > 3 > 0.6 > none.contrast_to_noise


def test_maps_of_an_upsampled_sum_carry_its_exposure():
    rng = np.random.default_rng(1)
    total = SpectrumSum(SHAPE, EDS.channels, upsample=2)
    for _ in range(30):
        shift = rng.uniform(-0.5, 0.5, 2)
        total.add(listed(rng.poisson(x_rays(slice(None)))), np.broadcast_to(shift, (*SHAPE, 2)))
    silver = line_maps(total, EDS, {"Ag La": 3.0})["Ag La"]
    assert silver.net.shape == (60, 48)
    np.testing.assert_array_equal(silver.exposure, total.exposure)
    coarse = line_maps(total, EDS, {"Ag La": 3.0}, width_keV=0.4)["Ag La"]
    assert np.nanmean(coarse.rate[4:-4, 4:-4]) == pytest.approx(6.0, rel=0.03)


def losses(half):
    """Expected counts: a power law, and an edge at 450 eV in one half of the field."""
    rate = np.broadcast_to(3000.0 * (EELS.energies / 300) ** -3.0, (*SHAPE, EELS.channels)).copy()
    rate[half] += 150.0 * (EELS.energies >= 450)
    return rate


@pytest.mark.parametrize(("upsample", "binning"), [(1, 1), (2, 1), (1, 4)])
def test_edge_maps_subtract_the_power_law_and_state_their_noise(upsample, binning):
    rng = np.random.default_rng(2)
    half = np.arange(SHAPE[0]) < 15
    total = EelsSum(SHAPE, EELS.channels, upsample=upsample, binning=binning)
    for _ in range(6):
        shift = rng.uniform(-0.5, 0.5, 2)
        read = rng.normal(0, 10.0, (*SHAPE, EELS.channels))
        total.add(rng.poisson(losses(half)) + read, np.broadcast_to(shift, (*SHAPE, 2)))
    axis = total.energy_axis(EELS)
    found = edge_map(total, axis, 450.0, 40.0, (380.0, 440.0), read_noise=10.0)
    rows = np.arange(SHAPE[0] * upsample) / upsample
    inner = np.s_[3:-3]
    on, off = found.rate[(rows > 3) & (rows < 12)][:, inner], found.net[(rows > 17) & (rows < 27)][:, inner]
    assert on.mean() == pytest.approx(150 * 40, rel=0.03)
    variance = found.variance[(rows > 17) & (rows < 27)][:, inner].mean()
    assert abs(off.mean()) < 0.03 * on.mean()
    assert off.var() == pytest.approx(variance, rel=0.35)


def test_channels_that_no_frame_shifts_into_are_left_out():
    total = EelsSum(SHAPE, EELS.channels)
    total.add(losses(slice(None)), np.zeros((*SHAPE, 2)), energy_shift=20)
    shifted = EnergyAxis(EELS.offset - 20, 1.0, EELS.channels, "eV")
    found = edge_map(total, shifted, 450.0, 40.0, (380.0, 440.0))
    assert found.net.mean() == pytest.approx(6000, rel=0.03)
    with pytest.raises(ValueError, match="fit_window"):
        edge_map(total, shifted, 450.0, 40.0, (285.0, 440.0))


def test_maps_nothing_was_exposed_in_show_nothing():
    nothing = np.zeros((3, 3))
    shown = ElementMap(nothing, nothing, nothing)
    assert np.isnan(shown.rate).all()
    assert shown.signal_to_noise == shown.contrast_to_noise == 0


def test_sums_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="axis has 300 channels, the sum 20"):
        line_maps(SpectrumSum(SHAPE, 20), EDS, {"Ag La": 3.0})
    with pytest.raises(ValueError, match="axis has 300 channels, the sum 20"):
        edge_map(EelsSum(SHAPE, 20), EELS, 450.0)
    with pytest.raises(ValueError, match="shares of photons"):
        line_maps(SpectrumSum(SHAPE, EDS.channels, assignment="bilinear"), EDS, {"Ag La": 3.0})
