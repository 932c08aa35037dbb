"""One frame against a reference: a pure function, so that frames can be aligned anywhere and in any order."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._information import fit_linear, misfit, row_information, row_scores, weigh
from daisy_bluesky.mfsi._posterior import Posterior
from daisy_bluesky.mfsi._reference import Spline
from daisy_bluesky.mfsi._row_prior import row_prior
from daisy_bluesky.mfsi._scan_basis import resized
from daisy_bluesky.mfsi._scan_prior import Evidence, ScanPrior
from daisy_bluesky.mfsi._spline import sample

STEPS = 5
ENOUGH = 0.01  # px rms, of a step after which none follows
LONGEST_STEP = 1.0  # px
FARTHEST_ROW = 2.0  # px
GROWN = 1.5  # times the information of a row, after which it is linearised again
APART = 4.5  # standard deviations at which a row stands apart
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Alignment:
    """Where a frame lies.

    Attributes
    ----------
    coefficients : (functions, 2) float64
        Of the smooth field, px; the first is the shift of the frame.
    rows : (rows, 2) float64
        Displacement of each row beyond that, px.
    outliers : (rows,) bool
        Rows that stand apart from the others.
    linear : (2,) float64
        Gain and offset of the frame against the reference.
    error : (2,) float64
        Expected error of a pixel's displacement along rows and columns, px.
    evidence : Evidence or None
        What the frame says about the prior.
    """

    coefficients: Array
    rows: Array
    outliers: NDArray[np.bool_]
    linear: Array
    error: Array
    evidence: Evidence | None = None


def shifted(shape: tuple[int, int], shift: Array) -> Alignment:
    """Return the alignment of a frame that is only shifted, by (2,) px."""
    none = np.zeros(shape[0], dtype=bool)
    return Alignment(shift[None].copy(), np.zeros((shape[0], 2)), none, np.array([1.0, 0.0]), np.full(2, np.nan))


def align(image: Array, reference: Spline, start: Alignment, prior: ScanPrior) -> Alignment:
    """Align a frame.

    Parameters
    ----------
    image : (rows, columns) float64
        The frame.
    reference : Spline
        What it is aligned with.
    start : Alignment
        Where it lies roughly, to a fraction of the finest feature.
    prior : ScanPrior
        What is known of the scan.

    Returns
    -------
    Alignment
        The most probable displacement, by Gauss-Newton steps on the Poisson-weighted posterior.
    """
    return _Fit(image, reference, start, prior).result()


def residual_scores(image: Array, reference: Spline, found: Alignment, prior: ScanPrior) -> tuple[Array, float]:
    """Return what still pulls at each pixel, (2, rows, columns) 1 / px, and the information of both axes together."""
    fit = _Fit(image, reference, found, prior)
    fit.look()
    return fit.pulls[3:], float(fit.pulls[0].sum() + fit.pulls[2].sum())


class _Fit:
    """The state of one alignment."""

    def __init__(self, image: Array, reference: Spline, start: Alignment, prior: ScanPrior) -> None:
        self._image, self._reference, self._prior = image, reference, prior
        self._coefficients = resized(start.coefficients, len(prior.field_sigma))
        self._rows, self._outliers = start.rows.copy(), np.zeros_like(start.outliers)
        self._rows[start.outliers] = 0
        self._linear = start.linear.copy()
        self._seen = np.empty((4, *image.shape))
        self._known: Array | float = 1.0
        self.pulls = np.empty((5, *image.shape))

    def result(self) -> Alignment:
        """Take the steps; return where they end."""
        self.look()
        self._known = np.asarray(
            self._seen[3] > 0, dtype=np.float64
        )  # information is not renewed for what comes into view
        posterior = self._posterior()
        for step in range(STEPS):
            moved = self._move(posterior)
            self.look()
            apart = np.abs(self._rows / self._prior.row_sigma).max(axis=1) > APART
            released = bool(step and (apart & ~self._outliers).any())
            if released:
                self._outliers = self._outliers | apart
            if released or self._says_more():
                posterior = self._posterior()
            elif step and moved < ENOUGH:
                break
        return self._alignment(posterior)

    def look(self) -> None:
        """Read the reference where the frame is thought to lie, and weigh the difference."""
        displacement = self._prior.basis.displacement(self._coefficients, self._rows)
        sample(self._reference.coefficients, self._reference.coverage, displacement, self._reference.origin, self._seen)
        self._seen[3] *= self._known
        fit_linear(self._image, self._seen, self._prior.noise, self._linear)
        weigh(self._image, self._seen, self._linear, self._prior.noise, self.pulls)

    def _says_more(self) -> bool:
        """Tell whether a row says so much more here than where it was linearised that a step would overshoot."""
        return bool((self._row_information() > GROWN * (self._linearised + 1 / self._prior.row_sigma**2)).any())

    def _row_information(self) -> Array:
        return np.asarray(self.pulls[[0, 2]].sum(axis=2).T)

    def _posterior(self) -> Posterior:
        self._linearised = self._row_information()
        basis = self._prior.basis
        factors = basis.of_columns.shape[1]
        information = np.empty((factors * (factors + 1) // 2, 3, basis.shape[0]))
        row_information(self.pulls, basis.of_columns, information)
        rows = row_prior(self._prior.row_sigma, self._prior.row_correlation, self._outliers)
        self._row_prior = rows
        return Posterior(basis, information, rows, 1 / self._prior.field_sigma**2)

    def _move(self, posterior: Posterior) -> float:
        basis = self._prior.basis
        scores = np.empty((basis.of_columns.shape[1], 2, basis.shape[0]))
        row_scores(self.pulls, basis.of_columns, scores)
        coefficients, rows = posterior.step(scores, self._coefficients, self._rows)
        self._coefficients = self._coefficients + np.clip(coefficients, -LONGEST_STEP, LONGEST_STEP)
        self._rows = np.clip(self._rows + np.clip(rows, -LONGEST_STEP, LONGEST_STEP), -FARTHEST_ROW, FARTHEST_ROW)
        return float(np.sqrt((rows**2).mean() + (coefficients**2).sum()))

    def _alignment(self, posterior: Posterior) -> Alignment:
        found = Alignment(self._coefficients, self._rows, self._outliers, self._linear, posterior.error())
        return replace(found, evidence=self._evidence(posterior))

    def _evidence(self, posterior: Posterior) -> Evidence:
        variances, covariances = posterior.row_variances()
        usual = ~self._outliers
        together = usual[1:] & usual[:-1]
        squares = (self._rows**2 + variances)[usual]
        products = (self._rows[1:] * self._rows[:-1] + covariances[1:])[together]
        sums = np.empty(5)
        misfit(self._image, self._seen, self._linear, sums)
        field = self._coefficients**2 + posterior.field_covariance().diagonal().reshape(-1, 2)
        return Evidence(squares.mean(axis=0), products.mean(axis=0), field, sums)
