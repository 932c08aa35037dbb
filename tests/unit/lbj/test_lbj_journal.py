"""A journal is sealed as it grows and compact when closed, and nothing is lost on the way."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daisy_bluesky import lbj
from daisy_bluesky.lbj import _compact, _writer

CHANNELS = 48
RATE = np.random.default_rng(0).gamma(0.3, 1.0, CHANNELS)


def spectra(n, seed=0, dtype=np.uint32):
    return np.random.default_rng(seed).poisson(RATE, (n, CHANNELS)).astype(dtype)


def append(writer, items, first=1):
    for seq_num, item in enumerate(items, first):
        writer.append(seq_num, item)


def rows(path):
    with lbj.Reader(path) as reader:
        return dict(zip(reader.seq_nums.tolist(), reader[:], strict=True))


def same(found, expected):
    return found.keys() == expected.keys() and all(np.array_equal(found[n], expected[n]) for n in expected)


def test_sealing_appends_and_alters_nothing(tmp_path):
    items = spectra(200)
    writer = lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS, block=500)
    before = b""
    for seq_num, item in enumerate(items):
        writer.append(seq_num, item)
        after = writer.path.read_bytes()
        assert after.startswith(before)
        before = after
        assert same(rows(writer.path), dict(enumerate(items[: seq_num + 1]))) if seq_num % 20 == 0 else True
    writer.close()
    assert same(rows(writer.path), dict(enumerate(items)))


def test_closing_makes_it_compact_and_leaves_nothing_beside_it(tmp_path):
    items = spectra(1500)
    with lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS) as writer:
        append(writer, items)
        writer.append(3, items[0])
        open_bytes = writer.nbytes
    assert writer.path.stat().st_size < open_bytes / 2
    assert [path.name for path in tmp_path.iterdir()] == ["f.lbj"]
    items[2] = items[0]
    assert same(rows(writer.path), dict(enumerate(items, 1)))


def test_readers_keep_what_they_have_mapped(tmp_path):
    items = spectra(1500)
    writer = lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS, block=3000)
    append(writer, items)
    with lbj.Reader(writer.path) as reader:
        assert np.array_equal(reader[4], items[4])
        old_bytes = reader.nbytes
        writer.close()
        np.testing.assert_array_equal(reader[:], items)
        assert reader.refresh() == len(items)
        assert reader.nbytes < old_bytes
        np.testing.assert_array_equal(reader[:], items)


def test_death_before_the_compact_form_is_in_place_loses_nothing(tmp_path, monkeypatch):
    items = spectra(1500)
    writer = lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS)
    append(writer, items)

    def dies(path, known):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_compact, "_keep_owner_and_mode", dies)
        with pytest.raises(KeyboardInterrupt):
            writer.close()
    assert same(rows(writer.path), dict(enumerate(items, 1)))
    _compact.compact_path(writer.path).write_bytes(b"half written")
    with lbj.Writer(writer.path, channels=CHANNELS, append=True) as writer:
        assert not _compact.compact_path(writer.path).exists()
        writer.append(5000, items[0])
    assert same(rows(writer.path), {**dict(enumerate(items, 1)), 5000: items[0]})


def test_full_disk_while_closing_is_told_and_loses_nothing(tmp_path, monkeypatch):
    items = spectra(1500)
    writer = lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS)
    append(writer, items)

    def full(file, path, enough):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_writer, "write_compact", full)
        with pytest.raises(OSError, match="No space"):
            writer.close()
    assert same(rows(writer.path), dict(enumerate(items, 1)))


def test_sealed_journal_cut_at_any_byte_keeps_every_item_that_was_whole(tmp_path):
    items = spectra(40)
    writer = lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS, block=150)
    ends = []
    for seq_num, item in enumerate(items):
        writer.append(seq_num % 30, item)
        ends.append(writer.nbytes)
    data, cut_path = writer.path.read_bytes(), tmp_path / "cut.lbj"
    expected, done = {}, 0
    first = ends[0] - 60
    for cut in range(max(first, 0), len(data) + 1):
        while done < len(ends) and ends[done] <= cut:
            expected[done % 30] = items[done]
            done += 1
        if cut < ends[0] or cut % 3:  # every third byte of the rest
            continue
        cut_path.write_bytes(data[:cut])
        with lbj.Reader(cut_path) as reader:
            found = dict(zip(reader.seq_nums.tolist(), reader[:], strict=True))
            assert reader.torn_bytes == cut - reader.nbytes
        missing = set(expected) - set(found)
        assert not missing
        assert all(np.array_equal(found[n], expected[n]) or done < len(ends) for n in expected)
        kept = {n: item for n, item in found.items() if not np.array_equal(item, expected.get(n))}
        assert len(kept) <= 1  # an item whose own record is whole, though its block is not
    writer.close()


def test_reopened_compact_file_takes_new_and_replaced_items(tmp_path):
    items, later = spectra(1500), spectra(900, seed=1)
    path = tmp_path / "f.lbj"
    with lbj.Writer(path, channels=CHANNELS) as writer:
        append(writer, items)
    with lbj.Writer(path, channels=CHANNELS, append=True) as writer:
        append(writer, later, first=1000)
        expected = {**dict(enumerate(items, 1)), **dict(enumerate(later, 1000))}
        assert same(rows(path), expected)
    assert same(rows(path), expected)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint64"])
def test_any_integer_type_is_sealed(tmp_path, dtype):
    items = spectra(1200).astype(dtype)
    if dtype == "int16":
        items[7, 3] = -5
    if dtype == "uint64":
        items[7, 3] = 2**64 - 1
    with lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS, dtype=dtype, block=2000) as writer:
        append(writer, items)
        assert same(rows(writer.path), dict(enumerate(items, 1)))
    assert same(rows(writer.path), dict(enumerate(items, 1)))


def test_group_commit_brings_records_to_the_disk_without_being_asked(tmp_path, monkeypatch):
    synced, reached = [], threading.Event()
    with lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS, sync_records=3) as writer:

        def sync():
            synced.append(len(writer))
            reached.set()

        monkeypatch.setattr(writer._commits, "_sync", sync)
        append(writer, spectra(2))
        assert synced == []
        append(writer, spectra(1), first=3)
        assert reached.wait(20)
    assert synced == [3]


def test_failed_group_commit_is_told_at_the_next_append(tmp_path, monkeypatch):
    failed = threading.Event()
    with lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS, sync_records=1) as writer:

        def sync():
            failed.set()
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(writer._commits, "_sync", sync)
        writer.append(1, spectra(1)[0])
        assert failed.wait(20)
        writer._commits._thread.join(20)
        with pytest.raises(OSError, match="Input/output"):
            writer.append(2, spectra(1)[0])


@pytest.mark.parametrize("kwargs", [{"sync_records": 0}, {"sync_interval": 0.0}, {"sync_interval": float("nan")}])
def test_group_commit_that_makes_no_sense_is_refused(tmp_path, kwargs):
    with pytest.raises(ValueError, match="positive"):
        lbj.Writer(tmp_path / "f.lbj", channels=CHANNELS, **kwargs)


SHAPE = (5, 4)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A closed file of small frames, one of large frames and one of spectra, and their contents."""
    folder = tmp_path_factory.mktemp("stored")
    rng = np.random.default_rng(4)
    arrays = {
        "spectra": rng.poisson(RATE, (1300, CHANNELS)).astype(np.uint32),
        "frames": rng.poisson(0.2, (60, *SHAPE, CHANNELS)).astype(np.uint16),
        "large": rng.poisson(0.01, (3, 40, 36, CHANNELS)).astype(np.int32),
    }
    for name, array in arrays.items():
        with lbj.Writer(
            folder / f"{name}.lbj", shape=array.shape[1:-1], channels=CHANNELS, dtype=array.dtype, block=9000
        ) as writer:
            append(writer, array)
    readers = {name: lbj.Reader(folder / f"{name}.lbj") for name in arrays}
    yield readers, arrays
    for reader in readers.values():
        reader.close()


