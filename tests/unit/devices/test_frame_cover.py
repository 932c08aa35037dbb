"""Which pixels of a field a frame covers, against the areas themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daisy_bluesky.devices._account import DoseAccount, DoseLimitExceeded
from daisy_bluesky.devices._area import FrameCover
from daisy_bluesky.protocols import FrameExposure

FIELD, SIZE = (20, 24), 0.5


def cover(shape, pixel_size, origin):
    return FrameCover(FrameExposure(0, shape, pixel_size, origin, 0.0, 1e-3, 10.0), FIELD, SIZE)


def painted(shape, pixel_size, origin, fineness=60):
    """The same by painting: every frame pixel as a square of points, counted by the field pixel they fall into."""
    step, counts = pixel_size / SIZE, np.zeros(FIELD)
    offsets = (np.arange(fineness) + 0.5) / fineness - 0.5
    rows = (origin[0] + step * (np.arange(shape[0])[:, None] + offsets)).ravel()
    columns = (origin[1] + step * (np.arange(shape[1])[:, None] + offsets)).ravel()
    rows, columns = np.floor(rows + 0.5).astype(int), np.floor(columns + 0.5).astype(int)
    np.add.at(counts, np.ix_(rows, columns), 1.0)
    return counts / counts.sum()


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    pixel_size=st.floats(0.05, 1.0),
    top=st.floats(1.0, 6.0),
    left=st.floats(1.0, 8.0),
)
def test_a_frame_is_shared_out_by_area(rows, columns, pixel_size, top, left):
    found, area = np.zeros(FIELD), cover((rows, columns), pixel_size, (top, left)).whole()
    found[area.box] = area.shares
    np.testing.assert_allclose(found, painted((rows, columns), pixel_size, (top, left)), atol=0.05)
    assert found.sum() == pytest.approx(1.0)


def test_lines_make_up_the_frame():
    frame = cover((7, 5), 0.3, (3.2, 4.7))
    whole, lines = np.zeros(FIELD), np.zeros(FIELD)
    whole[frame.whole().box] += frame.whole().shares
    for row in range(7):
        line = frame.lines(row, row + 1)
        lines[line.box] += line.shares / 7
    np.testing.assert_allclose(lines, whole, atol=1e-12)


def test_what_hangs_over_the_edge_is_booked_on_the_edge():
    area = cover((2, 2), 0.5, (-0.4, -0.4)).whole()
    assert area.box == (slice(0, 2), slice(0, 2))
    assert area.shares.sum() == pytest.approx(1.0)


def test_a_dose_is_the_charge_on_an_area_over_that_area():
    account, frame = DoseAccount(FIELD, SIZE), cover((10, 10), 0.25, (5.0, 5.0))
    for row in range(10):
        account.add_area(frame.lines(row, row + 1), 0.01, 20.0)
    electrons = 10 * 0.01 * 20.0 * 1e-12 / 1.602176634e-19
    assert account.dose[7, 7] == pytest.approx(electrons / (10 * 2.5) ** 2)
    assert account.charge == pytest.approx(2.0)


def test_a_frame_over_a_limit_is_refused_whole():
    frame = cover((10, 10), 0.25, (5.0, 5.0)).whole()
    account = DoseAccount(FIELD, SIZE, max_charge=1.0)
    account.check_area(frame, 1.0)
    with pytest.raises(DoseLimitExceeded, match="max_charge"):
        account.check_area(frame, 1.1)
    account = DoseAccount(FIELD, SIZE, max_pixel_dose=100.0)
    with pytest.raises(DoseLimitExceeded, match="max_pixel_dose"):
        account.check_area(frame, 1.0)
