import numpy as np
import pytest

from daisy_bluesky.devices import DoseLimitExceeded
from daisy_bluesky.devices._account import DoseAccount


def test_dose_is_that_of_the_multiframe_paper():
    """Jones et al. 2018: 17 pA, 200 x 200 pixels of 0.56 A, 41 s a frame: 3.44e5 e-/A^2."""
    account = DoseAccount((200, 200), 0.056)
    account.restore(np.full((200, 200), 41.0 / 40_000), np.ones((200, 200)), np.full((200, 200), 17.0 * 41.0 / 40_000))
    assert account.total_dose == pytest.approx(3.44e5, rel=0.02)
    assert account.dose.mean() == pytest.approx(account.total_dose)
    assert account.charge == pytest.approx(17.0 * 41.0)


def test_dose_is_electrons_over_pixel_area():
    account = DoseAccount((2, 2), 1.0)
    account.add((1, 0), 0.5, 160.2176634)  # 80.1 pC are 5e8 electrons, on 100 A^2
    assert account.dose[1, 0] == pytest.approx(5e6)
    assert account.dose.sum() == pytest.approx(5e6)
    assert account.total_dose == pytest.approx(5e6 / 4)


def test_limits_hold_to_the_last_exposure_that_fits():
    account = DoseAccount((2, 2), 1.0, max_charge=1.0)
    for _ in range(10):
        account.check((0, 0), 0.1)
        account.add((0, 0), 0.001, 100.0)
    with pytest.raises(DoseLimitExceeded, match=r"^max_charge: [^\n]*limit of 1 pC[^\n]*$"):
        account.check((0, 0), 0.1)


def test_pixel_limit_is_of_one_pixel_only():
    account = DoseAccount((2, 2), 1.0, max_pixel_dose=1e5)
    account.add((0, 0), 0.01, 160.0)
    with pytest.raises(DoseLimitExceeded, match=r"^max_pixel_dose: pixel \(0, 0\)"):
        account.check((0, 0), 1.0)
    account.check((0, 1), 1.0)


@pytest.mark.parametrize(
    ("dwell_map", "visits", "name"),
    [
        (np.zeros((2, 3)), np.zeros((2, 2)), "dwell_map"),
        (np.zeros((2, 2)), np.zeros(4), "visits"),
        (np.full((2, 2), np.nan), np.zeros((2, 2)), "dwell_map"),
        (np.zeros((2, 2)), np.full((2, 2), -1), "visits"),
    ],
)
def test_restore_refuses_what_is_not_a_map_of_the_field(dwell_map, visits, name):
    account = DoseAccount((2, 2), 1.0)
    account.add((0, 0), 1.0, 1.0)
    with pytest.raises(ValueError, match=name):
        account.restore(dwell_map, visits, np.zeros((2, 2)))
    assert account.charge == 1.0


def test_restored_dose_counts_against_the_limits():
    account = DoseAccount((2, 2), 1.0, max_charge=1.0)
    account.restore([[0.009, 0], [0, 0]], [[1, 0], [0, 0]], [[0.9, 0], [0, 0]])
    account.check((0, 0), 0.1)
    with pytest.raises(DoseLimitExceeded):
        account.check((0, 0), 0.11)
    account.reset()
    account.check((0, 0), 1.0)


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_is_positive(value):
    with pytest.raises(ValueError, match="max_charge"):
        DoseAccount((2, 2), 1.0, max_charge=value)


def test_the_room_of_a_pixel_is_what_its_limit_leaves():
    account = DoseAccount((2, 2), 1.0, max_pixel_dose=1e4)
    account.add((0, 1), 0.001, 100.0)
    room = account.room(50.0)
    whole = 1e4 * 100.0 * 1.602176634e-19 * 1e12 / 50.0
    assert room[0, 0] == pytest.approx(whole)
    assert room[0, 1] == pytest.approx(whole - 0.001 * 100.0 / 50.0)
    assert np.isinf(DoseAccount((2, 2), 1.0).room(50.0)).all()
