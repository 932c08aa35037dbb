import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sampling_maps import random_field

from daisy_bluesky.sampling import patterns, reconstruct, total_distortion, vote
from daisy_bluesky.sampling._nearest import cells_of, find_nearest


def sampled(truth, fraction, seed=0):
    positions = patterns.sobol(truth.shape, fraction, seed)
    return positions, truth[positions[:, 0], positions[:, 1]]


def test_vote_is_the_inverse_square_vote_of_ten_neighbours(two_phases):
    """Against a direct computation in pixels without ties in distance."""
    positions, labels = sampled(two_phases, 0.05)
    voted = vote(two_phases.shape, positions, labels)
    for row, column in np.ndindex(two_phases.shape):
        distance = np.hypot(*(positions - (row, column)).T)
        order = np.argsort(distance)
        if distance[order[9]] == distance[order[10]] or distance[order[0]] == 0:
            continue
        weight = 1 / distance[order[:10]] ** 2
        sums = [weight[labels[order[:10]] == label].sum() for label in (1, 2)]
        if abs(sums[0] - sums[1]) > 1e-9:
            assert voted[row, column] == 1 + np.argmax(sums)


def covariance(one, other, scale):
    away = np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1)) / scale
    return 0.7 * np.exp(-((away / 3.5) ** 2) / 2) + 0.3 * np.exp(-away / 10)


def kriged(pixel, positions, indicator):
    """Ordinary kriging with 16 neighbours as a bordered linear system."""
    away = np.hypot(*(positions - pixel).T)
    order = np.argsort(away)[:16]
    near, scale = positions[order], max(1, away[order[-1]] / 11)
    matrix = np.ones((17, 17))
    matrix[:16, :16] = covariance(near, near, scale) + 0.15 * np.eye(16)
    matrix[16, 16] = 0
    right = np.append(covariance(near, np.array([pixel]), scale)[:, 0], 1)
    return np.linalg.solve(matrix, right)[:16] @ indicator[order]


@pytest.mark.parametrize("fraction", [0.01, 0.08])
def test_reconstruction_is_ordinary_kriging_of_indicators(fraction):
    """A dense solution of the same equations, wherever it is clear and the 17th neighbour is farther than the 16th."""
    truth = random_field(64, 3)
    positions, labels = sampled(truth, fraction)
    indicator = np.stack([labels == 1, labels == 2], axis=1).astype(float)
    measured = {tuple(place) for place in positions.tolist()}
    own = reconstruct(truth.shape, positions, labels)
    clear = 0
    for pixel in np.ndindex(truth.shape):
        away = np.sort(np.hypot(*(positions - pixel).T))
        expected = kriged(pixel, positions, indicator)
        if pixel not in measured and away[16] > away[15] and abs(expected[0] - expected[1]) > 1e-6:
            clear += 1
            assert own[pixel] == 1 + np.argmax(expected)
    assert clear > truth.size // 3


def test_reconstruction_beats_the_vote():
    better = worse = 0.0
    for seed in range(4):
        truth = random_field(96, seed)
        positions, labels = sampled(truth, 0.05, seed)
        better += total_distortion(reconstruct(truth.shape, positions, labels), truth)
        worse += total_distortion(vote(truth.shape, positions, labels), truth)
    assert better < 0.93 * worse


@pytest.mark.parametrize("method", [vote, reconstruct])
def test_what_was_measured_stays_and_failed_spectra_are_interpolated(method, two_phases):
    positions, labels = sampled(two_phases, 0.1)
    labels = labels.copy()
    labels[::7] = -1
    labels[::10] = 0
    result = method(two_phases.shape, positions, labels)
    valid = labels != 0
    np.testing.assert_array_equal(result[tuple(positions[valid].T)], labels[valid])
    assert (result != 0).all()


@pytest.mark.parametrize("method", [vote, reconstruct])
def test_few_or_no_labels(method):
    assert (method((5, 7), np.empty((0, 2), int), []) == 0).all()
    assert (method((5, 7), [(1, 1)], [0]) == 0).all()
    assert (method((5, 7), [(1, 1)], [3]) == 3).all()
    result = method((5, 8), [(2, 0), (2, 7)], [1, 2])
    assert (result[:, :4] == 1).all()
    assert (result[:, 4:] == 2).all()


@pytest.mark.parametrize("method", [vote, reconstruct])
def test_refuses_what_does_not_match(method):
    with pytest.raises(ValueError, match="one each"):
        method((5, 7), [(1, 1)], [1, 2])
    with pytest.raises(ValueError, match="inside the field"):
        method((5, 7), [(1, 7)], [1])


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(1, 20),
    st.floats(0.0, 1.0),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_nearest_places_equal_sorting_all_of_them(shape, k, share, seed):
    """Also where places are few, crowded in a corner, or in a field one pixel wide."""
    rng = np.random.default_rng(seed)
    places = np.argwhere(rng.random(shape) < share)
    if seed % 2:
        places = places[places.sum(axis=1) < 12]
    assume(len(places) > 0)
    k = min(k, len(places))
    cells, squared, nearest = cells_of(shape, places), np.empty(k, np.int64), np.empty(k, np.int64)
    for row, column in np.ndindex(shape):
        find_nearest(cells, row, column, squared, nearest)
        away = ((places - (row, column)) ** 2).sum(axis=1)
        order = np.lexsort((np.arange(len(places)), away))[:k]
        np.testing.assert_array_equal(nearest, order)
        np.testing.assert_array_equal(squared, away[order])
