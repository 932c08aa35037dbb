"""The rows of the multi-objective table at a size that takes seconds."""

import pytest

from daisy_bluesky.bench import _daisy_alloy, _daisy_flake, _daisy_run
from daisy_bluesky.plans import sparse_map
from daisy_bluesky.specimen import VirtualSpecimen


def test_a_row_for_each_element_with_all_rivals():
    gates = list(_daisy_flake.compare(_daisy_flake.GATED, (24, 24), range(1, 2)))
    for gate, edge in zip(gates, _daisy_flake.EDGES, strict=True):
        assert f", {edge} map, " in gate.what
    for gate in gates:
        assert gate.figures.keys() == {"ours", "jittered", "equal electrons", "equal time"}
        rasters = min(gate.figures["equal electrons"], gate.figures["equal time"])
        assert gate.passed == (gate.figures["ours"] <= rasters)
        assert ("THE RASTER WINS" in gate.beside) != gate.passed


def test_rivals_spend_what_they_say():
    microscope = _daisy_flake._microscope(_daisy_flake.GATED, (20, 20), 1)
    found = _daisy_run.rivals(microscope, ("B K",), 0.1, 1)
    jittered = found["jittered"]
    assert len(jittered.places) == 40
    assert found["equal electrons"].electrons == pytest.approx(jittered.electrons)
    assert found["equal time"].seconds == pytest.approx(jittered.seconds, rel=1e-3)
    assert jittered.electrons / 20**2 / 50**2 == pytest.approx(microscope.dose_of(0.1))


def test_no_raster_where_its_overheads_take_longer_than_the_sparse_map():
    microscope = _daisy_run.Microscope(VirtualSpecimen.alloy((16, 16), seed=1), "eds", 100.0, 0.01, 0.0, 0.05)
    assert _daisy_run.rivals(microscope, ("Ti Ka",), 0.1, 1)["equal time"] is None
    assert _daisy_alloy._judged(microscope, None) == (1.0, 0.0)


def test_the_truth_is_what_a_long_exposure_tells():
    microscope = _daisy_run.Microscope(VirtualSpecimen.alloy((16, 16), seed=1), "eds", 100.0, 5.0, 0.0, 0.0)
    measured = _daisy_run.run(microscope, ("Ti Ka",), sparse_map, dwell_time=50.0, fraction=0.1)
    rates, variances = measured.rates["Ti Ka"].T
    errors = rates - microscope.true_rates("Ti Ka")[tuple(measured.places.T)]
    assert (abs(errors) < 5 * variances**0.5).all()
