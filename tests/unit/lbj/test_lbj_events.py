"""Event lists stand for the dense item they add up to."""

import contextlib
import resource

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daisy_bluesky import lbj

ROWS, COLUMNS, CHANNELS = 4, 3, 50
EVENT = st.tuples(
    st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1), st.integers(0, CHANNELS - 1), st.integers(0, 9)
)
FIELDS = [("row", np.int16), ("column", np.int16), ("channel", np.uint16), ("count", np.int32)]


def dense(events):
    item = np.zeros((ROWS, COLUMNS, CHANNELS), np.uint32)
    np.add.at(item, (events["row"], events["column"], events["channel"]), events["count"])
    return item


def list_of(item):
    row, column, channel = np.nonzero(item)
    return list(zip(row, column, channel, item[row, column, channel], strict=True))


@settings(deadline=None, max_examples=50)
@given(st.lists(EVENT, max_size=500))
def test_events_become_the_dense_item_and_come_back_summed(tmp_path_factory, events):
    events = np.array(events, FIELDS)
    with lbj.Writer(
        tmp_path_factory.mktemp("events") / "events.lbj", shape=(ROWS, COLUMNS), channels=CHANNELS
    ) as writer:
        writer.append(5, events)
        writer.append(6, dense(events))
    with lbj.Reader(writer.path) as reader:
        np.testing.assert_array_equal(reader[0], dense(events))
        assert [tuple(event) for event in reader.events(0).tolist()] == list_of(dense(events))
        np.testing.assert_array_equal(reader.events(0), reader.events(-1))
        assert reader.events(0)["count"].dtype == np.uint32


def test_events_without_count_are_single_photons(tmp_path):
    photons = np.array([(7,), (3,), (7,)], [("channel", np.uint16)])
    with lbj.Writer(tmp_path / "photons.lbj", channels=10) as writer:
        writer.append(1, photons)
    with lbj.Reader(writer.path) as reader:
        assert reader.events(0).tolist() == [(0, 0, 3, 1), (0, 0, 7, 2)]


def test_large_frame_of_few_events_is_never_made_dense(tmp_path):
    rng = np.random.default_rng(1)
    events = np.empty(1000, [("row", int), ("column", int), ("channel", int)])
    events["row"], events["column"], events["channel"] = rng.integers(0, 2**12, (3, 1000))
    with lbj.Writer(tmp_path / "frame.lbj", shape=(2**12, 2**12), channels=2**12) as writer:
        writer.append(1, events)  # 256 GiB as an array
    assert writer.path.stat().st_size < 5000
    with lbj.Reader(writer.path) as reader:
        found = reader.events(0)
        assert found["count"].sum() == 1000
        assert set(zip(*(found[name].tolist() for name in ("row", "column", "channel")), strict=True)) == set(
            events.tolist()
        )


@pytest.mark.parametrize("rows", [[], [0], [2**19 + 77], [2**20 - 1], [5, 2**20 - 1]])
def test_lone_events_in_the_largest_item(tmp_path, rows):
    events = np.zeros(len(rows), [("row", int), ("column", int), ("channel", int), ("count", np.uint64)])
    events["row"], events["column"], events["channel"], events["count"] = rows, 2**10 - 3, 2**10 - 1, 2**62
    with lbj.Writer(tmp_path / "large.lbj", shape=(2**20, 2**10), channels=2**10, dtype="u8") as writer:
        writer.append(1, events)
    with lbj.Reader(writer.path) as reader:
        assert reader.events(0).tolist() == events.tolist()


