"""Spectra made simply: Gaussian lines on a background."""

import numpy as np
import pytest

from daisy_bluesky.classify import PhaseClassifier

CHANNELS = 2048
LINES = (
    {0.525: 1.0, 1.74: 1.0, 0.28: 0.2},
    {0.525: 0.6, 0.705: 0.5, 6.40: 1.0, 7.06: 0.13, 0.28: 0.2},
    {0.525: 1.0, 1.25: 0.4, 1.49: 1.0, 0.28: 0.2},
    {0.525: 0.5, 3.69: 1.0, 4.51: 0.7, 0.28: 0.2},
    {2.31: 1.0, 7.47: 1.0, 8.26: 0.13, 0.28: 0.2},
)


def mean_spectrum(lines):
    energy = 0.01 * np.arange(CHANNELS)
    spectrum = 0.0015 * np.exp(-energy / 4) * (1 - np.exp(-energy / 0.4)) + 1e-7
    for centre, weight in lines.items():
        width = np.sqrt(0.05**2 + 2.5e-3 * centre) / 2.355
        spectrum += weight * 3.3e-4 / width * np.exp(-0.5 * ((energy - centre) / width) ** 2)
    return spectrum / spectrum.sum()


def ill_mean(kind, mean, rng):
    channel = np.arange(CHANNELS)
    if kind == "flat noise":
        return np.full(CHANNELS, 1 / CHANNELS)
    if kind == "shifted gain":
        gain = 1 + rng.choice([-1, 1]) * rng.uniform(0.04, 0.1)
        return np.interp(channel / gain, channel, mean) / gain
    if kind == "half dead time":
        return 0.5 * mean / (1 + np.exp(-(channel - rng.uniform(90, 170)) / 10))
    spike = np.zeros(CHANNELS)
    first = rng.integers(10, CHANNELS - 10)
    spike[first : first + rng.integers(1, 4)] = 1
    return 0.7 * mean + 0.3 * spike / spike.sum()


@pytest.fixture(scope="session")
def means():
    """Mean spectra of five phases, of which the classifier knows the first four."""
    return np.stack([mean_spectrum(lines) for lines in LINES])


@pytest.fixture(scope="session")
def draw(means):
    """Poisson spectra of phases (labels 1..5) at about some counts, as uint32."""

    def drawn(labels, counts, seed):
        rng = np.random.default_rng(seed)
        exposures = counts * rng.uniform(0.6, 1.4, len(labels))
        return rng.poisson(exposures[:, None] * means[np.asarray(labels) - 1]).astype(np.uint32)

    return drawn


@pytest.fixture(scope="session")
def draw_ill(means):
    """Ill spectra of one kind, with totals that overlap those of good ones."""

    def drawn(kind, n, counts, seed):
        rng = np.random.default_rng(seed)
        shapes = [ill_mean(kind, means[rng.integers(4)], rng) for _ in range(n)]
        exposures = counts * rng.uniform(0.6, 1.4, n)
        return rng.poisson(exposures[:, None] * np.array(shapes)).astype(np.uint32)

    return drawn


@pytest.fixture(scope="session")
def training(draw):
    labels = np.repeat(np.arange(1, 5), 24)
    return draw(labels, 1500, 1), labels


@pytest.fixture(scope="session")
def classifier(training):
    return PhaseClassifier.fit(*training, names=("silica", "iron", "corundum", "perovskite"))
