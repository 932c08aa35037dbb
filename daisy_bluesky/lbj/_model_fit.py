"""Fitting a spectral model to spectra: noise, mean and principal components, as many as pay for themselves.

Only the writer fits; floating point is free here, because the model is stored in integers.

References
----------
M. R. Keenan and P. G. Kotula, "Accounting for Poisson noise in the multivariate analysis of ToF-SIMS spectrum images",
Surf. Interface Anal. 36, 203 (2004): components of data scaled by their noise.
N. Halko, P. G. Martinsson and J. A. Tropp, SIAM Rev. 53, 217 (2011), algorithm 4.4: randomised subspace iteration.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj._spectral_model import (
    LARGEST_FLOOR,
    LARGEST_LOADING,
    LARGEST_MEAN,
    LARGEST_SCORE,
    LARGEST_SHIFT,
    LARGEST_SLOPE,
    MOST_COMPONENTS,
    POINT,
    SCORE_STEP,
    SpectralModel,
)

FEWEST_SPECTRA = 8
"""Below, a mean spectrum is no prediction of them."""

_LEVELS = 64
_SAMPLE = 2**20
_SUBSPACE_ITERATIONS = 2
_SPECTRA_PER_COMPONENT = 4
_FIRST_COMPONENTS = 12
_QUANTILE_SPECTRA = 1000
_RARE = 0.01
_FAR = 4
_THREE_QUARTERS = 1.3233  # square of a normal deviate that three quarters are below
_SPIKE = 8.0  # sigma from which a value does not shape the components
_LOADING_BITS = 5.0  # what a loading costs, about
_BITS_PER_VARIANCE = 0.72  # 1 / (2 ln 2)

Spectra = NDArray[np.float32]


class Noise(NamedTuple):
    """Variance of a value: ``slope * expected + floor``, in its own units.

    Attributes
    ----------
    slope, floor : float
    """

    slope: float
    floor: float

    def sigma(self, expected: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the standard deviation where values are expected."""
        variance: NDArray[np.float64] = self.slope * np.maximum(expected, 0).astype(np.float64) + self.floor
        return np.sqrt(variance)


class Components(NamedTuple):
    """Mean and principal components of spectra scaled by their noise.

    Attributes
    ----------
    mean : (channels,) float64
    scores : (spectra, components) float64
        In sigma.
    loadings : (components, channels) float64
        Orthonormal.
    """

    mean: NDArray[np.float64]
    scores: NDArray[np.float64]
    loadings: NDArray[np.float64]


def noise_of_neighbours(values: Spectra) -> Noise:
    """Return the noise of a few spectra, (spectra, channels), from second differences along the channels."""
    if values.shape[1] < 8:
        return Noise(0.0, max(float(np.var(values, dtype=np.float64)), 1e-30))
    middle = (values[:, :-2] + values[:, 2:]) / 2
    off = (values[:, 1:-1] - middle) / np.float32(np.sqrt(1.5))
    expected = (values[:, :-2] + values[:, 1:-1] + values[:, 2:]) / 3
    return fit_noise(np.asarray(off.reshape(-1), np.float32), np.asarray(expected.reshape(-1), np.float32))


