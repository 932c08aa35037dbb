"""Spectra of repeats against plain means and known specimens."""

from dataclasses import replace

import numpy as np
import pytest

from daisy_bluesky.mfsi import Repeats, fold_image, fold_spectra


def repeats_at(positions, shape=(5, 7), angle=0.0):
    n = len(positions)
    flat = np.ones(n)
    return Repeats(
        shape, np.asarray(positions, float), angle * flat, flat, flat, np.zeros((n, 2)), np.zeros(n, bool), None
    )


@pytest.fixture
def spectra():
    return np.random.default_rng(0).poisson(20.0, (30, 34, 150)).astype(np.float32)


def test_repeats_on_whole_pixels_are_the_mean_of_their_pieces(spectra):
    folded = fold_spectra(spectra, repeats_at([(6, 7), (12, 20), (20, 10)]))
    pieces = [spectra[r - 2 : r + 3, c - 3 : c + 4] for r, c in ((6, 7), (12, 20), (20, 10))]
    np.testing.assert_allclose(folded, np.mean(pieces, axis=0), rtol=1e-6)


@pytest.mark.parametrize(("upsample", "angle"), [(1, 0.0), (3, 0.0), (2, 30.0)])
def test_a_plane_between_pixels_is_exact_and_as_images_are_folded(upsample, angle):
    rows, columns = np.indices((40, 44), dtype=float)
    channels = [1.0 + 0.1 * rows, 2.0 + 0.05 * columns - 0.02 * rows]
    repeats = repeats_at([(15.3, 16.8), (22.45, 25.2)], angle=angle)
    folded = fold_spectra(np.stack(channels, -1), repeats, upsample=upsample)
    for number, plane in enumerate(channels):
        expected = fold_image(plane, repeats, upsample=upsample)
        np.testing.assert_allclose(folded[..., number], expected, rtol=1e-4)


def test_counts_and_exposure_are_summed_apart():
    rng = np.random.default_rng(1)
    exposure = rng.uniform(0, 5, (30, 34)) * (rng.random((30, 34)) > 0.3)
    rate = np.array([1.0, 7.0, 3.0])
    folded = fold_spectra(exposure[..., None] * rate, repeats_at([(6.4, 7.1), (15.2, 20.7)]), exposure=exposure)
    np.testing.assert_allclose(folded, np.broadcast_to(rate, folded.shape), rtol=1e-6)


def test_pixels_that_nobody_exposed_are_no_number(spectra):
    exposure = np.ones((30, 34))
    exposure[:8] = 0
    folded = fold_spectra(spectra, repeats_at([(8, 7)]), exposure=exposure)
    assert np.isnan(folded[:2]).all()
    assert np.isfinite(folded[2:]).all()


def test_what_cannot_be_folded_is_named(spectra):
    repeats = repeats_at([(8, 7)])
    with pytest.raises(ValueError, match="no repeats to fold"):
        fold_spectra(spectra, replace(repeats, positions=np.empty((0, 2))))
    with pytest.raises(ValueError, match="rows, columns, channels"):
        fold_spectra(spectra[0], repeats)
    with pytest.raises(ValueError, match="upsample"):
        fold_spectra(spectra, repeats, upsample=9)
    with pytest.raises(MemoryError, match="folding the spectra needs"):
        fold_spectra(spectra, repeats, memory_limit=1000)
