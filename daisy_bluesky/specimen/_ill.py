"""Ill spectra: what a detector returns when something went wrong during an exposure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from daisy_bluesky.spectra import EnergyAxis

Spectrum = NDArray[np.float64]


def ill_map(shape: tuple[int, int], *, seed: int, fraction: float = 0.0075) -> NDArray[np.uint8]:
    """Choose pixels whose spectra will be ill, and how.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    seed : int
        Seed of the choice.
    fraction : float, optional
        Part of the pixels to choose, from 0 to 1.

    Returns
    -------
    (rows, columns) uint8
        0 = good, k = the k-th kind of `ILL_KINDS`, all kinds equally often.

    Raises
    ------
    ValueError
        If `fraction` is outside [0, 1].
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction of ill spectra is {fraction}, but must lie in [0, 1]")
    rng = np.random.default_rng([seed, 0x111])
    pixels = rng.permutation(shape[0] * shape[1])[: round(fraction * shape[0] * shape[1])]
    kinds = np.zeros(shape[0] * shape[1], dtype=np.uint8)
    kinds[pixels] = 1 + np.arange(len(pixels)) % len(ILL_KINDS)
    return kinds.reshape(shape)


def make_ill(expected: Spectrum, kind: str, axis: EnergyAxis, rng: np.random.Generator) -> Spectrum:
    """Return what a good spectrum's expectation becomes when it is ill.

    Parameters
    ----------
    expected : (channels,) float64
        Expected counts of the good spectrum.
    kind : str
        One of `ILL_KINDS`.
    axis : EnergyAxis
        The detector's channels, keV.
    rng : numpy.random.Generator
        Chooses how ill.

    Returns
    -------
    (channels,) float64
        Expected counts, with a total between about a half and one and a half of the good one's.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in _KINDS:
        raise ValueError(f"no ill spectra of kind {kind!r}: choose from {', '.join(ILL_KINDS)}")
    return _KINDS[kind](expected, axis, rng)


def _flat_noise(expected: Spectrum, axis: EnergyAxis, rng: np.random.Generator) -> Spectrum:
    return np.full(axis.channels, expected.sum() * rng.uniform(0.7, 1.3) / axis.channels)


def _shifted_gain(expected: Spectrum, axis: EnergyAxis, rng: np.random.Generator) -> Spectrum:
    gain = 1 + rng.choice([-1.0, 1.0]) * rng.uniform(0.04, 0.10)
    edges = axis.offset + axis.dispersion * (np.arange(axis.channels + 1) - 0.5)
    cumulative = np.concatenate([[0.0], np.cumsum(expected)])
    return np.asarray(np.diff(np.interp(edges / gain, edges, cumulative)))


def _half_dead_time(expected: Spectrum, axis: EnergyAxis, rng: np.random.Generator) -> Spectrum:
    """Live time cut, photons piled up in pairs, the low-energy part lost to a high threshold and refilled by noise."""
    energies = axis.energies
    pairs = fftconvolve(expected, expected).clip(0) / expected.sum()
    piled = np.interp(energies, 2 * axis.offset + axis.dispersion * np.arange(len(pairs)), pairs, left=0.0)
    pile_up = rng.uniform(0.1, 0.3)
    spectrum = (1 - pile_up) * expected + pile_up * piled
    threshold = rng.uniform(0.8, 1.3)
    spectrum /= 1 + np.exp(np.clip((threshold - energies) / 0.08, -50, 50))
    noise = np.exp(-0.5 * ((energies - 0.2) / 0.12) ** 2)
    spectrum += rng.uniform(0.2, 0.4) * expected.sum() * noise / noise.sum()
    return np.asarray(rng.uniform(0.6, 1.0) * spectrum)


def _cosmic_spike(expected: Spectrum, axis: EnergyAxis, rng: np.random.Generator) -> Spectrum:
    spectrum = expected.copy()
    width = int(rng.integers(1, 4))
    first = int(rng.integers(0, axis.channels - width))
    spectrum[first : first + width] += rng.uniform(0.15, 0.5) * expected.sum() / width
    return spectrum


_KINDS: Mapping[str, Callable[[Spectrum, EnergyAxis, np.random.Generator], Spectrum]] = MappingProxyType(
    {
        "flat noise": _flat_noise,
        "shifted gain": _shifted_gain,
        "half dead time": _half_dead_time,
        "cosmic spike": _cosmic_spike,
    }
)
ILL_KINDS = tuple(_KINDS)
"""Names of the kinds of ill spectra; an ill map holds 1 for the first."""
