"""Spectra come back as the guarantee says: bit by bit, within their noise, or down-sampled with a known bias."""

import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daisy_bluesky import lbj

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0]


def eels(rng, pixels=300, channels=400, electrons=8.0, gain=10.0, read_noise=8.0):
    """Spectra of two materials, an edge each, and their expectation and variance: (pixels, channels)."""
    energy = 300.0 + np.arange(channels)
    background = (energy / 300) ** -3.0
    first, second = (0.4 * (energy > onset) * (energy / onset) ** -2.5 for onset in (380, 550))
    share = rng.random((pixels, 1))
    expected = electrons * (background + share * first + (1 - share) * second)
    count = rng.poisson(expected)
    values = gain * count + rng.normal(0, np.sqrt((gain / 2) ** 2 * count + read_noise**2))
    return values, gain * expected, 1.25 * gain**2 * expected + read_noise**2


@st.composite
def spectra(draw, dtypes):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(st.sampled_from([(1,), (257,), (3, 64), (9, 40), (40, 33), (4, 5, 30), (2, 0, 7), (12, 1)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.normal(draw(st.sampled_from([0.0, 30.0])), draw(st.sampled_from([0.3, 8.0])), shape)
    values *= rng.choice([1.0, draw(st.sampled_from([1.0, 1e3, 1e-3]))])
    if dtype.kind != "f":
        limits = np.iinfo(dtype)
        flat = np.clip(np.rint(values), limits.min, 127).astype(dtype).reshape(-1)
        extreme = [limits.min, limits.max]
    else:
        limits = np.finfo(dtype)
        flat = np.clip(values, -6e4, 6e4).astype(dtype).reshape(-1)
        flat = np.rint(flat) if draw(st.booleans()) else flat
        extreme = [*SPECIAL, limits.max, limits.min, limits.smallest_subnormal, -limits.smallest_subnormal, limits.tiny]
    for value in draw(st.lists(st.sampled_from(extreme), max_size=4 if flat.size else 0)):
        flat[draw(st.integers(0, flat.size - 1))] = value
    return flat.reshape(shape)


@settings(deadline=None, max_examples=150)
@given(spectra(FLOATS + INTEGERS))
@example(np.full((2, 24), np.finfo(np.float64).max))
@example(np.full((2, 24), -np.finfo(np.float64).smallest_subnormal))
def test_every_bit_comes_back(array):
    restored = lbj.loads(lbj.dumps(array))
    assert (restored.dtype, restored.shape) == (array.dtype, array.shape)
    assert restored.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
def test_any_bit_pattern_of_a_float_comes_back(dtype):
    size = np.dtype(dtype).itemsize
    patterns = np.random.default_rng(0).integers(0, 256, 5000 * size, np.uint8).view(dtype).reshape(50, 100)
    spectrum = np.full((50, 100), 20, dtype) + np.arange(100, dtype=np.uint8).astype(dtype)
    array = np.where(np.arange(100) % 9 == 0, patterns, spectrum)
    assert lbj.loads(lbj.dumps(array)).tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counts_less_the_dark_signal_of_their_channels_shrink_like_counts(dtype):
    values, _, variance = eels(np.random.default_rng(5), pixels=60)
    counts = np.rint(100 * values)
    array = (counts - np.random.default_rng(6).random(counts.shape[1])).astype(dtype)
    array[7, 5], array[9, 9] = np.nextafter(array[7, 5], 0), -0.0
    blob = lbj.dumps(array)
    assert lbj.loads(blob).tobytes() == array.tobytes()
    entropy = np.sum(np.log2(np.sqrt(2 * np.pi * np.e * variance) * 100)) / 8
    assert len(blob) < 1.15 * entropy + 8 * counts.shape[1]


def test_a_value_that_no_offset_explains_is_kept():
    counts = np.rint(100 * eels(np.random.default_rng(5), pixels=20)[0])
    for value in (np.nan, np.inf, 3e38, 0.123):
        array = (counts - np.linspace(0.1, 0.8, counts.shape[1])).astype(np.float32)
        array[11, 8] = value
        assert lbj.loads(lbj.dumps(array)).tobytes() == array.tobytes()


def test_not_a_number_keeps_its_payload():
    array = np.rint(np.random.default_rng(0).normal(50, 9, (20, 100))).astype(np.float32)
    array.view(np.uint32)[3, [5, 6]] = [0x7F800001, 0xFFC12345]
    assert lbj.loads(lbj.dumps(array)).tobytes() == array.tobytes()


def test_whole_counts_take_little_more_than_the_entropy_of_their_noise():
    values, _, variance = eels(np.random.default_rng(1), pixels=600)
    array = np.rint(values).astype(np.float32)
    entropy = np.sum(np.log2(np.sqrt(2 * np.pi * np.e * variance))) / 8
    assert len(lbj.dumps(array)) < 1.03 * entropy
    assert len(lbj.dumps(array)) < 0.75 * len(zlib.compress(array.tobytes(), 9))


def test_floats_of_any_scale_take_little_more_than_the_entropy_of_their_noise():
    values, _, variance = eels(np.random.default_rng(1), pixels=600)
    for scale in (1e-20, 1.0, 1e20):
        array = (values * np.linspace(0.9, 1.1, values.shape[1]) * scale).astype(np.float32)
        sigma = np.sqrt(variance) * np.linspace(0.9, 1.1, values.shape[1]) * scale
        entropy = np.sum(np.log2(np.sqrt(2 * np.pi * np.e) * sigma) - np.log2(np.spacing(np.abs(array)).astype(float)))
        assert len(lbj.dumps(array)) < 1.05 * entropy / 8


def test_one_spectrum_shrinks_too():
    values, _, variance = eels(np.random.default_rng(2), pixels=1, channels=2000)
    array = np.rint(values[0]).astype(np.int32)
    entropy = np.sum(np.log2(np.sqrt(2 * np.pi * np.e * variance))) / 8
    assert len(lbj.dumps(array)) < 1.2 * entropy


@pytest.mark.parametrize("step", [0.5, 1.0, 3.0])
def test_quantised_values_keep_their_bound(step):
    values, expected, variance = eels(np.random.default_rng(3))
    array = values.astype(np.float32)
    # the noise model is given, so that the bound is known independently up to the prediction it is taken at
    blob = lbj.dumps(array, sigma=step, noise=(12.5, 64.0))
    error = np.abs(lbj.loads(blob).astype(np.float64) - array)
    highest = np.sqrt(12.5 * np.maximum(expected * 1.3 + 20, 0) + 64)
    assert np.all(error <= step / 2 * highest)
    assert error.max() > 0.45 * step * np.sqrt(variance.min())
    assert lbj.guarantee(blob).step == step
    assert len(blob) < array.nbytes * (np.log2(np.sqrt(2 * np.pi * np.e * (1 / step**2 + 1 / 12))) * 1.05 + 0.02) / 32


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.floats(-40, 40), st.sampled_from([0.25, 1.0, 2.0]))
def test_quantising_has_no_bias_and_adds_the_variance_it_states(seed, level, step):
    """Without any noise in the data, rounding to a lattice would be off by the same amount everywhere."""
    array = np.full((40, 250), level, np.float32)
    blob = lbj.dumps(array, sigma=step, noise=(0.0, 9.0))
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(array.size)[: array.size // 2]
    error = (lbj.loads(blob).astype(np.float64) - array).reshape(-1)[chosen] / 3
    variance = step**2 / 12  # of a uniform distribution
    assert abs(error.mean()) < 5 * np.sqrt(variance / error.size)
    # the variance of the variance of a uniform distribution is (1/80 - 1/144) step^4
    assert abs(error.var() - variance) < 5 * step**2 * np.sqrt((1 / 80 - 1 / 144) / error.size)
    assert np.abs(error).max() <= step / 2 * (1 + 1e-6)
    assert lbj.guarantee(blob).added_variance == pytest.approx(variance)


def test_error_does_not_depend_on_the_value():
    values, expected, _ = eels(np.random.default_rng(4), pixels=400)
    array = values.astype(np.float32)
    error = lbj.loads(lbj.dumps(array, sigma=2.0)).astype(np.float64) - array
    for quantity in (array, expected, np.broadcast_to(np.arange(400.0), array.shape)):
        correlation = np.corrcoef(quantity.reshape(-1), error.reshape(-1))[0, 1]
        assert abs(correlation) < 5 / np.sqrt(error.size)


def test_outliers_and_what_is_not_finite_come_back_exactly():
    values, _, _ = eels(np.random.default_rng(5))
    array = values.astype(np.float32)
    array[7, 100], array[9, :3], array[11, 200] = 1e6, [np.nan, np.inf, -np.inf], -3e38
    array.view(np.uint32)[12, 5] = 0x7F800001
    restored = lbj.loads(lbj.dumps(array, sigma=1.0))
    for place in ((7, 100), (9, 0), (9, 1), (9, 2), (11, 200), (12, 5)):
        assert restored[place].tobytes() == array[place].tobytes()


def test_quantised_detector_integers_come_back_as_floats_without_bias():
    values, _, variance = eels(np.random.default_rng(6))
    array = np.rint(values).astype(np.int16)
    restored = lbj.loads(lbj.dumps(array, sigma=1.0))
    assert restored.dtype == np.float32
    error = (restored - array) / np.sqrt(variance)
    assert abs(error.mean()) < 5 * np.sqrt(1 / 12 / error.size)


def test_a_rare_edge_keeps_its_significance():
    rng = np.random.default_rng(7)
    values, _, variance = eels(rng, pixels=900)
    values[:12, 300:340] += 4 * np.sqrt(variance[:12, 300:340].mean() / (12 * 40))
    array = values.astype(np.float32)
    restored = lbj.loads(lbj.dumps(array, sigma=1.0))
    noise = np.sqrt(variance[:12, 300:340].mean() / (12 * 40))
    before, after = ((cube[:12, 300:340].mean() - cube[12:, 300:340].mean()) / noise for cube in (array, restored))
    assert after > before - 3 / np.sqrt(12)  # three standard deviations of the added noise


def test_the_same_array_gives_the_same_bytes():
    values, _, _ = eels(np.random.default_rng(8), pixels=30)
    assert lbj.dumps(values, sigma=1.0) == lbj.dumps(values, sigma=1.0)


def test_a_few_spectra_are_quantised_too():
    values, _, _ = eels(np.random.default_rng(9), pixels=3, channels=1000)
    array = values.astype(np.float32)
    blob = lbj.dumps(array, sigma=1.0)
    assert len(blob) < array.nbytes / 9
    assert np.abs(lbj.loads(blob) - array).max() < 40


BLOCKS = [(0, 16), (70, 1), (110, 2), (150, 25)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int64"])
def test_blocks_are_exact_where_the_down_sampling_is_one(dtype):
    values, _, _ = eels(np.random.default_rng(10))
    array = np.rint(values).astype(dtype)
    restored = lbj.loads(lbj.dumps(array, blocks=BLOCKS))
    assert restored.dtype == array.dtype
    np.testing.assert_array_equal(restored[:, 70:110], array[:, 70:110])
    assert not np.array_equal(restored[:, 150:], array[:, 150:])


def test_blocks_follow_a_power_law_and_know_their_bias():
    energy = 300.0 + np.arange(400)
    level = np.linspace(50, 5000, 200)[:, None]
    array = (level * (energy / 300) ** -3.0).astype(np.float32)
    blob = lbj.dumps(array, blocks=BLOCKS)
    restored = lbj.loads(blob)
    assert np.abs(restored / array - 1).max() < 0.015
    bias = (restored.astype(np.float64) - array).mean(axis=0)
    np.testing.assert_allclose(lbj.bias(blob), bias, atol=2e-3 * np.abs(bias).max())
    assert np.all(lbj.bias(blob)[70:110] == 0)


def test_blocks_hold_noise_around_and_below_zero_without_much_bias():
    rng = np.random.default_rng(11)
    array = rng.normal(-2.0, 9.0, (4000, 400)).astype(np.float32)
    restored = lbj.loads(lbj.dumps(array, blocks=[(0, 20)])).astype(np.float64)
    assert np.abs(restored.mean() - array.mean()) < 0.1
    assert restored.min() < 0 < restored.max()


def test_guarantee_states_what_is_thrown_away():
    array = np.random.default_rng(12).normal(100, 10, (20, 400)).astype(np.float32)
    exact, quantised, blocks = (
        lbj.guarantee(lbj.dumps(array, **options)) for options in ({}, {"sigma": 2.0}, {"blocks": BLOCKS})
    )
    assert (exact.kind, exact.dose_thrown_away, exact.added_variance) == ("exact", 0.0, 0.0)
    assert quantised.kind == "noise-quantised"
    assert quantised.dose_thrown_away == pytest.approx(0.25)  # 1 - 1 / (1 + 4 / 12)
    assert blocks.samples == 5 + 40 + 20 + 10
    assert blocks.dose_thrown_away == pytest.approx(1 - 75 / 400)
    assert "exact" in str(exact)
    assert "25.0%" in str(quantised)
    assert "lossy" in str(blocks)


def test_raw_counts_are_corrected_when_read():
    rng = np.random.default_rng(13)
    raw = np.rint(eels(rng)[0]).astype(np.int16)
    dark, gain = rng.normal(5, 1, 400), 1 + 0.05 * rng.standard_normal(400)
    corrected = lbj.loads(lbj.dumps(raw, dark=dark, gain=gain))
    expected = (raw.astype(np.float32) - dark.astype(np.float32)) * gain.astype(np.float32)
    assert corrected.tobytes() == expected.tobytes()
    assert len(lbj.dumps(raw, dark=dark, gain=gain)) < 0.35 * len(lbj.dumps(corrected))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": 0.0}, "sigma"),
        ({"sigma": np.nan}, "sigma"),
        ({"sigma": 99.0}, "sigma"),
        ({"blocks": [(5, 2)]}, "begin with 0"),
        ({"blocks": [(0, 2), (0, 3)]}, "rising"),
        ({"blocks": [(0, 0)]}, "down-sampled by 0"),
        ({"blocks": [(0, 2), (40, 1)]}, "40 channels"),
        ({"blocks": [(0, 2)], "sigma": 1.0}, "exclude"),
        ({"dark": np.zeros(7)}, "do not fit"),
        ({"gain": np.full(40, np.nan)}, "finite"),
        ({"dark": np.zeros(40), "sigma": 1.0}, "references"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        lbj.dumps(np.ones((9, 40), np.float32), **options)


def test_blocks_of_what_is_not_finite_are_refused():
    array = np.ones((9, 40), np.float32)
    array[3, 3] = np.nan
    with pytest.raises(ValueError, match="finite"):
        lbj.dumps(array, blocks=[(0, 4)])
