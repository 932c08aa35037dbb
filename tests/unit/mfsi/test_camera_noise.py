"""The noise of a camera, found in spectra whose noise is known."""

import numpy as np
import pytest

from daisy_bluesky.mfsi import estimated_noise

CHANNELS = 600


def frame(gain, read_noise, *, peak=0.0, seed=0):
    rng = np.random.default_rng(seed)
    energies = np.arange(CHANNELS)
    means = 4000.0 * (1 + energies / 80.0) ** -2.5 + peak * np.exp(-0.5 * ((energies - 200) / 1.5) ** 2)
    thickness = rng.uniform(0.5, 1.5, (20, 25, 1))
    expected = means * thickness
    noise = np.sqrt(gain * expected + read_noise**2) * rng.standard_normal(expected.shape)
    return (expected + noise).astype(np.float32)


@pytest.mark.parametrize(("gain", "read_noise"), [(1.0, 0.0), (12.5, 8.0), (3.0, 25.0), (40.0, 1.0)])
def test_gain_and_read_noise_are_those_put_in(gain, read_noise):
    found = estimated_noise(frame(gain, read_noise))
    assert found.gain == pytest.approx(gain, rel=0.03)
    if read_noise >= gain / 2:
        assert found.read_noise == pytest.approx(read_noise, rel=0.05)


def test_a_sharp_peak_is_no_noise():
    assert estimated_noise(frame(5.0, 3.0, peak=50_000.0)).gain == pytest.approx(5.0, rel=0.05)


def test_spectra_of_nothing_have_the_noise_of_counted_electrons():
    found = estimated_noise(np.zeros((4, 5, 60)))
    assert (found.gain, found.read_noise) == (1.0, 0.0)
