"""Rows as a chain, each pulled by its own pixels, its prior and the row before it: Kalman filter and smoother."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

Array = NDArray[np.float64]


@compiled
def factor_chain(blocks: Array, links: Array, inverses: Array) -> None:
    """Filter forwards: fill `inverses` with the inverse of each row's information given all rows before it.

    Parameters
    ----------
    blocks : (rows, 3) float64
        Information of each row, data and prior: rows-rows, rows-columns, columns-columns.
    links : (rows, 2) float64
        Prior information between each row and the one before it; the first is not used.
    inverses : (rows, 3) float64
        Filled, in the order of `blocks`.
    """
    for r in range(len(blocks)):
        a, b, d = blocks[r]
        if r > 0:
            ly, lx = links[r]
            a -= ly * ly * inverses[r - 1, 0]
            b -= ly * lx * inverses[r - 1, 1]
            d -= lx * lx * inverses[r - 1, 2]
        determinant = a * d - b * b
        inverses[r, 0], inverses[r, 1], inverses[r, 2] = d / determinant, -b / determinant, a / determinant


@compiled
def solve_chain(inverses: Array, links: Array, sides: Array) -> None:
    """Solve for many right-hand sides, (rows, 2, n), in place: forwards, then smoothing backwards."""
    rows, _, n = sides.shape
    for r in range(1, rows):
        before = inverses[r - 1]
        for k in range(n):
            y = before[0] * sides[r - 1, 0, k] + before[1] * sides[r - 1, 1, k]
            x = before[1] * sides[r - 1, 0, k] + before[2] * sides[r - 1, 1, k]
            sides[r, 0, k] -= links[r, 0] * y
            sides[r, 1, k] -= links[r, 1] * x
    for r in range(rows - 1, -1, -1):
        inverse = inverses[r]
        for k in range(n):
            y, x = sides[r, 0, k], sides[r, 1, k]
            if r + 1 < rows:
                y -= links[r + 1, 0] * sides[r + 1, 0, k]
                x -= links[r + 1, 1] * sides[r + 1, 1, k]
            sides[r, 0, k] = inverse[0] * y + inverse[1] * x
            sides[r, 1, k] = inverse[1] * y + inverse[2] * x


@compiled
def chain_covariance(inverses: Array, links: Array, variances: Array, covariances: Array) -> None:
    """Smooth the covariance backwards.

    Parameters
    ----------
    inverses, links : (rows, 3) and (rows, 2) float64
        From `factor_chain`.
    variances : (rows, 3) float64
        Filled with each row's covariance: rows-rows, rows-columns, columns-columns, px^2.
    covariances : (rows, 2) float64
        Filled with the covariance of each row with the one before it along rows and columns, px^2; zero for the first.
    """
    last = len(inverses) - 1
    variances[last] = inverses[last]
    covariances[0] = 0
    for r in range(last - 1, -1, -1):
        p, v, l0, l1 = inverses[r], variances[r + 1], links[r + 1, 0], links[r + 1, 1]
        # gain G = P L; the row's covariance P + G V G', with the next row's -G V
        g00, g01, g10, g11 = p[0] * l0, p[1] * l1, p[1] * l0, p[2] * l1
        h00, h01 = g00 * v[0] + g01 * v[1], g00 * v[1] + g01 * v[2]
        h10, h11 = g10 * v[0] + g11 * v[1], g10 * v[1] + g11 * v[2]
        variances[r, 0] = p[0] + h00 * g00 + h01 * g01
        variances[r, 1] = p[1] + h00 * g10 + h01 * g11
        variances[r, 2] = p[2] + h10 * g10 + h11 * g11
        covariances[r + 1, 0] = -h00
        covariances[r + 1, 1] = -h11
