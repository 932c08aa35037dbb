import numpy as np
import pytest

from daisy_bluesky.sampling import small_objects_found, total_distortion


def test_total_distortion_counts_wrong_pixels_that_are_not_ill():
    truth = np.ones((4, 5), int)
    labels = truth.copy()
    labels[0, :3] = 2
    ill = np.zeros((4, 5), bool)
    assert total_distortion(labels, truth, ill) == 3 / 20
    ill[0, 0] = ill[3, 3] = True
    assert total_distortion(labels, truth, ill) == 2 / 18
    assert total_distortion(labels, truth, ~np.zeros((4, 5), bool)) == 0


def test_small_objects_are_found_by_half_of_their_pixels():
    truth = np.ones((12, 12), int)
    truth[1:3, 1:3] = 2
    truth[5, 5:8] = 2
    truth[9:11, 9:11] = 3
    truth[11, 0:8] = 2
    labels = truth.copy()
    labels[1, 1:3] = 1
    labels[5, 5:7] = 1
    labels[9:11, 9:11] = 2
    assert small_objects_found(truth, truth, 4) == (3, 3)
    assert small_objects_found(labels, truth, 4) == (1, 3)
    assert small_objects_found(labels, truth, 8) == (2, 4)
    assert small_objects_found(labels, truth, 2) == (0, 0)


def test_objects_that_touch_at_a_corner_are_two():
    truth = np.ones((6, 6), int)
    truth[1, 1] = truth[2, 2] = 2
    assert small_objects_found(truth, truth, 1) == (2, 2)


def test_refuses_maps_of_other_shapes():
    with pytest.raises(ValueError, match="differ in shape"):
        total_distortion(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="differ in shape"):
        total_distortion(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="differ in shape"):
        small_objects_found(np.ones((2, 3)), np.ones((3, 2)), 5)
