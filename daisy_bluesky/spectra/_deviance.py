"""How far counts are from what was expected of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import xlogy

Factors = tuple[NDArray[np.float64], NDArray[np.float64]]


def poisson_deviance(counts: Any, expected: NDArray[np.float64] | Factors) -> float:
    """Return the Poisson deviance ``2 sum(n ln(n / m) - n + m)`` of counts n from their expectation m.

    It is twice the log-likelihood that the expectation falls short of a perfect one: 0 where every count is what was
    expected, and about one per bin where the expectation is true and counts are many.

    Parameters
    ----------
    counts : ndarray or sparse array
        (pixels, channels) counts; zeros of a sparse array cost nothing.
    expected : ndarray or tuple of ndarray
        (pixels, channels) float64, expected counts; or a pair (weights (pixels, phases), spectra (phases, channels))
        whose product they are, which is never formed.

    Returns
    -------
    float
        The deviance; infinite where a count was found that could not be expected.

    Raises
    ------
    ValueError
        If the shapes do not fit, or expected counts are negative or not finite.

    References
    ----------
    P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd ed. (1989), section 2.3.
    """
    found = sparse.coo_array(counts, copy=True)
    found.sum_duplicates()
    weights, spectra = expected if isinstance(expected, tuple) else (None, np.asarray(expected))
    shape = spectra.shape if weights is None else (len(weights), spectra.shape[1])
    if found.shape != shape:
        raise ValueError(f"counts have shape {found.shape}, but their expectation {shape}")
    if any(part is not None and not np.all((part >= 0) & np.isfinite(part)) for part in (weights, spectra)):
        raise ValueError("expected counts must be finite and not negative")
    row, column = found.coords
    n = found.data.astype(np.float64)
    if weights is None:
        mean, total = spectra[row, column], float(spectra.sum())
    else:
        mean = _product_at(weights, spectra, row, column)
        total = float(weights.sum(axis=0) @ spectra.sum(axis=1))
    if np.any((mean == 0) & (n > 0)):
        return float("inf")
    return float(2 * (np.sum(xlogy(n, n) - xlogy(n, mean)) - n.sum() + total))


def _product_at(
    weights: NDArray[np.float64],
    spectra: NDArray[np.float64],
    row: NDArray[np.int32],
    column: NDArray[np.int32],
) -> NDArray[np.float64]:
    """Return ``(weights @ spectra)[row, column]``, one phase after the other so that little memory is used."""
    values = np.zeros(row.size)
    for phase in range(spectra.shape[0]):
        values += weights[row, phase] * spectra[phase, column]
    return values
