"""Reading a spline where a scan looked, against SciPy's splines and by its adjoint."""

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from daisy_bluesky.mfsi._spline import sample, splat


def scanned(rng):
    displacement = rng.normal(0, 0.7, (20, 24, 2))
    return displacement, np.array([6.0, 6.0])


def test_reads_what_scipy_reads():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(32, 36))
    displacement, origin = scanned(rng)
    seen = np.empty((4, 20, 24))
    sample(spline_filter(image, 3, mode="mirror"), np.ones_like(image), displacement, origin, seen)
    places = np.indices((20, 24)) + np.moveaxis(displacement, -1, 0) + 6
    np.testing.assert_allclose(seen[0], map_coordinates(image, places, order=3, mode="mirror"), atol=1e-12)
    step = 1e-5
    ahead = map_coordinates(image, places + np.array([0, step])[:, None, None], order=3, mode="mirror")
    np.testing.assert_allclose(seen[2], (ahead - seen[0]) / step, atol=1e-3)


def test_adding_is_the_adjoint_of_reading():
    rng = np.random.default_rng(1)
    displacement, origin = scanned(rng)
    coefficients, image = rng.normal(size=(32, 36)), rng.normal(size=(20, 24))
    seen, total, coverage = np.empty((4, 20, 24)), np.zeros((32, 36)), np.zeros((32, 36))
    sample(coefficients, np.ones_like(coefficients), displacement, origin, seen)
    splat(image, displacement, origin, 1.0, total, coverage)
    assert np.isclose((seen[0] * image).sum(), (coefficients * total).sum())
    assert np.isclose(coverage.sum(), image.size)


def test_taking_a_frame_away_leaves_what_was_there():
    rng = np.random.default_rng(2)
    displacement, origin = scanned(rng)
    image, total, coverage = rng.normal(size=(20, 24)), np.zeros((32, 36)), np.zeros((32, 36))
    splat(image, displacement, origin, 1.0, total, coverage)
    splat(image, displacement, origin, -1.0, total, coverage)
    assert np.abs(total).max() < 1e-12
    assert np.abs(coverage).max() < 1e-12


def test_nothing_is_seen_beyond_the_canvas():
    seen = np.ones((4, 4, 4))
    sample(np.ones((12, 12)), np.ones((12, 12)), np.full((4, 4, 2), 100.0), np.zeros(2), seen)
    assert not seen.any()