def test_signed_counts_and_further_axes(tmp_path):
    item = np.zeros((2, 3, 4, 5), np.int8)
    item[0, 2, 1, 4], item[1, 2, 3, 0] = -128, 127
    with lbj.Writer(tmp_path / "stack.lbj", shape=(2, 3, 4), channels=5, dtype=np.int8) as writer:
        writer.append(0, item)
    with lbj.Reader(writer.path) as reader:
        events = reader.events(0)
        assert events.tolist() == [(2, 1, 4, -128), (5, 3, 0, 127)]
        with lbj.Writer(tmp_path / "again.lbj", shape=(2, 3, 4), channels=5, dtype=np.int8) as again:
            again.append(0, events)
    with lbj.Reader(again.path) as reader:
        np.testing.assert_array_equal(reader[0], item)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (np.array([(0, 0, 50)], FIELDS[:3]), "channel.*outside"),
        (np.array([(-1, 0, 5)], FIELDS[:3]), "row.*outside"),
        (np.array([(0, 5)], FIELDS[1:3]), "no field 'row'"),
        (np.array([(0, 0)], FIELDS[:2]), "no field 'channel'"),
        (np.array([(0, 0, 1, -1)], FIELDS), "more than uint32 holds"),
        (np.array([(0, 0, 1, 2**32)], [*FIELDS[:3], ("count", np.uint64)]), "more than uint32 holds"),
        (np.array([(0, 0, 1, 2**62)] * 4, [*FIELDS[:3], ("count", np.uint64)]), "add up"),
        (np.array([(0, 0, 1, 0.5)], [*FIELDS[:3], ("count", float)]), "whole numbers"),
        (np.array([(0, 0, 0.5)], [*FIELDS[:2], ("channel", float)]), "whole numbers"),
    ],
)
def test_events_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path, events, message):
    with lbj.Writer(tmp_path / "events.lbj", shape=(ROWS, COLUMNS), channels=CHANNELS) as writer:
        before = writer.nbytes
        with pytest.raises(ValueError, match=message):
            writer.append(1, events)
        assert writer.nbytes == before


def test_events_are_counts_not_floats(tmp_path):
    with lbj.Writer(tmp_path / "eels.lbj", channels=4, dtype=np.float32) as writer:
        with pytest.raises(ValueError, match="float32"):
            writer.append(1, np.array([(1,)], [("channel", int)]))
        writer.append(1, np.ones(4, np.float32))
    with lbj.Reader(writer.path) as reader, pytest.raises(ValueError, match="not counts"):
        reader.events(0)


def test_an_item_said_to_be_huge_costs_what_is_in_it(tmp_path):
    shape, channels = (2**20, 2**6), 2**12  # a terabyte of uint32
    events = np.zeros(3, [("row", np.int64), ("column", np.int64), ("channel", np.int64), ("count", np.int64)])
    events["row"], events["column"], events["channel"], events["count"] = [0, 7, 2**20 - 1], [5, 0, 63], [9, 8, 4095], 6
    with lbj.Writer(tmp_path / "huge.lbj", shape=shape, channels=channels) as writer:
        writer.append(1, events)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with lbj.Reader(tmp_path / "huge.lbj") as reader:
        read = reader.events(0)
        assert [tuple(int(value) for value in event) for event in read] == [
            (0, 5, 9, 6),
            (7, 0, 8, 6),
            (2**20 - 1, 63, 4095, 6),
        ]
        assert reader.events(0, channels=slice(8, 10))["channel"].tolist() == [9, 8]
        assert reader.part([0], [slice(5, 9), slice(0, 3), slice(8, 9)]).sum() == 6
        with contextlib.suppress(lbj.LBJError):  # where memory holds it, only what is in it is touched
            assert reader[0][7, 0, 8] == 6
        assert reader.dask().shape == (1, *shape, channels)
    assert lbj.verify(tmp_path / "huge.lbj") == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 2**18  # KiB


def test_a_matrix_of_too_many_pixels_is_refused(tmp_path):
    events = np.zeros(1, [("row", np.int64), ("column", np.int64), ("channel", np.int64)])
    with lbj.Writer(tmp_path / "huge.lbj", shape=(2**20, 2**8), channels=2) as writer:
        writer.append(1, events)
    with lbj.Reader(tmp_path / "huge.lbj") as reader, pytest.raises(ValueError, match="sparse"):
        reader.csr(0, 1)
