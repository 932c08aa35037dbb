"""An array goes through a blob, or a file, exactly."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daisy_bluesky import lbj

INTEGERS = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
TYPES = ["bool", *INTEGERS, "float16", "float32", "float64"]
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=9).filter(lambda shape: shape[-1] > 0)
ARRAYS = st.one_of(hnp.arrays(np.dtype(name), SHAPES) for name in TYPES)


@st.composite
def spectra(draw):
    """Spectra as a detector gives them: any density, any size of count, any integer type."""
    dtype = np.dtype(draw(st.sampled_from(INTEGERS)))
    seed, occupied = draw(st.integers(0, 2**32)), draw(st.sampled_from([0.0, 0.01, 0.3, 0.7, 1.0]))
    bits = draw(st.integers(1, 8 * dtype.itemsize))
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 2**64, 700, np.uint64) >> np.uint64(64 - bits)
    return np.where(rng.random(700) < occupied, counts, 0).astype(dtype)


@settings(deadline=None)
@given(ARRAYS)
def test_any_array_is_restored_bit_by_bit(array):
    restored = lbj.loads(lbj.dumps(array))
    assert (restored.dtype, restored.shape) == (array.dtype, array.shape)
    assert restored.tobytes() == array.tobytes()


@settings(deadline=None)
@given(spectra())
def test_any_spectrum_is_restored_and_never_much_larger_than_raw(spectrum):
    blob = lbj.dumps(spectrum)
    np.testing.assert_array_equal(lbj.loads(blob), spectrum)
    assert len(blob) <= spectrum.nbytes + 120


@pytest.mark.parametrize("dtype", INTEGERS)
def test_extremes_of_each_type_are_restored(dtype):
    limits = np.iinfo(dtype)
    for extreme in (limits.min, limits.max):
        for around in (0, 1):
            spectrum = np.full(300, around, dtype)
            spectrum[[0, 150, 299]] = extreme
            np.testing.assert_array_equal(lbj.loads(lbj.dumps(spectrum)), spectrum)


def test_layout_and_byte_order_of_the_source_do_not_matter():
    cube = np.arange(24, dtype=">i4").reshape(2, 3, 4).transpose(2, 0, 1)
    restored = lbj.loads(lbj.dumps(cube))
    np.testing.assert_array_equal(restored, cube)
    assert restored.dtype == np.int32


def test_sparse_cube_shrinks_as_the_entropy_of_its_gaps_demands():
    rng = np.random.default_rng(3)
    cube = (rng.random((32, 32, 1024)) < 0.0004).astype(np.uint32)
    density = cube.mean()
    entropy = -(density * np.log2(density) + (1 - density) * np.log2(1 - density)) * cube.size / 8  # bytes
    assert len(lbj.dumps(cube)) < 1.15 * entropy + 120


def test_spectrum_of_7500_counts_takes_less_than_a_deflated_one():
    rng = np.random.default_rng(4)
    energy = np.arange(2048) * 0.01
    expected = 0.3 * np.exp(-energy / 6) + sum(
        9 * np.exp(-0.5 * ((energy - line) / 0.06) ** 2) for line in (0.52, 1.74, 6.4, 7.05, 8.04)
    )
    spectrum = rng.poisson(7500 * expected / expected.sum()).astype(np.uint32)
    assert len(lbj.dumps(spectrum)) < len(zlib.compress(spectrum.tobytes(), 9))


def test_label_map_is_deflated():
    label_map = np.repeat(np.arange(1, 5, dtype=np.uint8), 4096).reshape(128, 128)
    assert len(lbj.dumps(label_map)) < 300


@pytest.mark.parametrize("array", [np.float64(3), np.zeros((3, 0)), np.zeros(3, complex), np.array(["a"]), [None]])
def test_what_cannot_be_stored_is_refused(array):
    with pytest.raises(ValueError, match=r"channel|convert"):
        lbj.dumps(array)


@settings(deadline=None)
@given(ARRAYS, st.data())
def test_cut_blob_is_refused(array, data):
    blob = lbj.dumps(array)
    cut = data.draw(st.integers(0, len(blob) - 1))
    with pytest.raises(lbj.LBJError):
        lbj.loads(blob[:cut])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(lbj.LBJError):
        lbj.loads(data)


def test_every_flipped_bit_is_noticed():
    blob = lbj.dumps(np.arange(40, dtype=np.int16) % 7 - 3)
    for bit in range(8 * len(blob)):
        damaged = bytearray(blob)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(lbj.LBJError):
            lbj.loads(bytes(damaged))


@pytest.mark.parametrize("options", [{"dark": 4e38}, {"gain": 1e39}, {"dark": np.nan}, {"gain": "2"}])
def test_reference_that_could_not_be_read_is_refused(tmp_path, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"the {name} reference must be finite"):
        lbj.dumps(np.ones(8, np.uint8), **options)
    with pytest.raises(ValueError, match=f"the {name} reference must be finite"):
        lbj.Writer(tmp_path / "f.lbj", channels=8, **options)
    assert not (tmp_path / "f.lbj").exists()


def test_largest_reference_is_read_and_a_larger_one_refused():
    raw = np.ones((2048, 2048), np.uint8)
    np.testing.assert_array_equal(lbj.loads(lbj.dumps(raw, gain=np.full(raw.shape, 2.0))), 2 * raw)
    with pytest.raises(ValueError, match=r"dark and gain \(2049, 2048\) of more than 4194304 values.*give"):
        lbj.dumps(np.ones((2049, 2048), np.uint8), gain=np.ones((2049, 2048)))


def test_references_that_do_not_compress_are_named_where_they_are_too_long():
    noise = np.random.default_rng(0).random((2048, 2048))
    with pytest.raises(ValueError, match=r"dark and gain references of .* longer"):
        lbj.dumps(np.ones((2048, 2048), np.uint8), gain=noise)


def test_no_spectra_down_sampled_are_no_spectra():
    blob = lbj.dumps(np.ones((0, 8), np.float32), blocks=[(0, 2)])
    assert lbj.loads(blob).shape == (0, 8)
    assert lbj.guarantee(blob).kind == "blocks"
    assert lbj.bias(blob).tolist() == [0.0] * 8
