import numpy as np
import pytest

from daisy_bluesky.mfsi import DamageMonitor


def noticed(counts, direction="falling", exposures=None, **options):
    """The frame at which damage is noticed, or None."""
    monitor = DamageMonitor(direction, **options)
    for counted, exposure in zip(counts, exposures if exposures is not None else np.ones(len(counts)), strict=True):
        monitor.add(counted, exposure=exposure)
    return monitor.damage


@pytest.mark.parametrize("direction", ["falling", "rising"])
def test_undamaged_series_raise_no_alarm(direction):
    rng = np.random.default_rng(0)
    assert not any(noticed(rng.poisson(rate, 230), direction) for rate in (5, 300, 20_000) for _ in range(20))


def test_a_fading_edge_is_noticed_before_a_tenth_is_lost():
    rng = np.random.default_rng(1)
    left = np.exp(-np.arange(230) / 300)
    for _ in range(10):
        damage = noticed(rng.poisson(4000 * left))
        assert damage is not None
        assert left[damage.frame] > 0.9
        assert damage.change == pytest.approx(left[damage.since : damage.frame + 1].mean() - 1, abs=0.06)
        assert damage.significance >= 5


def test_rising_carbon_is_noticed_and_its_fall_is_not():
    rng = np.random.default_rng(2)
    grown = rng.poisson(800 * (1 + np.arange(200) / 200))
    assert noticed(grown, "rising").frame < 60
    assert noticed(grown, "falling") is None


def test_a_step_is_dated_to_the_frame_it_happened_in():
    rng = np.random.default_rng(3)
    damage = noticed(np.concatenate([rng.poisson(10_000, 50), rng.poisson(8_500, 50)]))
    assert abs(damage.since - 50) <= 1
    assert damage.frame <= 52


def test_a_beam_that_fades_is_no_damage_when_the_exposure_says_so():
    rng = np.random.default_rng(4)
    current = np.exp(-np.arange(200) / 150)
    assert noticed(rng.poisson(5000 * current)) is not None
    assert noticed(rng.poisson(5000 * current), exposures=current) is None


def test_frames_without_exposure_are_left_out():
    counts, exposures = np.full(60, 1000), np.ones(60)
    counts[30:34], exposures[30:34] = 0, 0
    assert noticed(counts, exposures=exposures) is None


def test_a_noisier_detector_needs_a_larger_change():
    rng = np.random.default_rng(5)
    noisy = 25.0 * rng.poisson(400, 230)
    assert noticed(noisy) is not None
    assert noticed(noisy, noise_gain=25.0) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "sideways"}, "direction is 'sideways'"),
        ({"direction": "rising", "threshold": 0}, "must be positive"),
        ({"direction": "rising", "noise_gain": -1}, "must be positive"),
    ],
)
def test_a_monitor_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DamageMonitor(**options)


@pytest.mark.parametrize("bad", [{"counts": -1}, {"counts": np.nan}, {"counts": 3, "exposure": np.inf}])
def test_counts_that_make_no_sense_are_refused_and_not_taken_in(bad):
    monitor = DamageMonitor("falling")
    monitor.add(10)
    with pytest.raises(ValueError, match="leave the frame out"):
        monitor.add(**bad)
    assert monitor.frames == 1
