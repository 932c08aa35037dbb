import math

import numpy as np
import pytest

from daisy_bluesky.mfsi import ColumnPrediction, SeriesDose, counts_per_nm2, frames_needed, pixel_grid

# Jones et al. 2018, Methods: 17 pA, 200 x 200 pixels of 0.056 nm at 1000 spectra a second, 230 frames of about 41 s.
PAPER = SeriesDose(17.0, 1e-3, (200, 200), 0.056, frames=230, overhead_time=1.0)


def test_doses_of_the_papers_series():
    assert PAPER.frame_time == pytest.approx(40.0)
    assert PAPER.frame_duration == pytest.approx(41.0)
    assert PAPER.dose_per_frame == pytest.approx(3.44e5, rel=0.02)
    assert PAPER.total_dose == pytest.approx(7.9e7, rel=0.02)
    assert PAPER.series_time == pytest.approx(230 * 41.0)
    assert PAPER.dose_rate == pytest.approx(PAPER.dose_per_frame / 40)
    assert PAPER.series_dose_rate == pytest.approx(PAPER.total_dose / (230 * 41))
    assert PAPER.total_dose_with_overheads == pytest.approx(PAPER.total_dose * 41 / 40)


def test_pixel_charges_of_the_papers_fixed_dose_study():
    slow = SeriesDose(74.0, 0.01, (256, 256), 0.02)
    fast = slow.fractionated(5)
    assert slow.pixel_charge == pytest.approx(4.62e6, rel=0.001)
    assert fast.pixel_charge == pytest.approx(9.24e5, rel=0.001)
    assert fast.total_dose == pytest.approx(slow.total_dose)
    assert fast.dose_rate == pytest.approx(slow.dose_rate)


def test_the_fly_back_counts_once_a_line():
    series = SeriesDose(100.0, 1e-3, (60, 94), 0.067, frames=8, fly_back_time=0.5, overhead_time=10.0)
    assert series.frame_duration == pytest.approx(5.64 + 30 + 10)
    assert series.total_dose_with_overheads == pytest.approx(
        100e-12 * series.series_time / 1.602176634e-19 / (60 * 94 * 0.67**2)
    )


def test_a_series_states_its_numbers_with_units():
    text = str(PAPER)
    for part in ("frame time 40 s", "series time 9430 s", "3.38e+05 e-/A^2 a frame", "pixel charge 1.06e+05 e-"):
        assert part in text


@pytest.mark.parametrize(
    "change", [{"current": 0}, {"dwell_time": -1}, {"frames": 0}, {"pixel_size": math.nan}, {"overhead_time": -1}]
)
def test_a_series_that_makes_no_sense_is_refused(change):
    values = {"current": 17.0, "dwell_time": 1e-3, "shape": (200, 200), "pixel_size": 0.056, "frames": 2}
    with pytest.raises(ValueError, match=next(iter(change))):
        SeriesDose(**{**values, **change})


def test_the_number_of_pixels_follows_from_their_size():
    assert pixel_grid((5.0, 3.01), 0.5) == ((10, 7), (5.0, 3.5))
    with pytest.raises(ValueError, match="must be positive"):
        pixel_grid((1.0, 1.0), 0.0)


# Table 1 and Figure A1: element, spacing in nm, counts per nm^2 in one frame, in 230, and folded.
TABLE = [
    ("Ag", 0.3, 7.5, 1725, 193_150),
    ("Se", 0.3, 18, 4268, 478_028),
    ("Sn", 0.62, 5, 1099, 123_076),
    ("Zn", 0.3, 5, 1149, 128_688),
]


@pytest.mark.parametrize(("element", "spacing", "single", "series", "folded"), TABLE)
def test_predictions_agree_with_what_the_papers_maps_show(element, spacing, single, series, folded):
    assert ColumnPrediction(single, spacing).verdict == "not resolved"
    assert ColumnPrediction(series, spacing).verdict == ("resolved" if element == "Sn" else "marginal")
    assert ColumnPrediction(folded, spacing).verdict == "resolved"


def test_the_predicted_signal_to_noise_is_that_of_simulated_columns():
    rng = np.random.default_rng(0)
    spacing, width, density, pixel = 0.3, 0.2, 4000.0, 0.02
    prediction = ColumnPrediction(density, spacing, width)
    places = (np.arange(600) + 0.5) * pixel
    sigma = width / 2.3548
    comb = sum(np.exp(-0.5 * ((places - k * spacing) / sigma) ** 2) for k in range(-2, 44))
    profile = comb / comb.mean()
    counts = rng.poisson(density * pixel**2 * np.outer(profile, profile))
    wave = np.cos(2 * np.pi * places / spacing)
    cell = round(spacing / pixel)
    cells = (counts * wave).reshape(40, cell, 600)[..., :].sum(axis=1).reshape(40, 40, cell).sum(axis=2)
    contrast = cells.mean() / (density * spacing**2)  # half of 2 exp(...), as the wave's mean square is one half
    assert contrast == pytest.approx(prediction.contrast, rel=0.03)
    assert cells.mean() / cells.std() == pytest.approx(prediction.signal_to_noise * math.sqrt(2), rel=0.15)


def test_frames_needed_are_enough_and_not_too_many():
    one = ColumnPrediction(18.0, 0.3)
    n = frames_needed(one)
    assert one.repeated(n).verdict == "resolved"
    assert one.repeated(n - 1).verdict == "marginal"
    with pytest.raises(ValueError, match="without counts"):
        frames_needed(ColumnPrediction(0.0, 0.3))
    with pytest.raises(ValueError, match="positive"):
        ColumnPrediction(10.0, 0.0)


def test_counts_per_area():
    assert counts_per_nm2(1254.4, 200 * 200, 0.056) == pytest.approx(10.0)
    with pytest.raises(ValueError, match="must be positive"):
        counts_per_nm2(10, 0, 0.1)