@settings(deadline=None, max_examples=150)
@given(st.data(), st.sampled_from(["spectra", "frames", "large"]))
def test_any_part_is_what_numpy_gives(stored, data, name):
    reader, array = stored[0][name], stored[1][name]
    wanted = data.draw(st.lists(st.integers(0, len(array) - 1), max_size=5) | st.slices(len(array)))
    index = [
        data.draw(st.slices(length) | st.integers(-length, length - 1), label="axis") for length in array.shape[1:]
    ]
    np.testing.assert_array_equal(reader.part(wanted, index), array[wanted][(slice(None), *index)])


@pytest.mark.parametrize("name", ["spectra", "frames", "large"])
def test_sparse_and_lazy_forms_agree_with_the_array(stored, name):
    reader, array = stored[0][name], stored[1][name]
    window = slice(7, 31)
    part = array[1:3, ..., window]
    np.testing.assert_array_equal(reader.window(1, 3, channels=window), part)
    matrix = reader.csr(1, 3, channels=window)
    assert matrix.has_canonical_format
    np.testing.assert_array_equal(matrix.toarray(), part.reshape(-1, part.shape[-1]))
    assert matrix.dtype == array.dtype
    np.testing.assert_array_equal(reader.sparse(1, 3, channels=window).todense(), part)
    lazy = reader.dask(rows=2)
    assert (lazy.shape, lazy.dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(lazy[1:3].compute(), array[1:3])
    events = reader.events(2, channels=window)
    found = array[2].reshape(-1, array.shape[-2] if array.ndim > 2 else 1, CHANNELS)[..., window]
    np.testing.assert_array_equal(
        np.stack([events["row"], events["column"], events["channel"] - 7]), np.stack(np.nonzero(found))
    )
    np.testing.assert_array_equal(events["count"], found[found > 0])


def test_window_with_steps_is_refused(stored):
    with pytest.raises(ValueError, match="no steps"):
        stored[0]["spectra"].events(0, channels=slice(0, 40, 2))


def test_damaged_model_is_named(tmp_path):
    rng = np.random.default_rng(1)
    frames = rng.poisson(0.004, (20, 40, 40, CHANNELS)).astype(np.uint8)
    with lbj.Writer(tmp_path / "f.lbj", shape=(40, 40), channels=CHANNELS, dtype=np.uint8) as writer:
        append(writer, frames)
    data = bytearray(writer.path.read_bytes())
    with lbj.Reader(writer.path) as reader:
        np.testing.assert_array_equal(reader[:], frames)
        model = next(iter(reader._records._models))
    data[model + 25] ^= 1
    writer.path.write_bytes(data)
    with lbj.Reader(writer.path) as reader:
        np.testing.assert_array_equal(reader[0], frames[0])
        with pytest.raises(lbj.LBJError, match=f"spectral model at byte {model} is damaged"):
            reader[:]
