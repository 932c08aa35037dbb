"""What an ill spectrum may look like: explicit alternatives to the phases."""

import numpy as np

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


def ill_hypotheses(means: Floats, *, fine: bool = False) -> Floats:
    """Return the mean spectra that ill spectra of these phases may have.

    Flat noise alone and on top of each phase, each phase with a wrong gain, and each phase with its low-energy part
    lost or drowned in noise. Spikes of a few channels are tested for on their own.

    Parameters
    ----------
    means : (phases, channels) ndarray of float64
        Mean spectra of the phases, rows sum to 1.
    fine : bool
        Whether to go through errors in steps fine enough for the sum of many spectra.

    Returns
    -------
    (hypotheses, channels) ndarray of float64
        Rows sum to 1 and are positive everywhere.
    """
    noise = flat(means.shape[1])
    rows = [noise]
    for mean in means:
        rows += list(gain_shifted(mean, FINE_GAINS if fine else GAINS))
        rows += [(1.0 - share) * mean + share * noise for share in FLAT_SHARES]
        rows += [low_energy_noise(mean, tail) for tail in NOISE_TAIL]
        for steepness in STEEPNESSES if fine else STEEPNESSES[:1]:
            rows += [low_energy_lost(mean, below, steepness) for below in FINE_LOST_BELOW if fine]
            rows += [low_energy_lost(mean, below, steepness) for below in LOST_BELOW if not fine]
    return np.stack(rows)


def _normalised(spectrum: Floats) -> Floats:
    floored = np.maximum(spectrum, 1e-3 * spectrum.mean())
    return np.asarray(floored / floored.sum(), np.float64)
