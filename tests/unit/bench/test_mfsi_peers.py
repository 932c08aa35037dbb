"""Other packages beside the registration and the scree of multi-frame spectrum imaging."""

import numpy as np
import pytest

from daisy_bluesky.bench import _installed_peers as installed
from daisy_bluesky.bench import _mfsi_field_peers as field
from daisy_bluesky.bench import _mfsi_rigid_peers as rigid
from daisy_bluesky.bench import _mfsi_scree as scree
from daisy_bluesky.mfsi import SpectrumSum

SHAPE = (64, 72)


def specimen(place):
    """Return bright smooth features at places (..., 2) px: no lattice, so no shift looks like another."""
    rng = np.random.default_rng(3)
    image = np.full(place.shape[:-1], 20.0)
    for centre in rng.uniform(-10, 90, (120, 2)):
        image += 200.0 * np.exp(-((place - centre) ** 2).sum(-1) / 18.0)
    return image


def frames_of(displacements):
    pixels = np.moveaxis(np.indices(SHAPE), 0, -1)
    rng = np.random.default_rng(4)
    return np.array([rng.poisson(specimen(pixels + one)) for one in displacements]).astype(float)


@pytest.fixture(scope="module")
def shifts():
    return np.array([(0.0, 0.0), (0.6, -0.3), (1.1, -0.9), (1.9, -1.2), (2.6, -1.4)])


@pytest.mark.parametrize(
    ("package", "align", "allowed"),
    [
        ("cv2", rigid._ecc, 0.1),
        ("pystackreg", rigid._translation, 0.1),
        ("pystackreg", rigid._rigid_body, 0.1),
        ("hyperspy", rigid._cascade, 0.3),
        ("hyperspy", rigid._align2d, 0.15),
        ("skimage", rigid._correlated_in_sequence, 0.3),
    ],
)
def test_peers_find_known_shifts(package, align, allowed, shifts):
    pytest.importorskip(package)
    found = align(frames_of(shifts[:, None, None]))
    np.testing.assert_allclose(found - found.mean(axis=0), shifts - shifts.mean(axis=0), atol=allowed)


@pytest.mark.parametrize(
    ("package", "find", "of_rigid"),
    [
        ("skimage", field._ilk, 0.8),
        ("skimage", field._tvl1, 0.8),
        ("SimpleITK", field._demons, 0.5),
        ("SimpleITK", field._spline, 0.3),
    ],
)
def test_peers_find_part_of_known_displacements_of_rows(package, find, of_rigid):
    pytest.importorskip(package)
    rows = np.cumsum(np.random.default_rng(5).normal(0, 0.15, (SHAPE[0], 1, 2)), axis=0)
    rows -= rows.mean()
    truth = np.broadcast_to(rows, (*SHAPE, 2))
    mean, frame = frames_of([np.zeros(2)])[0], frames_of([truth])[0]
    left = (find(mean / mean.max(), frame / mean.max()) - truth).mean(axis=1)[5:-5]
    assert np.sqrt((left**2).mean()) < of_rigid * np.sqrt((rows[5:-5] ** 2).mean())


def test_a_frame_is_compared_with_the_mean_at_its_own_pixels(shifts):
    frames = frames_of(shifts[:, None, None])
    pixels = np.moveaxis(np.indices(SHAPE), 0, -1)
    for number in (0, 4):
        off = field._mean_seen_from(frames, shifts, number) - specimen(pixels + shifts[number])
        assert np.sqrt((off**2).mean()) < 0.7 * np.sqrt(specimen(pixels).mean())


def test_shifts_are_judged_without_those_that_jumped_and_without_what_all_share():
    rng = np.random.default_rng(0)
    shifts = rng.normal(0, 2, (60, 2))
    truth = np.broadcast_to(shifts[:, None, None], (60, 16, 16, 2))
    found = shifts + rng.normal(0, 0.01, (60, 2)) + 7.0
    found[:20] += rng.integers(1, 4, (20, 2)) * 11.0
    error, jumps = rigid.shift_error(found, truth).split(", ")
    assert [float(one) for one in error.split("/")] == pytest.approx([0.010, 0.010], abs=0.003)
    assert jumps == "20 jumps"


def test_packages_that_are_not_there_are_named(monkeypatch):
    for module in (installed, scree):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    frames = np.random.default_rng(0).poisson(10.0, (3, 24, 24)).astype(float)
    truth = np.zeros((3, 24, 24, 2))
    assert rigid.rigid_peers(frames, truth).count("not installed") == 7
    assert field.field_peers(frames, truth, 2).count("not installed") == 4
    assert scree.decomposition(SpectrumSum((4, 4), 16), 1.0).endswith("not installed")


def test_hyperspy_decomposes_a_sum():
    pytest.importorskip("hyperspy")
    rng = np.random.default_rng(0)
    total = SpectrumSum((12, 12), 64)
    events = np.zeros(4000, [("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint8)])
    events["row"], events["column"], events["channel"] = (rng.integers(0, n, 4000) for n in (12, 12, 64))
    events["count"] = 1
    total.add(events, np.zeros((12, 12, 2)))
    assert "x all 15 doses" in scree.decomposition(total, 1.0)
