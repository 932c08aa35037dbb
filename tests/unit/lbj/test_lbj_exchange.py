"""What goes from a journal to a file of another format and back, and what cannot."""

import numpy as np
import pytest

from daisy_bluesky import lbj


def lists(path, **changes):
    said = {"y": [0, 0], "x": [0, 0], "ch": [0, 1], "n": [1, 6], "shape": [1, 1, 2], **changes}
    np.savez(path, **said)
    return path


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_counts_come_back_in_their_own_type(tmp_path, dtype):
    limits = np.iinfo(dtype)
    data = np.array([limits.min, limits.max, 0, 1, 2, limits.max - 1, 0, 7], dtype).reshape(2, 2, 2)
    np.savez(tmp_path / "a.npz", data=data)
    lbj.convert(tmp_path / "a.npz", tmp_path / "a.lbj")
    lbj.convert(tmp_path / "a.lbj", tmp_path / "b.npz")
    lbj.convert(tmp_path / "b.npz", tmp_path / "b.lbj")
    with lbj.Reader(tmp_path / "b.lbj") as reader:
        assert reader.dtype == dtype
        np.testing.assert_array_equal(reader[0], data)


def test_lists_of_no_named_type_hold_what_they_hold(tmp_path):
    for name, counts, expected in (("small", [1, 6], "uint32"), ("large", [1, 2**40], "int64")):
        lbj.convert(lists(tmp_path / f"{name}.npz", n=counts), tmp_path / f"{name}.lbj")
        with lbj.Reader(tmp_path / f"{name}.lbj") as reader:
            assert reader.dtype == expected
            assert reader[0].ravel().tolist() == counts


def test_lists_of_a_place_twice_are_added_up(tmp_path):
    lbj.convert(lists(tmp_path / "a.npz", ch=[1, 1], n=[2**31, 2**31 - 1]), tmp_path / "a.lbj")
    with lbj.Reader(tmp_path / "a.lbj") as reader:
        assert reader[0].ravel().tolist() == [0, 2**32 - 1]


@pytest.mark.parametrize("sigma", [None, 1.0])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ch": [0, 0], "n": np.array([2**64 - 1, 6], np.uint64)}, "2\\*\\*62"),
        ({"ch": [0, 0], "n": np.array([2**32 - 1, 1])}, "holds"),
        ({"x": [0, -1]}, "outside"),
        ({"x": np.array([0, 2**64 - 1], np.uint64)}, "outside"),
        ({"ch": [0, 2]}, "outside"),
        ({"n": [300, 1], "dtype": "uint8"}, "holds"),
        ({"dtype": "float32"}, "no integer type"),
        ({"shape": [-1, 1, 2]}, "item shape"),
        ({"metadata": "{"}, "not JSON"),
        ({"y": np.array([0, None])}, "Python objects"),
    ],
)
def test_lists_that_cannot_be_are_refused_by_the_name_of_their_file(tmp_path, changes, message, sigma):
    source = lists(tmp_path / "a.npz", **changes)
    with pytest.raises(ValueError, match=message) as refused:
        lbj.convert(source, tmp_path / "a.lbj", sigma=sigma)
    assert str(refused.value).startswith(f"{source}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"offset": 0.5, "dispersion": 0.25},
        {"offset": 0.5, "dispersion": 0.25, "unit": "keV", "sample": "K412", "beam": {"keV": 20}},
        {"unit": "eV"},
    ],
)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_an_archive_keeps_what_a_journal_says_of_itself(tmp_path, metadata, dtype):
    with lbj.Writer(tmp_path / "a.lbj", shape=(2, 3), channels=4, dtype=dtype, metadata=metadata) as writer:
        writer.append(1, np.ones((2, 3, 4), dtype))
    lbj.convert(tmp_path / "a.lbj", tmp_path / "a.npz")
    lbj.convert(tmp_path / "a.npz", tmp_path / "b.lbj")
    with lbj.Reader(tmp_path / "b.lbj") as reader:
        assert dict(reader.metadata) == metadata


@pytest.mark.parametrize(
    "said", [{"data": np.ones((2, 3), complex)}, {"data": np.ones((2, 3)), "e_offset": np.nan, "e_scale": 1.0}]
)
def test_what_no_journal_can_hold_is_refused_by_the_name_of_its_file(tmp_path, said):
    np.savez(tmp_path / "a.npz", **said)
    with pytest.raises(ValueError, match=r"a\.npz: .*(dtype|metadata)"):
        lbj.convert(tmp_path / "a.npz", tmp_path / "a.lbj")


def test_names_in_an_archive_that_are_not_asked_for_do_no_harm(tmp_path):
    np.savez(tmp_path / "a.npz", data=np.ones((2, 3), np.float32), notes=np.array(["mine", None]))
    lbj.convert(tmp_path / "a.npz", tmp_path / "a.lbj")
    with lbj.Reader(tmp_path / "a.lbj") as reader:
        np.testing.assert_array_equal(reader[0], np.ones((2, 3)))
