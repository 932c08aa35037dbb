"""What an ill spectrum may look like: explicit alternatives to the phases."""

import numpy as np
from scipy.signal import fftconvolve

from daisy_bluesky.classify._counts import Floats
from daisy_bluesky.compilation import compiled

GAINS = np.array(
    [-0.15, -0.12, -0.09, -0.07, -0.05, -0.035, -0.02, -0.01, 0.01, 0.02, 0.035, 0.05, 0.07, 0.09, 0.12, 0.15]
)
FINE_GAINS = np.delete(np.linspace(-0.15, 0.15, 61), 30)
FLAT_SHARES = (0.25, 0.5)
LOST_BELOW = (0.04, 0.08, 0.12, 0.18)  # of the energy range
FINE_LOST_BELOW = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.09, 0.12, 0.15, 0.18)
STEEPNESSES = (4.0, 12.0)  # of the edge, in units of its energy
LOW_END = 0.008  # of the energy range, three times
NOISE_TAIL = (0.015, 0.05)  # of the energy range
NOISE_SHARE = 0.4


def flat(channels: int) -> Floats:
    """Return noise without any energy dependence, (channels,), summing to 1."""
    return np.full(channels, 1.0 / channels)


@compiled
def gain_shifted(mean: Floats, gains: Floats) -> Floats:
    """Return a mean spectrum (channels,) as amplifiers with a gain too large by `gains` (n,) would record it.

    Shape (n, channels); rows sum to 1. Counts that leave the range are lost, and noise takes the place of none.
    """
    channels = len(mean)
    shifted = np.empty((len(gains), channels))
    least = 1e-3 * np.mean(mean)
    for row in range(len(gains)):
        for channel in range(channels):
            place = channel / (1.0 + gains[row])
            below = int(place)
            value = least
            if below < channels - 1:
                value = mean[below] + (place - below) * (mean[below + 1] - mean[below])
            shifted[row, channel] = max(value, least)
        shifted[row] /= np.sum(shifted[row])
    return shifted


def low_energy_lost(mean: Floats, below: float, steepness: float = 4.0) -> Floats:
    """Return a mean spectrum (channels,) that lost its counts below a share `below` of the energy range."""
    edge = max(below * len(mean), 1.0)
    kept = 1.0 / (1.0 + np.exp(np.clip(-steepness * (np.arange(len(mean)) - edge) / edge, -40.0, 40.0)))
    return _normalised(mean * kept)


def low_energy_noise(mean: Floats, tail: float) -> Floats:
    """Return a mean spectrum (channels,) with electronic noise piled up at the low-energy end."""
    noise = np.exp(-np.arange(len(mean)) / max(tail * len(mean), 1.0))
    return _normalised((1.0 - NOISE_SHARE) * mean + NOISE_SHARE * noise / noise.sum())


def piled_up(mean: Floats) -> Floats:
    """Return a mean spectrum (channels,) of photons that arrive in pairs and are counted as one."""
    return _normalised(fftconvolve(mean, mean)[: len(mean)].clip(0.0))


def low_end(channels: int) -> Floats:
    """Return noise in a few channels at the low-energy end, (3, channels), rows sum to 1."""
    width = max(round(LOW_END * channels), 1)
    rows = np.full((3, channels), 1e-9)
    for row in range(3):
        rows[row, row * width : (row + 1) * width] = 1.0
    return np.asarray(rows / rows.sum(1, keepdims=True), np.float64)


def ill_hypotheses(means: Floats) -> Floats:
    """Return the mean spectra that single ill spectra of these phases may have.

    Flat noise alone and on top of each phase, each phase with a wrong gain, and each phase with its low-energy part
    lost or drowned in noise. Spikes of a few channels are tested for on their own.

    Parameters
    ----------
    means : (phases, channels) ndarray of float64
        Mean spectra of the phases, rows sum to 1.

    Returns
    -------
    (hypotheses, channels) ndarray of float64
        Rows sum to 1 and are positive everywhere.
    """
    noise = flat(means.shape[1])
    rows = [noise]
    for mean in means:
        rows += list(gain_shifted(mean, GAINS))
        rows += [(1.0 - share) * mean + share * noise for share in FLAT_SHARES]
        rows += [low_energy_lost(mean, below) for below in LOST_BELOW]
        rows += [low_energy_noise(mean, tail) for tail in NOISE_TAIL]
    return np.stack(rows)


def ill_components(means: Floats) -> Floats:
    """Return what sums of many ill spectra of these phases may be mixed of, (components, channels).

    The same kinds as `ill_hypotheses`, in steps fine enough for many counts, pile-up, and noise at the low end. Wrong
    gains come last, `len(FINE_GAINS)` for each phase.
    """
    rows = [flat(means.shape[1]), *low_end(means.shape[1])]
    for mean in means:
        rows += [piled_up(mean), *(low_energy_noise(mean, tail) for tail in NOISE_TAIL)]
        rows += [low_energy_lost(mean, below, steep) for below in FINE_LOST_BELOW for steep in STEEPNESSES]
    return np.concatenate([np.stack(rows), *(gain_shifted(mean, FINE_GAINS) for mean in means)])


def _normalised(spectrum: Floats) -> Floats:
    floored = np.maximum(spectrum, 1e-3 * spectrum.mean())
    return np.asarray(floored / floored.sum(), np.float64)
