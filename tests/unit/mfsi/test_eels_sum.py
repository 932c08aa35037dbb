import numpy as np
import pytest

from daisy_bluesky.mfsi import EelsSum, edge_shift, zero_loss_shift
from daisy_bluesky.spectra import EnergyAxis

SHAPE, CHANNELS = (9, 11), 300
K = np.arange(CHANNELS)


def edge_spectrum(shift=0.0, intensity=1.0):
    """A background that falls and an edge with a white line; features move by `shift` channels."""
    place = K - 150 - shift
    edge = 300 / (1 + np.exp(-place / 2)) * np.exp(-np.clip(place, 0, None) / 200)
    return 2000 * (1 + K / 150) ** -2.0 + intensity * (edge + 250 * np.exp(-0.5 * ((place - 8) / 3) ** 2))


def descan(offset, down, right):
    y, x = np.linspace(-1, 1, SHAPE[0])[:, None], np.linspace(-1, 1, SHAPE[1])[None]
    return offset + down * y + right * x


def plain_sum(cube, field, upsample, width):
    """Box overlaps computed pixel by pixel."""
    total = np.zeros((SHAPE[0] * upsample, SHAPE[1] * upsample, cube.shape[2]))
    for r, c in np.ndindex(SHAPE):
        y, x = (np.array([r, c]) + field[r, c]) * upsample + (upsample - 1) / 2
        shares = [
            np.clip(
                np.minimum(at + width / 2, np.arange(n) + 0.5) - np.maximum(at - width / 2, np.arange(n) - 0.5), 0, 1
            )
            for at, n in ((y, total.shape[0]), (x, total.shape[1]))
        ]
        total += np.multiply.outer(np.outer(*shares) / width**2, cube[r, c])
    return total


@pytest.mark.parametrize(("upsample", "width"), [(1, 1), (4, None), (4, 1), (2, 3)])
def test_spectra_are_spread_over_the_output_pixels_they_overlap(upsample, width):
    rng = np.random.default_rng(1)
    cube = rng.normal(100, 10, (*SHAPE, CHANNELS)).astype(np.float32)
    field = np.round(rng.normal(0, 0.6, (*SHAPE, 2)) * 64) / 64
    total = EelsSum(SHAPE, CHANNELS, upsample=upsample, kernel_width=width)
    total.add(cube, field)
    expected = plain_sum(cube, field, upsample, width or upsample)
    np.testing.assert_allclose(total.volume(), expected, rtol=1e-4, atol=1e-3)
    exposure = plain_sum(np.ones((*SHAPE, 1)), field, upsample, width or upsample)[..., 0]
    np.testing.assert_allclose(total.exposure, exposure, atol=1e-9)
    np.testing.assert_allclose(total.maps([(3, 9)])[0], expected[..., 3:9].sum(-1), rtol=1e-4, atol=1e-2)


def test_a_flat_specimen_stays_flat_whatever_the_drift():
    rng = np.random.default_rng(1)
    total = EelsSum((30, 30), 5, upsample=4)
    for _ in range(8):
        total.add(np.full((30, 30, 5), 7.0), np.broadcast_to(rng.normal(0, 1, 2), (30, 30, 2)))
    inner = (total.volume()[..., 2] / total.exposure)[20:-20, 20:-20]
    np.testing.assert_allclose(inner, 7.0, rtol=1e-4)


def test_shifts_in_energy_move_features_and_keep_what_they_measure():
    cube = np.broadcast_to(1000 * np.exp(-0.5 * ((K - 100) / 4) ** 2), (*SHAPE, CHANNELS))
    for shift in (7.0, -12.0, 3.4, -0.25):
        total = EelsSum(SHAPE, CHANNELS)
        total.add(cube, np.zeros((*SHAPE, 2)), energy_shift=shift)
        truth = 1000 * np.exp(-0.5 * ((K - 100 - shift) / 4) ** 2)
        np.testing.assert_allclose(total.volume()[4, 5], truth, atol=1.0)
        low, high = total.covered_channels
        assert (low, high) == (max(0, int(np.ceil(shift))), CHANNELS + min(0, int(np.floor(shift))))


def test_whole_shifts_are_exact():
    cube = np.random.default_rng(0).normal(size=(*SHAPE, CHANNELS)).astype(np.float32)
    total = EelsSum(SHAPE, CHANNELS)
    total.add(cube, np.zeros((*SHAPE, 2)), energy_shift=5)
    np.testing.assert_array_equal(total.volume()[..., 5:], cube[..., :-5])
    np.testing.assert_array_equal(total.volume()[..., :5], 0)


