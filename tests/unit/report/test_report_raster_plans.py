import pytest
from hypothesis import given
from hypothesis import strategies as st

from daisy_bluesky.report import Acquisition, equal_electrons, equal_time, flying_raster, full_raster

SPENT = Acquisition(shape=(40, 60), visits=480, dwell=0.1, current=80.0, overhead=0.005)


def test_a_raster_of_equal_electrons_spends_them_on_all_pixels():
    plan = equal_electrons(SPENT)
    assert plan.electrons == pytest.approx(SPENT.electrons)
    assert plan.dwell == pytest.approx(0.02)
    assert plan.seconds == pytest.approx(2400 * 0.025)


def test_a_full_raster_gives_every_pixel_a_visit():
    plan = full_raster(SPENT)
    assert (plan.visits, plan.dwell) == (2400, 0.1)
    assert plan.electrons == pytest.approx(5 * SPENT.electrons)


def test_a_raster_of_equal_time_pays_the_overhead_at_every_pixel():
    (plan,) = equal_time(SPENT)
    assert plan.pitch == 1
    assert plan.seconds == pytest.approx(SPENT.seconds)
    assert plan.dwell == pytest.approx(0.2 * 0.105 - 0.005)


def test_where_the_overhead_takes_all_the_time_the_raster_is_coarser():
    spent = Acquisition((40, 60), 480, 0.01, 80.0, 0.005)  # 7.2 s, and 2400 overheads would take 12 s
    plans = equal_time(spent)
    assert [plan.pitch for plan in plans] == [2]
    assert plans[0].visits == 600
    assert plans[0].dwell == pytest.approx(7.2 / 600 - 0.005)


def test_a_coarser_raster_is_tried_where_most_time_would_go_into_overhead():
    spent = Acquisition((40, 60), 480, 0.021, 80.0, 0.005)  # 12.48 s: 0.2 ms of dwell at all pixels
    finest, economic = equal_time(spent)
    assert (finest.pitch, economic.pitch) == (1, 2)
    assert finest.dwell == pytest.approx(0.0002)
    assert economic.dwell > economic.seconds / economic.visits / 2


def test_a_flying_beam_pays_for_the_lines_only():
    plan = flying_raster(SPENT, line_retrace=1e-3)
    assert plan.dwell * 2400 + 40 * 1e-3 == pytest.approx(SPENT.seconds)
    assert plan.electrons == pytest.approx(plan.dwell * 2400 * SPENT.electron_rate)
    assert flying_raster(SPENT, line_retrace=10.0) is None


@given(
    rows=st.integers(2, 70),
    columns=st.integers(2, 70),
    share=st.floats(0.01, 1.0),
    dwell=st.floats(1e-4, 1.0),
    overhead=st.floats(0.0, 0.1),
)
def test_no_rival_takes_more_time_than_it_is_given_and_all_expose(rows, columns, share, dwell, overhead):
    spent = Acquisition((rows, columns), max(1, int(share * rows * columns)), dwell, 10.0, overhead)
    for plan in equal_time(spent):
        assert plan.dwell > 0
        assert plan.seconds <= spent.seconds * (1 + 1e-9)
        assert 0 <= plan.rows[0] <= plan.rows[-1] < rows
        assert 0 <= plan.columns[0] <= plan.columns[-1] < columns
