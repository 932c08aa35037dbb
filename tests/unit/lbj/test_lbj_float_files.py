"""Files of spectra keep their promise, also when they are closed, gone on with and read in parts."""

import numpy as np
import pytest

from daisy_bluesky import lbj

CHANNELS = 512


@pytest.fixture(scope="module")
def spectra():
    rng = np.random.default_rng(0)
    expected = 12 * ((300 + np.arange(CHANNELS)) / 300) ** -2.0
    counts = rng.poisson(np.broadcast_to(expected, (300, CHANNELS)))
    return np.rint(10 * counts + rng.normal(0, 8, counts.shape)).astype(np.float32)


def write(path, spectra, **options):
    writer = lbj.Writer(path, channels=CHANNELS, dtype=np.float32, **options)
    for number, spectrum in enumerate(spectra, 1):
        writer.append(number, spectrum)
    return writer


def test_single_spectra_are_coded_together_on_closing(tmp_path, spectra):
    path = tmp_path / "eels.lbj"
    writer = write(path, spectra)
    while_open = writer.nbytes
    writer.close()
    with lbj.Reader(path) as reader:
        assert reader.nbytes < 0.65 * while_open
        assert reader[:].tobytes() == spectra.tobytes()
        np.testing.assert_array_equal(reader.window(3, 9, channels=slice(100, 120)), spectra[3:9, 100:120])
        np.testing.assert_array_equal(reader[-1], spectra[-1])
        assert reader.guarantee.kind == "exact"
    assert lbj.verify(path) == []


@pytest.mark.parametrize("options", [{"sigma": 1.0}, {"blocks": [(0, 8), (100, 1), (200, 16)]}])
def test_what_was_quantised_once_is_not_again(tmp_path, spectra, options):
    path = tmp_path / "eels.lbj"
    write(path, spectra, **options).close()
    with lbj.Reader(path) as reader:
        before = reader[:]
        assert reader.guarantee == lbj.Guarantee.of(CHANNELS, options.get("sigma"), options.get("blocks"))
    with lbj.Writer(path, channels=CHANNELS, dtype=np.float32, append=True) as writer:
        writer.append(3, spectra[0])
        writer.append(301, spectra[1])
    with lbj.Reader(path) as reader:
        after = reader[:]
        assert reader.guarantee.kind != "exact"
    np.testing.assert_array_equal(np.delete(after, [2, 300], axis=0), np.delete(before, 2, axis=0))


def test_frames_are_quantised_as_they_are_appended(tmp_path, spectra):
    frame = spectra.reshape(15, 20, CHANNELS)
    with lbj.Writer(tmp_path / "a.lbj", shape=(15, 20), channels=CHANNELS, dtype=np.float32, sigma=2.0) as writer:
        writer.append(1, frame)
        assert writer.nbytes < frame.nbytes / 20
    with lbj.Reader(tmp_path / "a.lbj") as reader:
        assert reader.guarantee.dose_thrown_away == pytest.approx(0.25)
        assert abs((reader[0] - frame).mean()) < 5 * 40 / np.sqrt(12 * frame.size)


def test_references_are_stored_once_and_applied_on_read(tmp_path, spectra):
    raw = spectra.astype(np.int16).reshape(15, 20, CHANNELS)
    dark, gain = np.linspace(1, 3, CHANNELS), np.linspace(0.9, 1.1, CHANNELS)
    path = tmp_path / "raw.lbj"
    with lbj.Writer(path, shape=(15, 20), channels=CHANNELS, dtype=np.int16, dark=dark, gain=gain) as writer:
        writer.append(1, raw)
        writer.append(2, raw + 1)
    expected = (raw.astype(np.float32) - dark.astype(np.float32)) * gain.astype(np.float32)
    with lbj.Reader(path) as reader:
        assert reader.dtype == np.float32
        assert reader[0].tobytes() == expected.tobytes()
        np.testing.assert_array_equal(reader.window(0, 1, channels=slice(5, 9))[0], expected[..., 5:9])
    with lbj.Reader(path, corrected=False) as reader:
        np.testing.assert_array_equal(reader[1], raw + 1)


def test_a_promise_is_not_changed_by_going_on(tmp_path, spectra):
    write(tmp_path / "a.lbj", spectra[:9], sigma=1.0).close()
    with pytest.raises(ValueError, match="promises otherwise"):
        lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS, dtype=np.float32, append=True, sigma=2.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": np.int16, "blocks": [(0, 2)]}, "float dtype"),
        ({"dtype": np.float32, "dark": np.zeros(CHANNELS)}, "raw counts"),
        ({"dtype": np.float32, "sigma": -1.0}, "sigma"),
    ],
)
def test_options_that_make_no_sense_create_no_file(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        lbj.Writer(tmp_path / "a.lbj", channels=CHANNELS, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
def test_what_cannot_be_down_sampled_is_kept_exactly(tmp_path, bad):
    items = np.random.default_rng(0).poisson(50, (200, CHANNELS)).astype(np.float32)
    path, repaired = tmp_path / "f.lbj", tmp_path / "repaired.lbj"
    writer = lbj.Writer(path, channels=CHANNELS, dtype=np.float32, blocks=[(0, 4)])
    items[100, 3:5] = bad
    for number, item in enumerate(items):
        writer.append(number, item)
    lbj.repair(path, repaired)
    writer.close()
    lbj.Writer(path, channels=CHANNELS, dtype=np.float32, append=True).close()
    for each in (path, repaired):
        assert lbj.summary(each).is_closed
        with lbj.Reader(each) as reader:
            np.testing.assert_array_equal(reader[100], items[100])
            other = np.arange(200) != 100
            found = reader[:][other].reshape(199, -1, 4).mean(axis=2)
            np.testing.assert_allclose(found, items[other].reshape(199, -1, 4).mean(axis=2), rtol=0.2)
        assert path.stat().st_size < items.nbytes / 4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_spectra_without_any_number_can_be_sealed(tmp_path, bad):
    items = np.full((40, CHANNELS), bad, np.float32)
    writer = write(tmp_path / "f.lbj", items, blocks=[(0, 4)])
    writer.close()
    with lbj.Reader(writer.path) as reader:
        np.testing.assert_array_equal(reader[:], items)
