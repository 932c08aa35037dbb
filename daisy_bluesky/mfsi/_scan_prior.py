"""What is known of a scan's distortion and noise before a frame is looked at, and how it is learnt from the series."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._scan_basis import ScanBasis, Wave

FREE = 1e6  # px; nothing is known of a frame's shift
FIRST_ROW = 0.3  # px, before anything is learnt
FIRST_FIELD = 0.15  # px of the first degree, less above
FIRST_WAVE = 0.3  # px
FORGETTING = 0.97  # per frame
_LEAST = 1e-3  # px
_LARGEST_CORRELATION = 0.99
Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScanPrior:
    """Gaussian prior of a frame's distortion, and the noise of its pixels.

    Attributes
    ----------
    basis : ScanBasis
        Functions of the smooth field.
    row_sigma : (2,) float64
        Standard deviation of rows, along rows and columns, px.
    row_correlation : (2,) float64
        Correlation of neighbouring rows.
    field_sigma : (functions, 2) float64
        Standard deviation of each function's coefficient, px.
    noise : (3,) float64
        Variance of a pixel: floor, slope over its expected value, and least variance.
    """

    basis: ScanBasis
    row_sigma: Array
    row_correlation: Array
    field_sigma: Array
    noise: Array

    def with_waves(self, waves: tuple[Wave, ...]) -> "ScanPrior":
        """Return the prior with other waves."""
        basis = replace(self.basis, waves=waves)
        still = self.field_sigma[: len(self.field_sigma) - 2 * len(self.basis.waves)]
        return replace(self, basis=basis, field_sigma=np.concatenate([still, np.full((2 * len(waves), 2), FIRST_WAVE)]))


@dataclass(frozen=True)
class Evidence:
    """What one frame says about the prior; expectations over its posterior.

    Attributes
    ----------
    rows : (2,) float64
        Mean square of the rows' displacement, px^2.
    neighbours : (2,) float64
        Mean product of neighbouring rows' displacements, px^2.
    field : (functions, 2) float64
        Square of each coefficient, px^2.
    misfit : (5,) float64
        From `misfit`.
    """

    rows: Array
    neighbours: Array
    field: Array
    misfit: Array


def first_prior(basis: ScanBasis, noise: Array) -> ScanPrior:
    """Return the prior before anything is learnt, for pixels of some noise, (3,) float64."""
    sigma = np.where(basis.degrees < 0, FIRST_WAVE, FIRST_FIELD / np.maximum(basis.degrees, 1))
    sigma[0] = FREE
    return ScanPrior(basis, np.full(2, FIRST_ROW), np.zeros(2), np.repeat(sigma[:, None], 2, axis=1), noise)


class PriorLearning:
    """Averages what the frames say about their prior; later frames, judged with a better prior, count more.

    Parameters
    ----------
    prior : ScanPrior
        Prior before the first frame; it counts as two frames.
    """

    def __init__(self, prior: ScanPrior) -> None:
        self._first = prior
        self._weight = 2.0
        self._rows = 2 * prior.row_sigma**2
        self._neighbours = np.zeros(2)
        self._field = 2 * prior.field_sigma**2
        self._misfit: Array | None = None

    def add(self, evidence: Evidence) -> None:
        """Take in what a frame says."""
        self._weight = FORGETTING * self._weight + 1
        self._rows = FORGETTING * self._rows + evidence.rows
        self._neighbours = FORGETTING * self._neighbours + evidence.neighbours
        self._field = FORGETTING * self._field + evidence.field
        before = np.zeros(5) if self._misfit is None else self._misfit
        self._misfit = FORGETTING * before + evidence.misfit

    def use_waves(self, prior: ScanPrior) -> None:
        """Go on with the waves of another prior."""
        still = len(prior.field_sigma) - 2 * len(prior.basis.waves)
        self._field = np.concatenate([self._field[:still], self._weight * prior.field_sigma[still:] ** 2])
        self._first = prior

    def prior(self) -> ScanPrior:
        """Return the prior as learnt so far; coefficients of the same degree share their variance."""
        variance = self._rows / self._weight
        correlation = np.clip(self._neighbours / self._rows, 0.0, _LARGEST_CORRELATION)
        field = self._field / self._weight
        degrees = self._first.basis.degrees
        pooled = np.array([field[degrees == degree].mean(axis=0) for degree in degrees])
        sigma = np.maximum(np.sqrt(pooled), _LEAST)
        sigma[0] = FREE
        return replace(
            self._first,
            row_sigma=np.maximum(np.sqrt(variance), _LEAST),
            row_correlation=correlation,
            field_sigma=sigma,
            noise=self._first.noise if self._misfit is None or not self._misfit[0] else noise_line(self._misfit),
        )


def noise_line(sums: Array) -> Array:
    """Return floor, slope and least variance, (3,) float64, of the line through squared misfits; see `misfit`."""
    n, x, xx, ee, xee = sums
    spread = n * xx - x * x
    slope = (n * xee - x * ee) / spread if spread > 0 else 0.0
    slope = max(slope, 0.0)
    mean = ee / n
    return np.array([mean - slope * x / n, slope, max(0.1 * mean, 1e-12)])
