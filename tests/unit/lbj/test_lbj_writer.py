"""What a writer leaves behind: after appending, replacing, re-opening, failing and being refused."""

import threading

import numpy as np
import pytest

from daisy_bluesky import lbj

SPECTRUM = np.arange(16, dtype=np.uint32)


def rows(path):
    with lbj.Reader(path) as reader:
        return {int(seq_num): reader[row].tolist() for row, seq_num in enumerate(reader.seq_nums)}


def test_rows_are_sorted_and_the_last_item_of_a_number_wins(tmp_path):
    with lbj.Writer(tmp_path / "f.lbj", channels=16) as writer:
        for seq_num, factor in ((5, 1), (2, 2), (5, 3), (0, 4)):
            writer.append(seq_num, factor * SPECTRUM)
        assert len(writer) == 3
    assert rows(writer.path) == {n: (f * SPECTRUM).tolist() for n, f in ((0, 4), (2, 2), (5, 3))}
    assert list(rows(writer.path)) == [0, 2, 5]


def test_appended_items_are_with_the_operating_system_at_once(tmp_path):
    writer = lbj.Writer(tmp_path / "f.lbj", channels=16)
    with lbj.Reader(writer.path) as reader:
        for n in range(5):
            writer.append(n, n * SPECTRUM)
            writer.flush()
            assert reader.refresh() == n + 1
            np.testing.assert_array_equal(reader[n], n * SPECTRUM)
        writer.close()
        assert reader.refresh() == 5
        assert reader.nbytes == writer.path.stat().st_size


def test_reopening_goes_on_and_leaves_what_is_there(tmp_path):
    path = tmp_path / "f.lbj"
    with lbj.Writer(path, channels=16, metadata={"unit": "keV"}, append=True) as writer:
        writer.append(1, SPECTRUM)
    before = path.read_bytes()
    with lbj.Writer(path, channels=16, append=True) as writer:
        assert writer.header.metadata == {"unit": "keV"}
        writer.append(1, 2 * SPECTRUM)
        writer.append(3, SPECTRUM)
    assert path.read_bytes().startswith(before)
    assert rows(path) == {1: (2 * SPECTRUM).tolist(), 3: SPECTRUM.tolist()}


def test_opening_and_closing_without_a_change_writes_nothing(tmp_path):
    path = tmp_path / "f.lbj"
    with lbj.Writer(path, channels=16) as writer:
        writer.append(1, SPECTRUM)
    before = path.read_bytes()
    lbj.Writer(path, channels=16, append=True).close()
    assert path.read_bytes() == before


def test_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "f.lbj").write_text("precious")
    with pytest.raises(FileExistsError, match="append=True"):
        lbj.Writer(tmp_path / "f.lbj", channels=16)
    with pytest.raises(lbj.LBJError, match="not a listed-bin-journal"):
        lbj.Writer(tmp_path / "f.lbj", channels=16, append=True)
    assert (tmp_path / "f.lbj").read_text() == "precious"


@pytest.mark.parametrize(
    "other", [{"channels": 17}, {"shape": (2,)}, {"dtype": np.int32}, {"metadata": {"unit": "eV"}}, {"metadata": {}}]
)
def test_file_of_other_items_is_not_gone_on_with(tmp_path, other):
    path = tmp_path / "f.lbj"
    lbj.Writer(path, channels=16, metadata={"unit": "keV"}).close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="holds"):
        lbj.Writer(path, append=True, **{"channels": 16, **other})
    assert path.read_bytes() == before


