"""What is known of the rows' displacements before a frame is looked at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OUTLIER_SIZE = 1.0  # px
Array = NDArray[np.float64]


@dataclass(frozen=True)
class RowPrior:
    """A first-order autoregression over the rows, with rows that stand apart from it.

    Attributes
    ----------
    precision : (rows, 2) float64
        Diagonal of the prior's information, 1 / px^2.
    links : (rows, 2) float64
        Information between each row and the one before it, 1 / px^2; the first is zero.
    """

    precision: Array
    links: Array

    def pull(self, rows: Array) -> Array:
        """Return the prior's information times the rows' displacement, (rows, 2) float64, 1 / px."""
        pull = self.precision * rows
        pull[1:] += self.links[1:] * rows[:-1]
        pull[:-1] += self.links[1:] * rows[1:]
        return pull


def row_prior(sigma: Array, correlation: Array, outliers: NDArray[np.bool_]) -> RowPrior:
    """Return the prior of rows.

    Parameters
    ----------
    sigma : (2,) float64
        Standard deviation of a row's displacement along rows and columns, px.
    correlation : (2,) float64
        Correlation of neighbouring rows.
    outliers : (rows,) bool
        Rows that stand apart: cut out of the chain, and free to move by a pixel.

    Returns
    -------
    RowPrior
        The prior.
    """
    innovation = 1 / (sigma**2 * (1 - correlation**2))
    linked = np.zeros(len(outliers), dtype=bool)
    linked[1:] = ~(outliers[1:] | outliers[:-1])
    precision = np.where(linked[:, None], innovation, 1 / sigma**2)
    precision[:-1] += np.where(linked[1:, None], correlation**2 * innovation, 0.0)
    precision[outliers] = 1 / OUTLIER_SIZE**2
    return RowPrior(precision, np.where(linked[:, None], -correlation * innovation, 0.0))