def fit_noise(off: Spectra, expected: Spectra) -> Noise:
    """Return the noise whose variance fits squared deviations, (n,), over expected values, (n,)."""
    every = max(off.size // _SAMPLE, 1)
    off, expected = off[::every], expected[::every]
    order = np.argsort(expected, kind="stable")
    groups = [group for group in np.array_split(order, _LEVELS) if group.size]
    level = np.array([float(np.mean(expected[group], dtype=np.float64)) for group in groups])
    variance = np.array([_trimmed_variance(off[group]) for group in groups])
    scale = np.maximum(variance, 1e-6 * float(variance.max()) + 1e-30)
    rows = np.stack([np.maximum(level, 0), np.ones_like(level)], axis=1) / scale[:, None]
    slope, floor = _non_negative(rows, variance / scale)
    return Noise(slope, max(floor, 1e-4 * float(np.median(variance)), 1e-30))


def fit_components(values: Spectra, noise: Noise, most: int, seed: int = 0) -> Components:
    """Return at most `most` components of spectra, (spectra, channels), scaled by the noise of their mean."""
    mean = values.mean(axis=0, dtype=np.float64)
    sigma = noise.sigma(mean)
    scaled = (values - mean.astype(np.float32)) / sigma.astype(np.float32)
    rank = min(most, *(length - 1 for length in values.shape))
    if rank < 1:
        return Components(mean, np.zeros((len(values), 0)), np.zeros((0, mean.size)))
    rng = np.random.default_rng(seed)
    basis = scaled @ rng.standard_normal((mean.size, min(rank + 8, mean.size)), np.float32)
    for _ in range(_SUBSPACE_ITERATIONS):
        basis = scaled @ np.linalg.qr(scaled.T @ np.linalg.qr(basis)[0])[0]
    frame = np.linalg.qr(basis)[0]
    left, strength, loadings = np.linalg.svd((frame.T @ scaled).astype(np.float64), full_matrices=False)
    scores = (frame.astype(np.float64) @ left[:, :rank]) * strength[:rank]
    return Components(mean, scores, loadings[:rank])


def fit(values: Spectra, floor: float) -> tuple[Noise, Components]:
    """Return noise and components of spectra.

    Parameters
    ----------
    values : (spectra, channels) float32
        Finite.
    floor : float
        Smallest variance a value can have.
    """
    values = _without_spikes(values)
    mean = values.mean(axis=0, dtype=np.float64)
    first = Noise(1.0, 0.1 * float(np.median(np.abs(mean))) + 1e-3 * float(np.abs(mean).max()) + 1e-30)
    few, many = (min(most, len(values) // _SPECTRA_PER_COMPONENT) for most in (_FIRST_COMPONENTS, MOST_COMPONENTS))
    components = fit_components(values, first, few)
    noise = first
    for most in (few, many):
        expected = _expected(components, noise)
        unused = len(values) - 1 - components.scores.shape[1]  # degrees of freedom that the components leave
        spread = np.float32(np.sqrt(len(values) / unused))
        noise = fit_noise(((values - expected) * spread).reshape(-1), expected.reshape(-1))
        noise = Noise(noise.slope, max(noise.floor, floor))
        limit = (_SPIKE * noise.sigma(expected)).astype(np.float32)
        components = fit_components(np.clip(values, expected - limit, expected + limit), noise, most)
    return noise, _worthwhile(components, values)


def to_fixed_point(noise: Noise, components: Components, unit: int) -> SpectralModel | None:
    """Return the model in units of ``2**unit``; None where its numbers do not fit."""
    points = 2.0 ** (POINT - unit)
    slope, floor = round(noise.slope * points), max(round(noise.floor * points**2), 1)
    step = 0.05 * float(noise.sigma(components.mean).min()) * points
    mean_shift = int(np.clip(np.floor(np.log2(max(step, 1.0))), 0, 30))
    strength = np.mean(components.scores**2, axis=0) if len(components.scores) else np.ones(0)
    wanted = 0.5 * np.log2(np.maximum(len(components.scores) * strength, 12) / 12)
    shifts = np.clip(np.ceil(wanted), 0, LARGEST_SHIFT).astype(np.int64)
    loadings = np.rint(components.loadings * 2.0 ** shifts[:, None])
    scores = np.rint(components.scores / SCORE_STEP)
    mean = np.rint(components.mean * points / 2.0**mean_shift)
    fits = (
        slope <= LARGEST_SLOPE
        and floor <= LARGEST_FLOOR
        and np.all(np.abs(mean) <= LARGEST_MEAN >> mean_shift)
        and np.all(np.abs(loadings) <= LARGEST_LOADING)
        and np.all(np.abs(scores) <= LARGEST_SCORE)
    )
    if not fits:
        return None
    integers = (np.ascontiguousarray(part, np.int64) for part in (mean, shifts, loadings, scores))
    return SpectralModel(slope, floor, mean_shift, *integers)


def _expected(components: Components, noise: Noise) -> Spectra:
    sigma = noise.sigma(components.mean)
    scaled = components.scores.astype(np.float32) @ (components.loadings * sigma).astype(np.float32)
    return scaled + components.mean.astype(np.float32)


def _worthwhile(components: Components, values: Spectra) -> Components:
    """Return the components that save more bits than their scores and loadings take."""
    strength = np.mean(components.scores**2, axis=0)
    score = 0.5 * np.log2(1 + strength / SCORE_STEP**2) + 2
    saved = len(values) * (_BITS_PER_VARIANCE * strength - score)
    kept = int(np.sum(np.logical_and.accumulate(saved > _LOADING_BITS * values.shape[1])))
    return Components(components.mean, components.scores[:, :kept], components.loadings[:kept])


def _without_spikes(values: Spectra) -> Spectra:
    """Return spectra whose rare values far beyond all others of their channel are cut, so that they shape nothing."""
    some = values[:: max(len(values) // _QUANTILE_SPECTRA, 1)]
    rare = max(_RARE, 1.5 / len(some))  # at least the largest and the smallest one
    lowest, highest = np.quantile(some, (rare, 1 - rare), axis=0).astype(np.float32)
    reach = _FAR * (highest - lowest)
    return np.clip(values, lowest - reach, highest + reach)


def _trimmed_variance(off: Spectra) -> float:
    """Return the variance of deviations, (n,), of which a few may be anything."""
    squares = off.astype(np.float64) ** 2
    usual = float(np.quantile(squares, 0.75)) / _THREE_QUARTERS
    return float((np.minimum(squares, 25 * usual) if usual else squares).mean())


def _non_negative(rows: NDArray[np.float64], wanted: NDArray[np.float64]) -> tuple[float, float]:
    from scipy.optimize import nnls

    slope, floor = nnls(rows, wanted)[0]
    return float(slope), float(floor)
