"""``daisy-bluesky lbj`` as a user meets it: info, verify, repair, convert."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from daisy_bluesky import lbj
from daisy_bluesky.cli import main
from daisy_bluesky.specimen import RecordedSpecimen

ORIGINALS = Path(__file__).resolve().parents[4] / "shared" / "data" / "originals"


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["daisy-bluesky", "lbj", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return end.value.code or 0, said.out, said.err

    return call


def one_line(error):
    return error.count("\n") == 1 and "Traceback" not in error


@pytest.fixture
def journal(tmp_path):
    rng = np.random.default_rng(0)
    items = rng.poisson(0.4, (200, 64)).astype(np.uint32)
    path = tmp_path / "journal.lbj"
    with lbj.Writer(path, channels=64, metadata={"offset": 0.1, "dispersion": 0.01, "unit": "keV"}) as writer:
        for number, item in enumerate(items, 1):
            writer.append(number, item)
    return SimpleNamespace(path=path, items=items)


@pytest.fixture
def open_journal(tmp_path):
    """A journal whose writer has not closed it, and where its records begin."""
    rng = np.random.default_rng(0)
    items = rng.poisson(0.4, (30, 64)).astype(np.uint32)
    source, path = tmp_path / "source.lbj", tmp_path / "open.lbj"
    writer = lbj.Writer(source, channels=64)
    places = []
    for number, item in enumerate(items, 1):
        places.append(writer.nbytes)
        writer.append(number, item)
    path.write_bytes(source.read_bytes())
    writer.close()
    return SimpleNamespace(path=path, items=items, places=places)


@pytest.fixture
def image(tmp_path):
    data = np.random.default_rng(1).normal(100, 10, (12, 15, 80)).astype(np.float32)
    np.savez(tmp_path / "image.npz", data=data, e_offset=280.0, e_scale=0.5, unit="eV")
    return data


def test_info_says_what_a_file_holds_and_promises(command, journal):
    code, out, err = command("info", journal.path)
    assert (code, err) == (0, "")
    assert "200 of (64,) uint32" in out
    assert "exact" in out
    assert f"{journal.path.stat().st_size:,}" in out
    assert "keV" in out


def test_info_tells_of_a_torn_tail(command, open_journal):
    open_journal.path.write_bytes(open_journal.path.read_bytes()[:-3])
    code, out, _ = command("info", open_journal.path)
    assert code == 0
    assert "torn" in out
    assert "29 of" in out


def test_info_tells_the_dose_that_is_thrown_away(command, image):
    assert command("convert", "image.npz", "image.lbj", "--sigma", "2")[0] == 0
    _, out, _ = command("info", "image.lbj")
    assert "25.0% of the dose" in out
    assert "noise-quantised" in out


def test_verify_finds_nothing_in_a_whole_file(command, journal):
    assert command("verify", journal.path) == (0, f"{journal.path}: whole\n", "")


@pytest.mark.parametrize("item", [0, 11, 29])
def test_verify_says_where_a_file_is_damaged(command, open_journal, item):
    data = bytearray(open_journal.path.read_bytes())
    data[open_journal.places[item] + 21] ^= 1
    open_journal.path.write_bytes(data)
    code, _, err = command("verify", open_journal.path)
    assert code == 2
    assert one_line(err)
    assert f"byte {open_journal.places[item]}:" in err


def test_verify_notices_every_flipped_bit(open_journal, tmp_path):
    data, path = open_journal.path.read_bytes(), tmp_path / "flipped.lbj"
    rng = np.random.default_rng(0)
    for bit in rng.integers(8 * 20, 8 * len(data), 60):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            assert lbj.verify(path)
        except lbj.LBJError:
            assert bit // 8 < open_journal.places[0]


def test_repair_keeps_every_item_but_the_damaged(command, open_journal, tmp_path):
    data = bytearray(open_journal.path.read_bytes())
    data[open_journal.places[11] + 21] ^= 1
    open_journal.path.write_bytes(data)
    code, out, err = command("repair", open_journal.path, "new.lbj")
    assert code == 0
    assert "29 items" in out
    assert one_line(err)
    assert f"byte {open_journal.places[11]}: {open_journal.places[12] - open_journal.places[11]} bytes" in err
    assert open_journal.path.read_bytes() == data
    with lbj.Reader(tmp_path / "new.lbj") as reader:
        assert reader.seq_nums.tolist() == [*range(1, 12), *range(13, 31)]
        np.testing.assert_array_equal(reader[:], np.delete(open_journal.items, 11, axis=0))
    assert command("verify", "new.lbj")[0] == 0


def test_repair_keeps_what_is_promised(command, image, tmp_path):
    assert command("convert", "image.npz", "image.lbj", "--sigma", "1")[0] == 0
    before = (tmp_path / "image.lbj").read_bytes()
    (tmp_path / "image.lbj").write_bytes(before[:-7])
    assert command("repair", "image.lbj", "new.lbj")[0] == 0
    with lbj.Reader(tmp_path / "new.lbj") as reader:
        assert reader.guarantee.step == 1.0
        assert np.abs(reader[0] - image).max() < 10
        assert reader.metadata["unit"] == "eV"


def test_repair_never_writes_over_a_file(command, journal):
    code, _, err = command("repair", journal.path, journal.path)
    assert code == 2
    assert one_line(err)
    assert lbj.verify(journal.path) == []


def test_coordinate_lists_come_back(command, tmp_path):
    rng = np.random.default_rng(2)
    cube = rng.poisson(0.05, (9, 11, 60))
    y, x, channel = np.nonzero(cube)
    np.savez(
        tmp_path / "a.npz", y=y, x=x, ch=channel, n=cube[y, x, channel], shape=cube.shape, e_offset=-0.2, e_scale=0.02
    )
    assert command("convert", "a.npz", "a.lbj")[0] == 0
    assert command("convert", "a.lbj", "b.npz")[0] == 0
    with lbj.Reader(tmp_path / "a.lbj") as reader:
        np.testing.assert_array_equal(reader[0], cube)
    again = RecordedSpecimen.load(tmp_path / "b.npz")
    assert again.eds_axis.offset == -0.2
    np.testing.assert_array_equal(again.spectrum_image().toarray().reshape(cube.shape), cube)


def test_an_array_comes_back_bit_by_bit(command, image, tmp_path):
    assert command("convert", "image.npz", "image.lbj")[0] == 0
    assert command("convert", "image.lbj", "again.npz")[0] == 0
    with np.load(tmp_path / "again.npz") as archive:
        assert archive["data"].tobytes() == image.tobytes()
        assert (archive["e_offset"], archive["e_scale"], archive["unit"]) == (280.0, 0.5, "eV")


def test_a_series_becomes_one_item_for_each_frame(command, tmp_path):
    data = np.random.default_rng(3).normal(50, 5, (4, 3, 5, 30)).astype(np.float32)
    np.savez(tmp_path / "series.npz", data=data)
    assert command("convert", "series.npz", "series.lbj")[0] == 0
    with lbj.Reader(tmp_path / "series.lbj") as reader:
        np.testing.assert_array_equal(reader[:], data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("image.npz", "x.lbj", "--blocks", "0-4"), "CHANNEL:DOWN-SAMPLING"),
        (("image.npz", "x.lbj", "--blocks", "3:4"), "begin with 0"),
        (("image.npz", "x.lbj", "--sigma", "1", "--blocks", "0:4"), "exclude"),
        (("image.npz", "x.lbj", "--sigma", "-1"), "sigma"),
        (("image.npz", "x.npz", "--sigma", "1"), "for .lbj files"),
        (("image.npz", "x.tif"), "tif"),
        (("none.npz", "x.lbj"), "no such file"),
        (("image.npz", "image.npz"), "exists"),
        (("broken.npz", "x.lbj"), "archive"),
        (("empty.npz", "x.lbj"), "neither the lists"),
    ],
)
def test_what_cannot_work_is_one_line_and_leaves_nothing(command, image, tmp_path, arguments, message):
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    np.savez(tmp_path / "empty.npz", other=np.zeros(3))
    before = sorted(tmp_path.iterdir())
    code, out, err = command("convert", *arguments)
    assert (code, out) == (2, "")
    assert one_line(err)
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


def test_a_format_of_the_extra_names_it(command, image, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "rsciio.hspy", None)
    code, _, err = command("convert", "image.npz", "image.hspy")
    assert code == 2
    assert one_line(err)
    assert "daisy-bluesky[formats]" in err
    assert not (tmp_path / "image.hspy").exists()


def test_hyperspy_files_come_back(command, image, tmp_path):
    pytest.importorskip("rsciio")
    assert command("convert", "image.npz", "image.hspy")[0] == 0
    assert command("convert", "image.hspy", "image.lbj")[0] == 0
    with lbj.Reader(tmp_path / "image.lbj") as reader:
        assert reader[0].tobytes() == image.tobytes()
        axis = {"offset": 280.0, "dispersion": 0.5, "unit": "eV"}
        assert dict(reader.metadata) == {**axis, "signal_type": "EELS"}


def test_the_zarr_that_zspy_files_need_is_named(command, image, monkeypatch, tmp_path):
    def give_up(path, signal):
        Path(path).mkdir()
        raise AttributeError("module 'zarr.storage' has no attribute\n 'NestedDirectoryStore'")

    monkeypatch.setitem(sys.modules, "rsciio", ModuleType("rsciio"))
    monkeypatch.setitem(sys.modules, "rsciio.zspy", SimpleNamespace(file_writer=give_up))
    monkeypatch.setattr("daisy_bluesky.lbj._exchange.version", lambda _: "3.1.2")
    code, _, err = command("convert", "image.npz", "image.zspy")
    assert code == 2
    assert one_line(err)
    assert "zarr<3" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.npz"]


@pytest.mark.data
@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="the public measurements are not at ../shared/data")
def test_files_of_instruments_become_journals(command, tmp_path):
    pytest.importorskip("rsciio")
    for name, counts in (("P45_the_default_job.bcf", 165_941), ("Test SI 16x16 215 kx.emd", 42_097)):
        source = ORIGINALS / name
        assert command("convert", str(source), f"{source.suffix}.lbj")[0] == 0
        with lbj.Reader(tmp_path / f"{source.suffix}.lbj") as reader:
            assert reader[:].sum(dtype=np.int64) == counts
            assert reader.metadata["unit"] == "keV"


def test_what_is_not_exact_any_more_is_not_quantised_again(command, image):
    assert command("convert", "image.npz", "a.lbj", "--sigma", "1")[0] == 0
    code, _, err = command("convert", "a.lbj", "b.lbj", "--sigma", "1")
    assert code == 2
    assert "not exact any more" in err


@pytest.mark.parametrize("verb", ["info", "verify"])
def test_a_file_of_another_format_is_refused(command, image, verb):
    code, _, err = command(verb, "image.npz")
    assert code == 2
    assert one_line(err)
    assert "not a listed-bin-journal" in err


def test_what_leaves_a_lossy_journal_is_said_to_be_lossy(command, image):
    assert command("convert", "image.npz", "a.lbj", "--sigma", "2")[0] == 0
    assert command("convert", "image.npz", "b.lbj")[0] == 0
    code, out, _ = command("convert", "a.lbj", "a.npz")
    assert code == 0
    assert "a.lbj is not exact" in out.splitlines()[1]
    assert "25.0% of the dose" in out.splitlines()[1]
    assert "noise-quantised" in command("convert", "a.lbj", "c.lbj")[1]
    assert len(command("convert", "b.lbj", "b.npz")[1].splitlines()) == 1


def test_repair_says_when_nothing_could_be_saved(command, image, tmp_path):
    assert command("convert", "image.npz", "image.lbj")[0] == 0
    data = bytearray((tmp_path / "image.lbj").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "image.lbj").write_bytes(data)
    code, out, err = command("repair", "image.lbj", "new.lbj")
    assert (code, out) == (2, "")
    assert "lost, byte " in err
    assert "new.lbj: not written" in err
    assert not (tmp_path / "new.lbj").exists()


def test_repair_of_a_whole_file_without_items_loses_nothing(command, tmp_path):
    lbj.Writer(tmp_path / "none.lbj", channels=4).close()
    assert command("repair", "none.lbj", "new.lbj") == (0, "new.lbj: 0 items\n", "")


def test_repair_tells_of_a_torn_end(command, open_journal):
    open_journal.path.write_bytes(open_journal.path.read_bytes()[:-3])
    code, out, err = command("repair", open_journal.path, "new.lbj")
    assert code == 0
    assert "29 items" in out
    assert "to the end" in err