def test_file_damaged_in_the_middle_is_not_gone_on_with(tmp_path):
    writer = lbj.Writer(tmp_path / "f.lbj", channels=16)
    writer.append(1, SPECTRUM)
    place = writer.nbytes
    writer.append(2, SPECTRUM)
    writer.append(3, SPECTRUM)
    data = bytearray(writer.path.read_bytes())
    writer.close()
    data[place + 25] ^= 1
    writer.path.write_bytes(data)
    with pytest.raises(lbj.LBJError, match=f"byte {place}.*salvage"):
        lbj.Writer(writer.path, channels=16, append=True)
    assert writer.path.read_bytes() == data


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"channels": 0}, "channel"),
        ({"channels": 4, "shape": (-1,)}, "axis"),
        ({"channels": 2**31}, "axis"),
        ({"channels": 2**20, "shape": (2**21,)}, "voxels"),
        ({"channels": 4, "dtype": complex}, "complex"),
        ({"channels": 4, "dtype": "S4"}, "dtype"),
        ({"channels": 4, "metadata": {"a": float("nan")}}, "JSON"),
        ({"channels": 4, "metadata": {"a": object()}}, "JSON"),
        ({"channels": 4, "metadata": {"a": "x" * 2**24}}, "longer"),
    ],
)
def test_what_cannot_be_described_is_refused_and_no_file_made(tmp_path, kwargs, message):
    with pytest.raises(ValueError, match=message):
        lbj.Writer(tmp_path / "f.lbj", **kwargs)
    assert not (tmp_path / "f.lbj").exists()


@pytest.mark.parametrize(
    ("seq_num", "item", "message"),
    [
        (1, SPECTRUM[:-1], "shape"),
        (1, SPECTRUM[None], "shape"),
        (1, SPECTRUM.astype(float), "float64"),
        (1, SPECTRUM.astype(np.int64) - 1, "signed"),
        (1, SPECTRUM.astype(np.uint64) << np.uint64(40), "wider"),
        (-1, SPECTRUM, "seq_num"),
        (2**63, SPECTRUM, "seq_num"),
    ],
)
def test_item_that_does_not_fit_is_refused(tmp_path, seq_num, item, message):
    with lbj.Writer(tmp_path / "f.lbj", channels=16) as writer:
        with pytest.raises(ValueError, match=message):
            writer.append(seq_num, item)
        writer.append(2**63 - 1, SPECTRUM.astype(np.int64))
    assert rows(writer.path) == {2**63 - 1: SPECTRUM.tolist()}


def test_closed_writer_says_so(tmp_path):
    writer = lbj.Writer(tmp_path / "f.lbj", channels=16)
    writer.close()
    writer.close()
    for use in (lambda: writer.append(1, SPECTRUM), writer.flush, writer.sync):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_second_writer_is_kept_out(tmp_path):
    with lbj.Writer(tmp_path / "f.lbj", channels=16) as writer:
        with pytest.raises(BlockingIOError, match="another writer"):
            lbj.Writer(writer.path, channels=16, append=True)
        writer.append(1, SPECTRUM)
    assert rows(writer.path) == {1: SPECTRUM.tolist()}


def test_appending_goes_on_while_another_thread_syncs(tmp_path):
    with lbj.Writer(tmp_path / "f.lbj", channels=16) as writer:
        done = threading.Event()
        failures = []

        def sync():
            try:
                while not done.is_set():
                    writer.sync()
            except (OSError, ValueError) as error:
                failures.append(error)

        threads = [threading.Thread(target=sync) for _ in range(2)]
        for thread in threads:
            thread.start()
        for n in range(500):
            writer.append(n, n * SPECTRUM)
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert rows(writer.path) == {n: (n * SPECTRUM).tolist() for n in range(500)}


def test_appending_from_several_threads_loses_nothing(tmp_path):
    with lbj.Writer(tmp_path / "f.lbj", channels=16) as writer:

        def write(start):
            for n in range(start, 400, 4):
                writer.append(n, n * SPECTRUM)

        threads = [threading.Thread(target=write, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert rows(writer.path) == {n: (n * SPECTRUM).tolist() for n in range(400)}


class Interrupted:
    """A file that takes one byte at a time and is interrupted at the eleventh."""

    def __init__(self, file):
        self.file, self.left = file, 10

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return self.file.write(data[:1])


def test_interrupted_append_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    with lbj.Writer(tmp_path / "f.lbj", channels=16) as writer:
        writer.append(1, SPECTRUM)
        before = writer.path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(writer._file, "_file", Interrupted(writer._file._file))
            with pytest.raises(KeyboardInterrupt):
                writer.append(2, SPECTRUM)
        assert writer.path.read_bytes() == before
        writer.append(3, SPECTRUM)
    assert rows(writer.path) == {1: SPECTRUM.tolist(), 3: SPECTRUM.tolist()}
