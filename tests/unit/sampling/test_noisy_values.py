"""Noisy values made an image: against a dense solution, and with variances that hold."""

import numpy as np
import pytest

from daisy_bluesky.sampling import reconstruct_noisy
from daisy_bluesky.sampling._noisy_values import krige_noisy

SHAPE = (24, 30)
ROWS, COLUMNS = np.indices(SHAPE)


def test_kriging_is_the_solution_of_the_ordinary_kriging_system():
    rng = np.random.default_rng(1)
    places = rng.permutation(SHAPE[0] * SHAPE[1])[:12]
    places = np.stack(np.divmod(places, SHAPE[1]), axis=1)
    values, relative, length = rng.standard_normal(12), rng.uniform(0.1, 1, 12), 5.0
    target = np.array([[11, 13]])
    image, variance = np.empty(1), np.empty(1)
    krige_noisy(target, places, values, relative, np.arange(12)[None], length, image, variance)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    system = np.ones((13, 13))
    system[12, 12] = 0
    system[:12, :12] = np.exp(-apart / length) + np.diag(relative)
    right = np.append(np.exp(-np.linalg.norm(places - target, axis=1) / length), 1.0)
    solved = np.linalg.solve(system, right)
    assert image[0] == pytest.approx(solved[:12] @ values)
    assert variance[0] == pytest.approx(1 - solved @ right)


def test_a_dense_noisy_raster_is_denoised_and_its_variance_holds():
    truth = 10.0 * (COLUMNS > 14)
    rng = np.random.default_rng(2)
    places = np.argwhere(np.ones(SHAPE, bool))
    noise = np.full(len(places), 16.0)
    image, variance = reconstruct_noisy(SHAPE, places, truth.ravel() + 4 * rng.standard_normal(truth.size), noise)
    errors = image - truth
    assert np.mean(errors**2) < 0.35 * 16.0
    away = np.abs(COLUMNS - 14.5) > 3
    assert 0.4 < np.mean(errors[away] ** 2 / variance[away]) < 1.6


def test_values_that_are_sure_are_kept():
    rng = np.random.default_rng(3)
    places = np.argwhere(rng.random(SHAPE) < 0.2)
    values = np.sin(places[:, 0] / 3) * places[:, 1]
    image, _ = reconstruct_noisy(SHAPE, places, values, np.zeros(len(places)))
    np.testing.assert_allclose(image[tuple(places.T)], values, atol=0.2)
    np.testing.assert_allclose(image, np.sin(ROWS / 3) * COLUMNS, atol=12.0)


def test_one_value_is_everywhere():
    image, variance = reconstruct_noisy(SHAPE, [(3, 4)], [7.0], [2.0])
    assert (image == 7.0).all()
    assert (variance == 2.0).all()


@pytest.mark.parametrize(
    ("positions", "values", "variances", "named"),
    [
        ([], [], [], "values"),
        ([(1, 1)], [1.0, 2.0], [1.0], "values"),
        ([(1, 1)], [np.nan], [1.0], "finite"),
        ([(1, 1)], [1.0], [-1.0], "negative"),
        ([(30, 1)], [1.0], [1.0], "positions"),
    ],
)
def test_bad_input_is_named(positions, values, variances, named):
    with pytest.raises(ValueError, match=named):
        reconstruct_noisy(SHAPE, positions, values, variances)
