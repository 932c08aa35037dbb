import numpy as np
import pytest

from daisy_bluesky import specimen
from daisy_bluesky.mfsi import (
    AlignedSum,
    Lattice,
    SpectrumSum,
    find_lattice,
    find_motif,
    find_repeats,
    fold_frame,
    fold_image,
)

SHAPE = (120, 110)
VECTORS = np.array([[10.7, 0.4], [-0.3, 11.4]])
ORIGIN = np.array([3.3, 5.1])
BASIS = (((0.0, 0.0), 1.0), ((0.5, 0.5), 0.7), ((0.5, 0.02), 0.35))
FIELDS = [("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint16)]


def blob(places, centre, height, sigma=1.1):
    return height * np.exp(-((places[0] - centre[0]) ** 2 + (places[1] - centre[1]) ** 2) / 2 / sigma**2)


def cells_of(shape=SHAPE, vectors=VECTORS):
    """Whole multiples of the vectors whose cells touch the field, and where those lie."""
    numbers = np.stack(np.meshgrid(np.arange(-15, 25), np.arange(-15, 25), indexing="ij"), -1).reshape(-1, 2)
    places = ORIGIN + numbers @ vectors
    near = np.all((places > -15) & (places < np.array(shape) + 15), axis=1)
    return places[near]


def crystal(shape=SHAPE, basis=BASIS, changes=None, vectors=VECTORS):
    """A crystal; `changes` maps a cell's running number to (shift, factor of its first column)."""
    grid = np.mgrid[: shape[0], : shape[1]].astype(float)
    image = np.full(shape, 0.2)
    for number, place in enumerate(cells_of(shape, vectors)):
        shift, factor = (changes or {}).get(number, ((0, 0), 1.0))
        for k, (fraction, height) in enumerate(basis):
            centre = place + np.array(fraction) @ vectors + shift
            image += blob(grid, centre, height * (factor if k == 0 else 1))
    return image


def counted(image, mean, seed=0):
    scale = mean / image.mean()
    return np.random.default_rng(seed).poisson(image * scale) / scale


def errors(positions, vectors=VECTORS):
    """Deviations from the true lattice; where in the motif its centre lies is a matter of drawing it."""
    off = Lattice(positions[0], vectors).residuals(positions)
    return off - np.median(off, axis=0)


@pytest.mark.parametrize("seed", range(3))
def test_repeats_are_found_to_a_hundredth_of_a_pixel(seed):
    picture = counted(crystal(), 2_000, seed)
    repeats = find_repeats(picture, find_motif(picture))
    inner = (np.array(SHAPE) - repeats.shape).prod() / abs(np.linalg.det(VECTORS))
    assert len(repeats) == pytest.approx(inner, abs=12)
    assert np.sqrt(np.mean(errors(repeats.positions) ** 2)) < 0.01
    np.testing.assert_allclose(np.abs(repeats.lattice.vectors), np.abs(VECTORS), atol=0.005)
    assert not repeats.outliers.any()


def test_translations_that_only_look_alike_are_told_from_true_ones():
    alike = (((0.0, 0.0), 1.0), ((0.5, 0.5), 0.9), ((0.0, 0.5), 0.6), ((0.5, 0.0), 0.52))
    picture = counted(crystal(basis=alike), 300)
    lattice = find_lattice(picture)
    assert abs(np.linalg.det(lattice.vectors)) == pytest.approx(abs(np.linalg.det(VECTORS)), rel=0.01)
    repeats = find_repeats(picture, find_motif(picture))
    numbers = (repeats.positions - repeats.positions[0]) @ np.linalg.inv(VECTORS)
    assert np.abs(numbers - np.rint(numbers)).max() < 0.02


def test_a_dopant_and_a_displaced_cell_are_flagged_and_kept():
    places = cells_of()
    inside = np.flatnonzero(np.all((places > 20) & (places < np.array(SHAPE) - 25), axis=1))
    doped, moved = inside[3], inside[-4]
    picture = counted(crystal(changes={doped: ((0, 0), 1.6), moved: ((0.6, 0.0), 1.0)}), 5_000)
    repeats = find_repeats(picture, (30, 40, 12, 13))
    plain = find_repeats(counted(crystal(), 5_000), (30, 40, 12, 13))
    assert len(repeats) == len(plain)
    odd = repeats.positions[repeats.outliers]
    for centre in (places[doped], places[moved] + (0.6, 0)):
        assert np.min(np.abs(odd - centre).max(axis=1)) < 6.5  # a motif that shows the column
    far = [place for place in odd if min(np.abs(place - places[k]).max() for k in (doped, moved)) > 14]
    assert not far
    typical = repeats.without_outliers()
    assert len(typical) == len(repeats) - repeats.outliers.sum()
    np.testing.assert_allclose(np.abs(repeats.lattice.vectors), np.abs(VECTORS), atol=0.01)


def test_brightness_and_ramps_do_not_move_repeats():
    image = crystal()
    ramp = 1.0 + 0.004 * np.arange(SHAPE[0])[:, None] + 0.002 * np.arange(SHAPE[1])
    picture = counted(image * ramp + ramp, 20_000)
    repeats = find_repeats(picture, (30, 40, 21, 23))
    assert np.sqrt(np.mean(errors(repeats.positions) ** 2)) < 0.012
    assert repeats.gains.max() / repeats.gains.min() > 1.3


def particles(angles, centres, seed=0, mean=400):
    """Copies of an asymmetric particle, turned; positive angles turn rows towards columns."""
    grid = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    image = np.full(SHAPE, 0.3)
    for angle, centre in zip(angles, centres, strict=True):
        radians = np.deg2rad(angle)
        turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
        for arm, height in (((0, 0), 1.0), ((5, 0), 0.8), ((0, 3.5), 0.5)):
            image += blob(grid, np.array(centre) + turn.T @ np.array(arm), height, 1.6)
    return counted(image, mean, seed)


def test_turned_repeats_without_a_lattice_are_found_with_their_angles():
    angles = [0, 37, 121, 200, 290]
    centres = [(20, 20), (25.4, 80.3), (60.2, 55.7), (95.3, 22.8), (92.1, 85.4)]
    picture = particles(angles, centres)
    repeats = find_repeats(picture, (9, 9, 23, 23), periodic=False, rotations=np.arange(0, 360, 10))
    assert len(repeats) == 5
    assert repeats.lattice is None
    assert np.isnan(repeats.deviations).all()
    for angle, centre in zip(angles, centres, strict=True):
        nearest = np.argmin(np.linalg.norm(repeats.positions - centre, axis=1))
        assert np.linalg.norm(repeats.positions[nearest] - centre) < 0.1
        turned = (
            repeats.angles[nearest] - repeats.angles[np.argmin(np.linalg.norm(repeats.positions - (20, 20), axis=1))]
        )
        assert min(abs((turned - angle + 180) % 360 - 180), abs((turned + angle + 180) % 360 - 180)) < 2
    folded = fold_image(picture, repeats)
    alone = particles([0], [(20, 20)], mean=1e9)[9:32, 9:32]
    known = np.hypot(*(np.mgrid[:23, :23] - 11)) < 10
    assert np.corrcoef(folded[known], alone[known])[0, 1] > 0.99


def test_a_lattice_of_turned_motifs_is_found_beside_the_motifs_own():
    one = (((0.0, 0.0), 1.0), ((0.17, 0.12), 0.5))
    two = (((0.5, 0.5), 1.0), ((0.33, 0.38), 0.5))  # turned by 180 degrees
    square = np.array([[22.0, 0.0], [0.0, 22.0]])
    picture = counted(crystal(basis=one + two, vectors=square), 3_000)
    centre = np.rint(cells_of(vectors=square)[np.argmin(np.abs(cells_of(vectors=square) - 45).max(1))]).astype(int)
    repeats = find_repeats(picture, (*(centre - 6), 13, 13), rotations=(0, 180))
    turned = np.abs((repeats.angles + 90) % 360 - 270) < 5
    assert 0.3 < turned.mean() < 0.7
    assert not repeats.outliers.any()
    assert np.abs(errors(repeats.positions[turned], square)).max() < 0.06


def test_folding_gains_the_square_root_of_the_number_of_repeats():
    truth = crystal()
    picture = counted(truth, 50)
    repeats = find_repeats(picture, (40, 40, 22, 23))
    centre = np.rint(repeats.positions[np.argmin(np.abs(repeats.positions - 60).max(1))] - (10.5, 11)).astype(int)
    clean = fold_image(truth, repeats)
    noise = np.std(fold_image(picture, repeats) - clean)
    single = np.std((picture - truth)[centre[0] : centre[0] + 22, centre[1] : centre[1] + 23])
    assert single / noise > 0.85 * np.sqrt(len(repeats))


def test_spectra_fold_over_frames_onto_the_motif():
    rng = np.random.default_rng(7)
    rate = np.stack([crystal(basis=(part,)) for part in BASIS[:2]], -1) * 3
    repeats = find_repeats(crystal(), (40, 40, 22, 23))
    total = SpectrumSum(repeats.shape, 2, upsample=2)
    whole = SpectrumSum(SHAPE, 2)
    for frame in range(6):
        shift = rng.normal(0, 3, 2)
        pixels = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1)
        seen = np.rint(pixels + shift).astype(int)  # the frame shows the specimen shifted by whole pixels
        inside = np.all((seen >= 0) & (seen < SHAPE), axis=-1)
        mean = rate[tuple(np.clip(seen, 0, np.array(SHAPE) - 1).reshape(-1, 2).T)].reshape(*SHAPE, 2)
        cube = rng.poisson(mean * inside[..., None])
        places = np.argwhere(cube)
        events = np.zeros(len(places), FIELDS)
        events["row"], events["column"], events["channel"] = places.T
        events["count"] = cube[tuple(places.T)]
        field = (seen - pixels).astype(float)
        moved = fold_frame(events, field, repeats, frame=frame, channels=2, upsample=2, exposure=inside.astype(float))
        total.include(moved)
        whole.add(events, field, exposure=inside.astype(float))
    maps = total.maps([(0, 1), (1, 2)]) / total.exposure
    for found, part in zip(maps, BASIS[:2], strict=True):
        expected = 3 * fold_image(crystal(basis=(part,)), repeats, upsample=2)
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.97
        assert found.mean() == pytest.approx(expected.mean(), rel=0.03)
    inner = total.exposure[4:-4, 4:-4].mean()
    assert inner == pytest.approx(len(repeats) * 6 / 4, rel=0.12)
    assert repeats.effective_dose(3.0) == 3.0 * len(repeats)


def test_folding_without_frames_lost_counts_every_photon_once_for_each_repeat():
    rng = np.random.default_rng(8)
    repeats = find_repeats(crystal(), (40, 40, 22, 23))
    events = np.zeros(500, FIELDS)
    events["row"], events["column"] = rng.integers(0, SHAPE[0], 500), rng.integers(0, SHAPE[1], 500)
    events["count"] = 2
    total = SpectrumSum(repeats.shape, 1, assignment="nearest")
    total.include(fold_frame(events, np.zeros((*SHAPE, 2)), repeats, frame=0, channels=1))
    offsets = np.stack([events["row"], events["column"]], -1)[None] - repeats.positions[:, None] + (10.5, 11)
    landed = np.floor(offsets + 0.5)
    expected = 2 * np.all((landed >= 0) & (landed < repeats.shape), axis=-1).sum()
    assert total.maps([(0, 1)]).sum() == pytest.approx(expected, abs=10)  # some land on a border


def test_repeats_of_an_upsampled_image_translate_to_the_frame():
    fine = crystal((200, 220), vectors=2 * VECTORS)
    repeats = find_repeats(fine, (60, 60, 44, 46)).on_frame(2)
    assert repeats.shape == (22, 23)
    np.testing.assert_allclose(np.abs(repeats.lattice.vectors), np.abs(VECTORS), atol=0.002)
    np.testing.assert_allclose(repeats.positions[0] * 2 + 0.5, find_repeats(fine, (60, 60, 44, 46)).positions[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: find_lattice(np.random.default_rng(0).normal(size=(64, 64))), "not periodic"),
        (lambda: find_lattice(np.ones((64, 64))), "image is blank"),
        (lambda: find_lattice(np.full((64, 64), np.nan)), "NaN or infinity"),
        (lambda: find_lattice(np.ones(5)), "image has shape"),
        (lambda: find_lattice(crystal(), similarity=2.0), "similarity is 2"),
        (lambda: find_repeats(crystal(), (100, 0, 30, 30)), "rectangle .* within"),
        (lambda: find_repeats(crystal(), (0, 0, 20, 20), rotations=()), "rotations is empty"),
        (lambda: find_repeats(crystal(), (0, 0, 20, 20), periodic=False, least_correlation=0), "least_correlation"),
        (lambda: find_motif(crystal(), cells=40), "lower cells"),
        (lambda: find_motif(crystal(), cells=-1), "cells is -1"),
    ],
)
def test_questions_that_make_no_sense_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("upsample", [1, 2, 4])
def test_repeats_that_happen_to_be_whole_pixels_apart_are_no_lattice_of_their_own(upsample):
    """Three times (10.71, 1.31) px is nearly (32, 4) px: read between pixels, other repeats correlate a little less."""
    series = specimen.VirtualSeries(specimen.crystal((200, 200)), (200, 200), seed=0)
    total = AlignedSum((200, 200), upsample=upsample)
    for number in range(12):
        total.add(series.image(number), series.displacement(number))
    inside = np.s_[4 * upsample : -4 * upsample, 4 * upsample : -4 * upsample]
    found = find_lattice(total.image()[inside]).vectors / upsample
    cell = 0.604 * 0.565 / 0.056**2
    assert abs(np.linalg.det(found)) == pytest.approx(cell, rel=0.01)
