import numpy as np
import pytest
from scipy.ndimage import label as connected

from daisy_bluesky.specimen import PHANTOM_KINDS, ill_map, phantom, phase_fractions


@pytest.mark.parametrize("kind", PHANTOM_KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_every_phase_is_there(kind, seed):
    labels = phantom(kind, (128, 160), seed=seed)
    assert labels.shape == (128, 160)
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) == {1, 2, 3, 4}


@pytest.mark.parametrize("kind", PHANTOM_KINDS)
def test_seed_alone_decides(kind):
    first = phantom(kind, (64, 64), seed=5)
    np.testing.assert_array_equal(phantom(kind, (64, 64), seed=5), first)
    assert np.any(phantom(kind, (64, 64), seed=6) != first)


@pytest.mark.parametrize("phases", [1, 2, 3, 6])
@pytest.mark.parametrize("kind", PHANTOM_KINDS)
def test_any_number_of_phases(kind, phases):
    assert phantom(kind, (96, 96), seed=1, phases=phases).max() <= phases


def test_grains_hold_precipitates_of_a_few_pixels():
    precipitates, count = connected(phantom("grains", (256, 256), seed=0) == 4)
    diameters = np.sqrt(4 / np.pi * np.bincount(precipitates.ravel())[1:])
    assert np.sum((diameters > 2.5) & (diameters < 6.6)) >= 15
    assert count <= 50


def test_features_are_mostly_much_larger_than_a_pixel():
    labels = phantom("grains", (256, 256), seed=0)
    same = (labels[1:, 1:] == labels[:-1, 1:]) & (labels[1:, 1:] == labels[1:, :-1])
    assert same.mean() > 0.93


def test_overlaps_mix_phases_at_boundaries_only():
    fractions = phase_fractions("overlaps", (256, 256), seed=0)
    np.testing.assert_allclose(fractions.sum(axis=2), 1, atol=1e-5)
    mixed = fractions.max(axis=2) < 0.95
    assert 0.02 < mixed.mean() < 0.3
    np.testing.assert_array_equal(fractions.argmax(axis=2) + 1, phantom("overlaps", (256, 256), seed=0))


def test_other_kinds_are_pure():
    assert set(np.unique(phase_fractions("spheres", (64, 64), seed=0))) == {0, 1}


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="choose from dendrites"):
        phantom("clouds", (64, 64), seed=0)
    with pytest.raises(ValueError, match="8 pixels"):
        phantom("grains", (64, 2), seed=0)
    with pytest.raises(ValueError, match="phases"):
        phantom("grains", (64, 64), seed=0, phases=0)


def test_ill_map_holds_every_kind_equally_often():
    kinds = np.bincount(ill_map((200, 200), seed=0, fraction=0.01).ravel())
    assert kinds.tolist() == [39_600, 100, 100, 100, 100]
    with pytest.raises(ValueError, match="fraction"):
        ill_map((10, 10), seed=0, fraction=1.5)
