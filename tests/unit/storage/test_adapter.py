"""The adapter against numpy's own indexing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tiled.ndslice import NDBlock, NDSlice
from tiled.structures.array import ArrayStructure, BuiltinDtype

from daisy_bluesky.lbj import Writer
from daisy_bluesky.storage import LBJAdapter

SPECTRA = np.random.default_rng(0).poisson(1.0, (40, 32)).astype(np.uint32)
FRAMES = np.random.default_rng(1).poisson(0.1, (6, 5, 7, 20)).astype(np.uint32)


def written(path, array):
    with Writer(path, shape=array.shape[1:-1], channels=array.shape[-1], dtype=array.dtype) as writer:
        writer.append(2, np.zeros_like(array[1]))  # replaced by what comes below
        for seq_num, item in enumerate(array, 1):
            writer.append(seq_num, item)
    return path


def adapter(path, array, chunks):
    structure = ArrayStructure(
        data_type=BuiltinDtype.from_numpy_dtype(array.dtype), shape=array.shape, chunks=chunks, dims=None
    )
    return LBJAdapter([f"file://localhost{path}"], structure)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lbj")
    spectra = adapter(written(folder / "spectra.lbj", SPECTRA), SPECTRA, ((16, 16, 8), (32,)))
    frames = adapter(written(folder / "frames.lbj", FRAMES), FRAMES, ((1,) * 6, (2, 2, 1), (7,), (20,)))
    return {"spectra": (spectra, SPECTRA), "frames": (frames, FRAMES)}


@settings(max_examples=80, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", ["spectra", "frames"])
def test_any_slice_is_what_numpy_gives(served, name, data):
    lbj, array = served[name]
    index = data.draw(hnp.basic_indices(array.shape, allow_newaxis=False))
    index = index if isinstance(index, tuple) else (index,)
    expected = array[index]
    read = lbj.read(NDSlice(*index))
    np.testing.assert_array_equal(read, expected)
    assert read.dtype == expected.dtype


def test_a_block_is_its_part_of_the_array(served):
    lbj, array = served["frames"]
    np.testing.assert_array_equal(lbj.read_block(NDBlock(3, 1, 0, 0)), array[3:4, 2:4])
    np.testing.assert_array_equal(lbj.read_block(NDBlock(3, 1, 0, 0), NDSlice(0, 1)), array[3, 3])


def test_rows_that_were_appended_later_are_read_without_a_new_server(tmp_path):
    path = tmp_path / "growing.lbj"
    with Writer(path, channels=32, dtype=np.uint32) as writer:
        for seq_num in range(1, 41):
            writer.append(seq_num, SPECTRA[seq_num - 1])
            if seq_num == 10:
                np.testing.assert_array_equal(adapter(path, SPECTRA[:10], ((10,), (32,))).read(), SPECTRA[:10])
        np.testing.assert_array_equal(adapter(path, SPECTRA, ((40,), (32,))).read(), SPECTRA)


def test_only_the_tiles_and_bands_that_a_slice_touches_are_decoded(tmp_path, monkeypatch):
    from daisy_bluesky.lbj import _events_tile

    frames = np.random.default_rng(2).poisson(0.05, (3, 60, 64, 512)).astype(np.uint32)
    lbj = adapter(written(tmp_path / "frames.lbj", frames), frames, ((1,) * 3, (60,), (64,), (512,)))
    bands = []

    def counted(words, lengths, bounds, first, last, *rest, pop=_events_tile.pop_bands):
        bands.append((last - first, lengths.size))
        return pop(words, lengths, bounds, first, last, *rest)

    monkeypatch.setattr(_events_tile, "pop_bands", counted)
    np.testing.assert_array_equal(lbj.read(NDSlice(1, ..., slice(100, 110))), frames[1, ..., 100:110])
    assert sum(decoded for decoded, _ in bands) <= sum(there for _, there in bands) / 8
    bands.clear()
    np.testing.assert_array_equal(lbj.read(NDSlice(slice(0, 2), slice(0, 3))), frames[:2, :3])
    assert len(bands) == 2  # one tile of each frame


def test_only_the_records_that_a_slice_names_are_decoded(tmp_path):
    path = written(tmp_path / "damaged.lbj", SPECTRA)
    with Writer(tmp_path / "size.lbj", channels=32, dtype=np.uint32) as writer:
        for seq_num in range(1, 21):
            writer.append(seq_num, SPECTRA[seq_num - 1])
        middle = writer.nbytes
    with path.open("rb+") as file:  # a flipped byte somewhere in mid-file; the index at the end is whole
        file.seek(middle)
        byte = file.read(1)
        file.seek(middle)
        file.write(bytes([byte[0] ^ 0xFF]))
    lbj = adapter(path, SPECTRA, ((40,), (32,)))
    np.testing.assert_array_equal(lbj.read(NDSlice(slice(0, 10))), SPECTRA[:10])
    np.testing.assert_array_equal(lbj.read(NDSlice(slice(30, 40))), SPECTRA[30:])
    with pytest.raises(ValueError, match=r"damaged\.lbj"):
        lbj.read()
