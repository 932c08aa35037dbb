"""Cubic splines on a displaced grid: reading a reference where a scan looked, and adding a scan to where it looked."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

Array = NDArray[np.float64]


@compiled
def weights(t: float, w: Array) -> None:
    """Fill `w`, (4,), with the cubic B-spline's values around a point `t` beyond its second knot."""
    u = 1 - t
    w[0] = u * u * u / 6
    w[1] = (3 * t * t * t - 6 * t * t + 4) / 6
    w[2] = (3 * u * u * u - 6 * u * u + 4) / 6
    w[3] = t * t * t / 6


@compiled
def slopes(t: float, w: Array) -> None:
    """Fill `w`, (4,), with the derivatives of what `weights` gives."""
    u = 1 - t
    w[0] = -u * u / 2
    w[1] = 1.5 * t * t - 2 * t
    w[2] = 2 * u - 1.5 * u * u
    w[3] = t * t / 2


@compiled
def sample(coefficients: Array, coverage: Array, displacement: Array, origin: Array, seen: Array) -> None:
    """Read a spline and its slopes where a scan looked.

    Parameters
    ----------
    coefficients : (height, width) float64
        Spline coefficients; knot k lies at ``k - origin`` in the common frame.
    coverage : (height, width) float64
        How many frames stand behind the spline.
    displacement : (rows, columns, 2) float64
        Where the probe was, from its pixel, px.
    origin : (2,) float64
        Where the common frame's origin lies on the canvas.
    seen : (4, rows, columns) float64
        Filled with values, slopes along rows and columns, and coverage; all zero beyond the canvas.
    """
    height, width = coefficients.shape
    rows, columns = displacement.shape[:2]
    wy, wx, sy, sx = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    for r in range(rows):
        for c in range(columns):
            y = r + displacement[r, c, 0] + origin[0]
            x = c + displacement[r, c, 1] + origin[1]
            if not (y >= 1 and x >= 1 and y < height - 2 and x < width - 2):
                seen[:, r, c] = 0
                continue
            top, left = int(y), int(x)
            weights(y - top, wy)
            weights(x - left, wx)
            slopes(y - top, sy)
            slopes(x - left, sx)
            value, along_rows, along_columns = 0.0, 0.0, 0.0
            for i in range(4):
                line = coefficients[top + i - 1]
                across = wx[0] * line[left - 1] + wx[1] * line[left] + wx[2] * line[left + 1] + wx[3] * line[left + 2]
                slope = sx[0] * line[left - 1] + sx[1] * line[left] + sx[2] * line[left + 1] + sx[3] * line[left + 2]
                value += wy[i] * across
                along_rows += sy[i] * across
                along_columns += wy[i] * slope
            seen[0, r, c] = value
            seen[1, r, c] = along_rows
            seen[2, r, c] = along_columns
            seen[3, r, c] = coverage[int(y + 0.5), int(x + 0.5)]


@compiled
def splat(image: Array, displacement: Array, origin: Array, times: float, total: Array, coverage: Array) -> None:
    """Add a scan to where it looked: the adjoint of `sample`.

    Parameters
    ----------
    image : (rows, columns) float64
        What the scan saw.
    displacement : (rows, columns, 2) float64
        Where the probe was, from its pixel, px.
    origin : (2,) float64
        Where the common frame's origin lies on the canvas.
    times : float
        How often: 1, or -1 to take it away again.
    total, coverage : (height, width) float64
        Added to: the image, and one for each pixel of it.
    """
    height, width = total.shape
    rows, columns = image.shape
    wy, wx = np.empty(4), np.empty(4)
    for r in range(rows):
        for c in range(columns):
            y = r + displacement[r, c, 0] + origin[0]
            x = c + displacement[r, c, 1] + origin[1]
            if not (y >= 1 and x >= 1 and y < height - 2 and x < width - 2):
                continue
            top, left = int(y), int(x)
            weights(y - top, wy)
            weights(x - left, wx)
            for i in range(4):
                for j in range(4):
                    weight = times * wy[i] * wx[j]
                    total[top + i - 1, left + j - 1] += weight * image[r, c]
                    coverage[top + i - 1, left + j - 1] += weight