def test_channels_are_binned_after_spectra_have_been_moved_in_energy():
    true = descan(2.3, 6.0, -5.0)
    peak = 1000 * np.exp(-0.5 * ((K - 150 - true[..., None]) / 3) ** 2)
    shift = zero_loss_shift(peak, channel=150)
    fine, coarse = (EelsSum(SHAPE, CHANNELS, binning=binning) for binning in (1, 8))
    for total in (fine, coarse):
        total.add(peak, np.zeros((*SHAPE, 2)), energy_shift=shift)
    assert coarse.volume().shape == (*SHAPE, CHANNELS // 8)
    np.testing.assert_allclose(
        coarse.volume(), fine.volume()[..., :296].reshape(*SHAPE, 37, 8).sum(-1), rtol=1e-4, atol=1e-2
    )
    width = coarse.volume().sum((0, 1)) @ (np.arange(37) - (150 - 3.5) / 8) ** 2 / coarse.volume().sum()
    assert width == pytest.approx((3 / 8) ** 2 + 1 / 12, rel=0.1)  # of the peak and of the bins, not of the descan
    low, high = fine.covered_channels
    assert coarse.covered_channels == (-(-low // 8), high // 8)
    axis = coarse.energy_axis(EnergyAxis(100.0, 0.5, CHANNELS, "eV"))
    assert (axis.offset, axis.dispersion, axis.channels) == (101.75, 4.0, 37)
    np.testing.assert_allclose(coarse.maps([(0, 37)])[0], fine.maps([(0, 296)])[0], rtol=1e-4)


def test_zero_loss_peaks_come_to_one_channel():
    rng = np.random.default_rng(2)
    true = descan(2.3, 1.0, -1.7)
    cube = rng.poisson(20_000 * np.exp(-0.5 * ((K - 60 - true[..., None]) / 3) ** 2) + 5)
    shift = zero_loss_shift(cube, channel=60, window=(20, 110))
    assert np.sqrt(np.mean((shift + true) ** 2)) < 0.03


@pytest.mark.parametrize("offset", [0.4, -9.3, 17.0])
def test_edges_too_weak_in_one_spectrum_are_aligned_by_drift_and_descan_of_the_frame(offset):
    rng = np.random.default_rng(3)
    true = descan(offset, 1.2, -0.8)
    intensity = rng.uniform(0.3, 1.5, SHAPE)
    cube = rng.poisson(
        [[edge_spectrum(*pair) for pair in zip(*rows, strict=True)] for rows in zip(true, intensity, strict=True)]
    )
    shift = edge_shift(cube, edge_spectrum(), window=(120, 200))
    assert np.abs(shift + true).max() < 0.15


def test_stepping_the_drift_tube_averages_the_gain_of_channels():
    rng = np.random.default_rng(4)
    gain = 1 + 0.03 * rng.normal(size=CHANNELS)
    ripple = {}
    for steps in (np.zeros(16), np.arange(16) * 3):
        total = EelsSum(SHAPE, CHANNELS)
        for step in steps:
            seen = gain * np.interp(K - step, K, edge_spectrum())
            total.add(np.broadcast_to(seen, (*SHAPE, CHANNELS)), np.zeros((*SHAPE, 2)), energy_shift=-step)
        low, high = total.covered_channels
        mean = total.volume()[4, 4, low:high] / 16 / edge_spectrum()[low:high]
        ripple[float(steps[-1])] = mean.std()
        assert (low, high) == (0, CHANNELS - int(steps[-1]))
    assert ripple[45.0] < 1.4 * ripple[0.0] / np.sqrt(16)


def test_areas_merge_and_the_common_area_is_cut_out():
    rng = np.random.default_rng(5)
    cubes = rng.normal(100, 10, (3, *SHAPE, 20)).astype(np.float32)
    drift = [np.broadcast_to([0.0, step], (*SHAPE, 2)) for step in (0.0, 1.0, 2.0)]
    sums = [EelsSum(SHAPE, 20, area="common") for _ in range(2)]
    for number in range(3):
        sums[number % 2].add(cubes[number], drift[number], frame=number)
    sums[0].merge(sums[1])
    assert sums[0].volume().shape == (9, 9, 20)
    np.testing.assert_array_equal(sums[0].exposure, 3.0)
    expected = cubes[0][:, 2:] + cubes[1][:, 1:-1] + cubes[2][:, :-2]
    np.testing.assert_allclose(sums[0].volume(), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        sums[0].volume()[0] = 1


def test_memory_limit_refuses_before_allocating():
    with pytest.raises(MemoryError, match=r"the sum needs .* lower upsample"):
        EelsSum((2048, 2048), 2048, upsample=8)
    for wrong in (0, 2.5, 2049):
        with pytest.raises(ValueError, match=r"binning is .*; it must be a whole number from 1 to 2048 channels"):
            EelsSum(SHAPE, 2048, binning=wrong)
    with pytest.raises(ValueError, match="axis has 7 channels, the frames 2048"):
        EelsSum(SHAPE, 2048, binning=4).energy_axis(EnergyAxis(0.0, 1.0, 7, "eV"))
    with pytest.raises(ValueError, match="different grids"):
        EelsSum(SHAPE, 2048, binning=4).merge(EelsSum(SHAPE, 512))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spectra": np.zeros((3, 3, CHANNELS))}, "spectra have shape"),
        ({"spectra": np.full((*SHAPE, CHANNELS), np.nan)}, "spectra hold NaN"),
        ({"displacement": np.zeros((*SHAPE, 3))}, "displacement has shape"),
        ({"energy_shift": np.nan}, "energy_shift must be finite"),
        ({"energy_shift": np.zeros(4)}, "energy_shift has shape"),
        ({"exposure": -2.0}, "exposure must lie"),
        ({"frame": 0}, "frame 0 is in the sum already"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_and_leaves_the_sum_as_it_was(change, message):
    arguments = {"spectra": np.ones((*SHAPE, CHANNELS)), "displacement": np.zeros((*SHAPE, 2))}
    total = EelsSum(SHAPE, CHANNELS)
    total.add(**arguments)
    with pytest.raises(ValueError, match=message):
        total.add(**{**arguments, "frame": 1, **change})
    np.testing.assert_array_equal(total.volume(), 1.0)
    np.testing.assert_array_equal(total.exposure, 1.0)


def test_alignments_that_make_no_sense_are_refused():
    cube = np.ones((*SHAPE, CHANNELS))
    with pytest.raises(ValueError, match="has no peak"):
        zero_loss_shift(0 * cube, channel=10)
    with pytest.raises(ValueError, match="window 40 to 20"):
        zero_loss_shift(cube, channel=10, window=(40, 20))
    with pytest.raises(ValueError, match="no feature in the window"):
        edge_shift(cube, np.ones(CHANNELS), window=(10, 90))
    with pytest.raises(ValueError, match="reference has shape"):
        edge_shift(cube, np.ones(7), window=(1, 5))
