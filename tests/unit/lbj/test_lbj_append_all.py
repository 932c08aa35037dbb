"""Items appended together leave the file that they leave one by one, byte for byte."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daisy_bluesky import lbj

CHANNELS = 64


def written(path, pages, **header):
    """The bytes before and after closing: pages at once, and item by item."""
    contents = []
    for name, together in (("page.lbj", True), ("item.lbj", False)):
        writer = lbj.Writer(path / name, **header)
        for numbers, items in pages:
            if together:
                writer.append_all(numbers, items)
            else:
                for number, item in zip(numbers, items, strict=True):
                    writer.append(number, item)
        contents.append([writer.path.read_bytes()])
        writer.close()
        contents[-1].append(writer.path.read_bytes())
        writer.path.unlink()
    return contents


@given(
    st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=20), min_size=1, max_size=5),
    st.floats(0, 3),
    st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64, np.int32, np.float32]),
    st.sampled_from([1, 30, 2**14]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, deadline=None)
def test_pages_leave_the_bytes_of_single_items(tmp_path_factory, numbers, mean, dtype, block, seed):
    """Few counts and many, numbers that repeat in a page and between pages, blocks that become due in mid-page."""
    rng = np.random.default_rng(seed)
    pages = [(page, rng.poisson(mean * rng.random((len(page), CHANNELS)) ** 3).astype(dtype)) for page in numbers]
    in_pages, one_by_one = written(tmp_path_factory.mktemp("pages"), pages, channels=CHANNELS, dtype=dtype, block=block)
    assert in_pages == one_by_one


@pytest.mark.parametrize("largest", [1, 255, 2**16, 2**32 - 1])
def test_items_of_any_size_and_kind_leave_the_bytes_of_single_items(tmp_path, largest):
    """Full and empty spectra, lists of spectra, and other types than the file's."""
    rng = np.random.default_rng(1)
    spectra = rng.integers(0, largest, (6, 3, 400), np.uint32, endpoint=True)
    spectra[1], spectra[2, 1:] = 0, 0
    spectra[3:][rng.random((3, 3, 400)) < 0.9] = 0
    pages = [(range(6), spectra), (range(6, 12), spectra.astype(np.int64)), ([], spectra[:0])]
    in_pages, one_by_one = written(tmp_path, pages, shape=(3,), channels=400)
    assert in_pages == one_by_one


def test_what_cannot_be_written_is_refused(tmp_path):
    with lbj.Writer(tmp_path / "f.lbj", channels=4) as writer:
        with pytest.raises(ValueError, match="2 items for 1 sequence numbers"):
            writer.append_all([1], np.ones((2, 4), np.uint32))
        with pytest.raises(ValueError, match="item of shape"):
            writer.append_all([1, 2], np.ones((2, 5), np.uint32))
        with pytest.raises(ValueError, match="seq_num -1"):
            writer.append_all([1, -1], np.ones((2, 4), np.uint32))
        assert len(writer) == 0
    with pytest.raises(ValueError, match="is closed"):
        writer.append_all([1, 2], np.ones((2, 4), np.uint32))
