import numpy as np
import pytest
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from daisy_bluesky.sampling import patterns, reconstruct_values


def smooth_image(side, seed):
    return ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((side, side)), 5, mode="wrap") * 100


def test_what_was_measured_stays_and_a_constant_stays_constant():
    image = smooth_image(48, 0)
    places = patterns.sobol(image.shape, 0.1, 1)
    result = reconstruct_values(image.shape, places, image[tuple(places.T)])
    np.testing.assert_array_equal(result[tuple(places.T)], image[tuple(places.T)])
    np.testing.assert_allclose(reconstruct_values(image.shape, places, np.full(len(places), 7.0)), 7.0)


def test_is_linear_and_nearer_than_the_nearest_value():
    image = smooth_image(64, 2)
    places = patterns.sobol(image.shape, 0.1, 1)
    values = image[tuple(places.T)]
    result = reconstruct_values(image.shape, places, values)
    np.testing.assert_allclose(reconstruct_values(image.shape, places, 3 - 2 * values), 3 - 2 * result, atol=1e-9)
    mask = np.ones(image.shape, bool)
    mask[tuple(places.T)] = False
    nearest = ndimage.distance_transform_edt(mask, return_distances=False, return_indices=True)
    assert np.abs(result - image).mean() < 0.5 * np.abs(image[tuple(nearest)] - image).mean()


def grains(side, seed):
    return 100.0 * (smooth_image(side, seed) > 0) + 30.0 * (smooth_image(side, seed + 1) > 5)


@pytest.mark.parametrize(("kind", "share"), [(grains, 1.0), (smooth_image, 0.4)])
def test_nearer_than_linear_radial_basis_functions_whether_sharp_or_smooth(kind, share):
    """SciPy's, from the same 16 neighbours: what suits one kind of image is not what suits another."""
    image = kind(64, 5)
    places = patterns.sobol(image.shape, 0.15, 1)
    values = image[tuple(places.T)]
    grid = np.indices(image.shape).reshape(2, -1).T
    linear = RBFInterpolator(places, values, neighbors=16, kernel="linear")(grid).reshape(image.shape)
    own = reconstruct_values(image.shape, places, values)
    assert np.abs(own - image).mean() <= share * np.abs(linear - image).mean()


@pytest.mark.parametrize(
    ("positions", "values", "message"),
    [
        ([(1, 1)], [1.0, 2.0], "one each"),
        (np.empty((0, 2)), [], "at least one"),
        ([(1, 9)], [1.0], "inside the field"),
        ([(1, 1)], [np.nan], "finite"),
    ],
)
def test_refuses_what_does_not_match(positions, values, message):
    with pytest.raises(ValueError, match=message):
        reconstruct_values((5, 7), positions, values)
