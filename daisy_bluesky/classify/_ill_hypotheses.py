"""What an ill spectrum may look like: explicit alternatives to the phases."""

from collections.abc import Sequence

import numpy as np

from daisy_bluesky.classify._counts import Floats

GAINS = (-0.15, -0.12, -0.09, -0.07, -0.05, -0.035, -0.02, -0.01, 0.01, 0.02, 0.035, 0.05, 0.07, 0.09, 0.12, 0.15)
FLAT_SHARES = (0.25, 0.5)
LOST_BELOW = (0.04, 0.08, 0.12, 0.18)  # of the energy range
NOISE_TAIL = (0.015, 0.05)  # of the energy range
NOISE_SHARE = 0.4


def flat(channels: int) -> Floats:
    """Return noise without any energy dependence, (channels,), summing to 1."""
    return np.full(channels, 1.0 / channels)


def gain_shifted(mean: Floats, gain: float) -> Floats:
    """Return a mean spectrum (channels,) as an amplifier with a gain too large by `gain` would record it."""
    channel = np.arange(len(mean), dtype=np.float64)
    return _normalised(np.interp(channel / (1.0 + gain), channel, mean, right=float(mean.min())))


def low_energy_lost(mean: Floats, below: float) -> Floats:
    """Return a mean spectrum (channels,) that lost its counts below a share `below` of the energy range."""
    edge = below * len(mean)
    kept = 1.0 / (1.0 + np.exp(-4.0 * (np.arange(len(mean)) - edge) / max(edge, 1.0)))
    return _normalised(mean * kept)


def low_energy_noise(mean: Floats, tail: float) -> Floats:
    """Return a mean spectrum (channels,) with electronic noise piled up at the low-energy end."""
    noise = np.exp(-np.arange(len(mean)) / max(tail * len(mean), 1.0))
    return _normalised((1.0 - NOISE_SHARE) * mean + NOISE_SHARE * noise / noise.sum())


def ill_hypotheses(means: Floats, gains: Sequence[float] = GAINS) -> Floats:
    """Return the mean spectra that ill spectra of these phases may have.

    Flat noise alone and on top of each phase, each phase with a wrong gain, and each phase with its low-energy part
    lost or drowned in noise. Spikes of a few channels are tested for on their own.

    Parameters
    ----------
    means : (phases, channels) ndarray of float64
        Mean spectra of the phases, rows sum to 1.
    gains : sequence of float
        Relative errors of the gain to consider.

    Returns
    -------
    (hypotheses, channels) ndarray of float64
        Rows sum to 1 and are positive everywhere.
    """
    noise = flat(means.shape[1])
    rows = [noise]
    for mean in means:
        rows += [gain_shifted(mean, gain) for gain in gains]
        rows += [(1.0 - share) * mean + share * noise for share in FLAT_SHARES]
        rows += [low_energy_lost(mean, below) for below in LOST_BELOW]
        rows += [low_energy_noise(mean, tail) for tail in NOISE_TAIL]
    return np.stack(rows)


def _normalised(spectrum: Floats) -> Floats:
    floored = np.maximum(spectrum, 1e-3 * spectrum.mean())
    return np.asarray(floored / floored.sum(), np.float64)
