import numpy as np
import pytest

from daisy_bluesky.report import GroundTruth, MapOutcome

TRUTH = GroundTruth(
    labels=np.array([[1, 1, 2], [1, 3, 2], [1, 1, 2]]),
    ill=np.array([[True, False, False], [False, False, False], [False, False, True]]),
)


def test_pixels_whose_detector_fails_do_not_count():
    wrong_where_ill = TRUTH.labels.copy()
    wrong_where_ill[TRUTH.ill] = 3
    assert TRUTH.total_distortion(wrong_where_ill) == 0
    one_wrong = TRUTH.labels.copy()
    one_wrong[0, 1] = 2
    assert TRUTH.total_distortion(one_wrong) == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    ("label", "pixel", "misclassified", "false_alarm"),
    [
        (2, (0, 1), 1, 0),  # another phase
        (-1, (0, 1), 1, 0),  # a phase that is not new
        (0, (0, 1), 0, 1),  # good, called ill
        (1, (0, 0), 1, 0),  # ill, taken for a phase
        (0, (0, 0), 0, 0),  # ill, and called so
        (3, (1, 1), 0, 0),  # right
    ],
)
def test_what_counts_as_misclassified(label, pixel, misclassified, false_alarm):
    positions, labels = [(1, 0), (2, 2), pixel, (0, 2)], [1, 0, label, 2]
    assert TRUTH.misclassified(positions, labels) == misclassified / 4
    assert TRUTH.false_alarms(positions, labels) == false_alarm / 4


def test_a_judged_outcome_has_every_figure_and_keeps_its_price():
    outcome = MapOutcome("map", np.ones((3, 3), dtype=int), 0.5, 100.0, 1e9, 60.0)
    judged = TRUTH.judge(outcome, [(0, 1), (0, 2)], [1, 1])
    assert judged.total_distortion == pytest.approx(3 / 7)
    assert judged.misclassified == 0.5
    assert judged.small_objects == (1, 3)  # the phases 1, 2 and 3 are one object each, and only 1 is shown
    assert (judged.electrons, judged.seconds) == (1e9, 60.0)
