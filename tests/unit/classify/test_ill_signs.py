import numpy as np
import pytest
from scipy.stats import norm

from daisy_bluesky.classify._counts import as_spectra
from daisy_bluesky.classify._ill_hypotheses import gain_shifted, ill_hypotheses, low_energy_lost
from daisy_bluesky.classify._phase_fit import PhaseFit
from daisy_bluesky.classify._spike import is_spike


def test_a_gain_shift_moves_lines_in_proportion(means):
    shifted = gain_shifted(means[1], np.array([0.05, -0.1]))
    assert [row[500:760].argmax() + 500 for row in shifted] == [672, 576]
    assert np.allclose(shifted.sum(1), 1)


def test_low_energies_are_lost_and_high_ones_kept(means):
    lost = low_energy_lost(means[1], 0.12)
    assert lost[:100].sum() < 0.1 * means[1][:100].sum()
    assert lost[600:].sum() > means[1][600:].sum()


def test_every_ill_hypothesis_is_a_possible_mean(means):
    rows = ill_hypotheses(means[:2])
    assert np.allclose(rows.sum(1), 1)
    assert rows.min() > 0


@pytest.mark.parametrize("counts", [30, 50, 200, 1000])
def test_misfit_is_a_normal_deviate_even_at_a_few_counts(means, draw, counts):
    good = draw(np.arange(3000) % 4 + 1, counts, 50)
    misfit = PhaseFit(means[:4]).evaluate(as_spectra(good)).values[:, 0]
    for rate in (0.1, 0.01):
        assert np.mean(misfit > norm.isf(rate)) < 1.6 * rate


def test_a_line_is_no_spike_but_a_cosmic_ray_is(means, draw):
    assert not any(is_spike(spectrum) for spectrum in draw(np.arange(500) % 5 + 1, 100, 51))
    struck = draw([1], 100, 52)[0]
    struck[1200] += 30
    assert is_spike(struck)
