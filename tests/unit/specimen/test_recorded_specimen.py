"""Recorded specimen: exact, additive, never beyond what was recorded."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen import RecordedSpecimen
from daisy_bluesky.specimen._recording import Recording
from daisy_bluesky.spectra import EnergyAxis

DATA = Path(__file__).parents[3].parent / "shared" / "data"
SPECTRUM_IMAGES = ("espm_brg_fp", "SiO2_particles", "P45_mineral", "velox_16")


def exposure(row, column, dwell, visit=0):
    return Exposure(number=1, row=row, column=column, start=0.0, dwell=dwell, current=100.0, visit=visit)


def content(shape=(3, 4, 32), counts=40, seed=0):
    rng = np.random.default_rng(seed)
    cube = rng.poisson(counts / shape[2], size=shape)
    y, x, ch = np.nonzero(cube)
    return {
        "y": y.astype(np.uint8),
        "x": x.astype(np.uint8),
        "ch": ch.astype(np.uint16),
        "n": cube[y, x, ch].astype(np.uint8),
        "shape": np.array(shape),
        "e_offset": np.float64(-0.1),
        "e_scale": np.float64(0.02),
    }, cube


def specimen(tmp_path, arrays, **options):
    np.savez_compressed(tmp_path / "si.npz", **arrays)
    return RecordedSpecimen.load(tmp_path / "si.npz", **options)


def test_the_whole_dwell_gives_every_recorded_count(tmp_path):
    arrays, cube = content()
    recorded = specimen(tmp_path, arrays)
    for row, column in np.ndindex(cube.shape[:2]):
        readings = [recorded.eds(exposure(row, column, 0.1, visit)) for visit in range(10)]
        assert np.array_equal(sum(reading["spectrum"].astype(int) for reading in readings), cube[row, column])
        assert readings[0]["spectrum"].dtype == np.uint32
        assert readings[0]["live_time"] == readings[0]["real_time"] == 0.1
    assert np.allclose(recorded.consumed, 1.0, atol=1e-12)


@given(
    counts=st.lists(st.integers(0, 30), min_size=5, max_size=5),
    dwells=st.lists(st.floats(0.0, 0.4), max_size=12),
    recorded_dwell=st.floats(1e-6, 10.0),
    seed=st.integers(0, 2**64 - 1),
)
def test_no_count_comes_twice_and_none_is_lost(counts, dwells, recorded_dwell, seed):
    listed = sparse.csr_array(np.array([counts], dtype=np.uint32))
    recording = Recording(shape=(1, 1), axis=EnergyAxis(0.0, 0.01, 5), counts=listed, images={}, dwell=recorded_dwell)
    recorded = RecordedSpecimen(recording, seed=seed)
    found = np.zeros(5, int)
    for dwell in (share * recorded_dwell for share in dwells):
        if dwell > recorded.remaining(0, 0) * (1 + 1e-6):
            with pytest.raises(ValueError, match="of its recorded dwell left"):
                recorded.eds(exposure(0, 0, dwell))
        else:
            found += recorded.eds(exposure(0, 0, min(dwell, recorded.remaining(0, 0))))["spectrum"]
    found += recorded.eds(exposure(0, 0, recorded.remaining(0, 0)))["spectrum"]
    assert np.array_equal(found, counts)
    assert recorded.remaining(0, 0) == pytest.approx(0.0, abs=1e-12 * recorded_dwell)


def test_visits_draw_the_same_counts_in_any_order(tmp_path):
    arrays, cube = content()
    pixels = list(np.ndindex(cube.shape[:2]))
    forward, backward = (specimen(tmp_path, arrays, seed=5) for _ in range(2))
    first = {pixel: [forward.eds(exposure(*pixel, dwell))["spectrum"] for dwell in (0.2, 0.5)] for pixel in pixels}
    second = {pixel: [backward.eds(exposure(*pixel, 0.2))["spectrum"]] for pixel in reversed(pixels)}
    for pixel in pixels:
        second[pixel].append(backward.eds(exposure(*pixel, 0.5))["spectrum"])
    assert all(np.array_equal(first[pixel], second[pixel]) for pixel in pixels)
    other = specimen(tmp_path, arrays, seed=6)
    assert any(not np.array_equal(other.eds(exposure(*pixel, 0.2))["spectrum"], first[pixel][0]) for pixel in pixels)


def test_a_shorter_dwell_thins_binomially(tmp_path):
    recorded_counts, dwell, pixels = 50, 0.3, (40, 50)
    y, x = (axis.ravel().astype(np.uint8) for axis in np.indices(pixels))
    arrays = content()[0] | {
        "y": y,
        "x": x,
        "ch": np.full(y.size, 7),
        "n": np.full(y.size, recorded_counts),
        "shape": np.array([*pixels, 16]),
    }
    recorded = specimen(tmp_path, arrays, seed=3)
    drawn = np.array(
        [recorded.eds(exposure(row, column, dwell))["spectrum"][7] for row, column in zip(y, x, strict=True)]
    )
    edges = [9, 11, 13, 15, 17, 19, 21]
    observed = np.bincount(np.digitize(drawn, edges), minlength=len(edges) + 1)
    below = stats.binom.cdf(np.array(edges) - 1, recorded_counts, dwell)
    expected = np.diff(np.concatenate([[0.0], below, [1.0]])) * drawn.size
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_a_visit_beyond_the_recorded_dwell_is_refused(tmp_path):
    recorded = specimen(tmp_path, content()[0], dwell=0.02)
    recorded.eds(exposure(1, 2, 0.015))
    with pytest.raises(ValueError, match=r"pixel \(1, 2\) has 0\.005 s .* left, but 0\.006 s"):
        recorded.eds(exposure(1, 2, 0.006))
    assert recorded.remaining(1, 2) == pytest.approx(0.005)
    recorded.eds(exposure(1, 2, 0.005))
    assert recorded.remaining(1, 2) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="off the recorded field"):
        recorded.eds(exposure(3, 0, 0.001))


def test_a_run_goes_on_where_it_stopped(tmp_path):
    arrays, cube = content()
    recorded, later = (specimen(tmp_path, arrays) for _ in range(2))
    before = recorded.eds(exposure(0, 1, 0.4))["spectrum"]
    later.restore(recorded.consumed)
    after = later.eds(exposure(0, 1, 0.6))["spectrum"]
    assert np.array_equal(before.astype(int) + after, cube[0, 1])
    with pytest.raises(ValueError, match="shape"):
        later.restore(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="between 0 and the recorded"):
        later.restore(np.full(cube.shape[:2], 1.5))


def test_parts_are_disjoint_and_match_the_visits(tmp_path):
    arrays, cube = content()
    recorded = specimen(tmp_path, arrays)
    halves = [recorded.thinned(0.5, part).toarray() for part in (0, 1)]
    assert np.array_equal(sum(halves).reshape(cube.shape), cube)
    visited = recorded.eds(exposure(2, 3, 0.5))["spectrum"]
    assert np.array_equal(halves[0].reshape(cube.shape)[2, 3], visited)
    assert recorded.spectrum_image().sum() == cube.sum()
    with pytest.raises(ValueError, match="no part 2"):
        recorded.thinned(0.5, 2)


def test_halves_of_poisson_counts_are_independent(tmp_path):
    arrays, _ = content(shape=(100, 100, 2), counts=20)
    halves = [specimen(tmp_path, arrays).thinned(0.5, part).sum(axis=1) for part in (0, 1)]
    correlation, _ = stats.pearsonr(*halves)
    assert abs(correlation) < 4 / np.sqrt(10_000)


def test_the_survey_image_plays_haadf(tmp_path):
    arrays, cube = content()
    image = np.arange(12, dtype=np.uint16).reshape(3, 4)
    noise = {"img0_Se": image * 0, "img1_SE": image + 1, "img2_BSE": image, "px": 2.5, "px_units": "µm"}
    recorded = specimen(tmp_path, arrays | noise)
    assert (recorded.survey_name, recorded.haadf(exposure(1.2, 2.9, 0.1))) == ("BSE", 7.0)
    assert recorded.pixel_size == 2500.0
    without = specimen(tmp_path, arrays)
    assert (without.survey_name, without.haadf(exposure(2, 0, 0.1))) == ("total counts", cube[2, 0].sum())
    assert without.consumed.sum() == 0
    with pytest.raises(ValueError, match="no EELS"):
        without.eels(exposure(0, 0, 0.1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": None}, "lacks n;"),
        ({"y": np.array([0, 1], np.uint8)}, "differ in length"),
        ({"shape": np.array([3, 4])}, r"is not \(rows, columns, channels\)"),
        ({"shape": np.array([2, 4, 32])}, "outside the shape"),
        ({"shape": np.array([4, 3, 32])}, "some x lie outside"),
        ({"shape": np.array([3, 2**40, 32])}, "not that of a spectrum image"),
        ({"e_scale": np.float64(0.0)}, "energy axis"),
        ({"e_scale": np.array([1.0, 2.0])}, "one number"),
        ({"dwell": np.float64(-1.0)}, "dwell is -1.0"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path, change, message):
    arrays = {name: value for name, value in (content()[0] | change).items() if value is not None}
    with pytest.raises(ValueError, match=message) as caught:
        specimen(tmp_path, arrays)
    assert "\n" not in str(caught.value)


def test_counts_must_be_whole_and_listed(tmp_path):
    arrays, _ = content()
    with pytest.raises(ValueError, match="n is float64"):
        specimen(tmp_path, arrays | {"n": arrays["n"] * 1.0})
    with pytest.raises(ValueError, match="negative"):
        specimen(tmp_path, arrays | {"n": -arrays["n"].astype(int)})


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, kept):
    np.savez_compressed(tmp_path / "whole.npz", **content()[0])
    whole = (tmp_path / "whole.npz").read_bytes()
    path = tmp_path / "cut.npz"
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(len(whole) * kept)])
    with pytest.raises(ValueError, match=r"cut\.npz: it is no \.npz archive, or a truncated one"):
        RecordedSpecimen.load(path)


def test_damage_inside_a_file_is_noticed_or_harmless(tmp_path):
    arrays, cube = content()
    np.savez_compressed(tmp_path / "whole.npz", **arrays)
    whole = bytearray((tmp_path / "whole.npz").read_bytes())
    path = tmp_path / "damaged.npz"
    refused = 0
    for position in range(0, len(whole), 37):
        damaged = whole.copy()
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            read = RecordedSpecimen.load(path)
        except ValueError:
            refused += 1
        else:
            assert np.array_equal(read.spectrum_image().toarray().reshape(cube.shape), cube)
    assert refused > 10


def test_a_wrong_path_or_format_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.npz: there is no such file"):
        RecordedSpecimen.load(tmp_path / "absent.npz")
    (tmp_path / "map.tif").write_bytes(b"II*\0")
    with pytest.raises(ValueError, match=r"map\.tif: unknown format '\.tif'; use \.npz, \.bcf"):
        RecordedSpecimen.load(tmp_path / "map.tif")


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="the public measurements in ../shared/data are absent")
@pytest.mark.parametrize("name", SPECTRUM_IMAGES)
def test_public_spectrum_images_are_read_as_they_are(name):
    path = DATA / f"eds_si_{name}.npz"
    recorded = RecordedSpecimen.load(path)
    with np.load(path) as stored:
        rows, columns, channels = stored["shape"]
        total = np.zeros((rows, columns), int)
        np.add.at(total, (stored["y"], stored["x"]), stored["n"].astype(int))
        spectrum = np.bincount(stored["ch"], stored["n"], minlength=channels)
        first_energy = float(stored["e_offset"])
    everything = recorded.spectrum_image()
    assert recorded.shape == (rows, columns)
    assert recorded.eds_axis.channels == channels
    assert recorded.eds_axis.energies[0] == first_energy
    assert np.array_equal(everything.sum(axis=0), spectrum)
    assert np.array_equal(everything.sum(axis=1).reshape(rows, columns), total)
    assert recorded.eds(exposure(3, 5, 1.0))["spectrum"].sum() == total[3, 5]
