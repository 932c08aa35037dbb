"""Whatever happens to a file: its rows up to there, or an error; never other values."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from daisy_bluesky import lbj

CHANNELS = 24


def spectrum(seed):
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.choice([0.0, 0.1, 3.0, 1e6], CHANNELS)).astype(np.uint32)


class AnyHistory(RuleBasedStateMachine):
    """A writer that appends, replaces, closes, dies and comes back, against a dictionary."""

    @initialize()
    def create(self):
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "journal.lbj"
        self.writer = None
        self.versions = []  # (bytes of the file, rows) after each append since the header
        self.reopen()
        self.reader = lbj.Reader(self.path)

    def rows(self):
        return self.versions[-1][1]

    def reopen(self):
        if self.writer is None:
            self.writer = lbj.Writer(self.path, channels=CHANNELS, append=True)
            if not self.versions:
                self.versions = [(self.writer.nbytes, {})]

    @rule(seq_num=st.integers(0, 8), seed=st.integers(0, 2**16))
    def append(self, seq_num, seed):
        self.reopen()
        item = spectrum(seed)
        self.writer.append(seq_num, item)
        self.versions.append((self.writer.nbytes, {**self.rows(), seq_num: item}))

    @rule()
    def close(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    @rule(share=st.floats(0, 1), junk=st.binary(max_size=30))
    def die_at_any_byte(self, share, junk):
        """Cut the file anywhere behind its header, with what a dying disk may leave there."""
        self.reopen()
        self.writer._file.close(sync=False)
        self.writer = None
        first, size = self.versions[0][0], self.path.stat().st_size
        cut = first + round(share * (size - first))
        with self.path.open("r+b") as file:
            file.truncate(cut)
            file.seek(cut)
            file.write(junk)
        self.versions = [version for version in self.versions if version[0] <= cut]
        self.reader.close()
        self.reader = lbj.Reader(self.path)

    @invariant()
    def reader_yields_exactly_what_was_appended(self):
        if not hasattr(self, "reader"):
            return
        self.reader.refresh()
        with lbj.Reader(self.path) as fresh:
            for reader in (self.reader, fresh):
                expected = self.rows()
                assert reader.seq_nums.tolist() == sorted(expected)
                for item, seq_num in zip(reader[:], sorted(expected), strict=True):
                    np.testing.assert_array_equal(item, expected[seq_num])

    def teardown(self):
        if hasattr(self, "reader"):
            self.close()
            self.reader.close()
            shutil.rmtree(self.folder)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(deadline=None, max_examples=60, stateful_step_count=20)


@pytest.fixture(scope="module", params=["open", "closed", "reopened"])
def history(request, tmp_path_factory):
    """Bytes of a file, its rows after each record, and where each record ends."""
    path = tmp_path_factory.mktemp("history") / "journal.lbj"
    items = [(1, spectrum(3)), (2, spectrum(4)), (1, spectrum(5)), (4, spectrum(6))]
    versions = []
    for seq_num, item in items:
        writer = lbj.Writer(path, channels=CHANNELS, append=True)
        versions = versions or [(writer.nbytes, {})]
        writer.append(seq_num, item)
        versions.append((writer.nbytes, {**versions[-1][1], seq_num: item}))
        if request.param == "reopened" or (request.param == "closed" and seq_num == 4):
            writer.close()
        writer._file.close(sync=False)
    return path.read_bytes(), versions


def read(path):
    with lbj.Reader(path) as reader:
        return {int(seq_num): reader[row] for row, seq_num in enumerate(reader.seq_nums)}


def same(found, expected):
    return found.keys() == expected.keys() and all(np.array_equal(found[n], expected[n]) for n in expected)


def test_file_cut_at_any_byte_yields_the_prefix_and_can_be_gone_on_with(history, tmp_path):
    data, versions = history
    path = tmp_path / "cut.lbj"
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        whole = [rows for end, rows in versions if end <= cut]
        if not whole:
            with pytest.raises(lbj.LBJError):
                lbj.Reader(path)
            expected = {}
        else:
            expected = whole[-1]
            assert same(read(path), expected)
        with lbj.Writer(path, channels=CHANNELS, append=True) as writer:
            writer.append(9, spectrum(9))
        assert same(read(path), {**expected, 9: spectrum(9)})


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_any_flipped_byte_yields_an_error_a_prefix_or_the_data(history, tmp_path, flip):
    data, versions = history
    path = tmp_path / "flipped.lbj"
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= flip
        path.write_bytes(damaged)
        try:
            found = read(path)
        except lbj.LBJError:
            assert place < versions[-1][0]  # where only the index is hit, nothing is lost
        else:
            assert any(same(found, rows) for _, rows in versions)
            assert place < versions[-1][0] or same(found, versions[-1][1])
        with_salvage(path, versions, place)


def with_salvage(path, versions, place):
    """Whatever a salvaging reader still finds was appended, and all that lies before the damage is found."""
    if place < versions[0][0]:
        return
    with lbj.Reader(path, salvage=True) as reader:
        found = {int(seq_num): reader[row] for row, seq_num in enumerate(reader.seq_nums)}
    for seq_num, item in found.items():
        assert any(seq_num in rows and np.array_equal(rows[seq_num], item) for _, rows in versions)
    assert found.keys() >= [rows for end, rows in versions if end <= place][-1].keys()


def test_random_damage_never_yields_other_values(history, tmp_path):
    data, versions = history
    rng = np.random.default_rng(7)
    path = tmp_path / "random.lbj"
    for _ in range(300):
        damaged = bytearray(data)
        start, length = int(rng.integers(len(data))), int(rng.integers(1, 60))
        damaged[start : start + length] = rng.bytes(length) if rng.random() < 0.7 else bytes(length)
        path.write_bytes(damaged)
        try:
            found = read(path)
        except lbj.LBJError:
            continue
        assert any(same(found, rows) for _, rows in versions)
