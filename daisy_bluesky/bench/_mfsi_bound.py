"""How well the rows of a frame can be placed at best, the specimen and the statistics of its scan being known."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen import ScanDistortion, VirtualSeries

_STEP = 0.02  # px, of the slopes
_ANYWHERE = 10.0  # px; nothing is known of the frame's shift
_MODES = 8
Array = NDArray[np.float64]


def bayesian_bound(series: VirtualSeries, frame: int) -> Array:
    """Return the least error of the rows' mean displacements along rows and columns, (2,) float64, px rms.

    The Fisher information of Poisson counts, ``sum (dS/dd)^2 / S`` over a row, from the specimen as it is, and the
    covariance of what the scan does to rows: ``sqrt(mean diag((F + C^-1)^-1))``.
    """
    rows = series.shape[0]
    information = np.zeros((2, rows, 2, rows))
    places = np.arange(rows)
    slopes, expected = _slopes(series, frame)
    for a in range(2):
        for b in range(2):
            information[a, places, b, places] = (slopes[a] * slopes[b] / expected).sum(axis=1)
    prior = np.zeros((2, rows, 2, rows))
    for axis in range(2):
        prior[axis, :, axis, :] = _row_covariance(series.scan, series.shape, axis)
    size = 2 * rows
    posterior = np.linalg.inv(information.reshape(size, size) + np.linalg.inv(prior.reshape(size, size)))
    return np.asarray(np.sqrt(posterior.diagonal().reshape(2, rows).mean(axis=1)))


def _slopes(series: VirtualSeries, frame: int) -> tuple[Array, Array]:
    truth = series.displacement(frame)
    scale = series.expected_image(frame).mean() / series.specimen.image(truth).mean()
    slopes = []
    for step in ((_STEP, 0.0), (0.0, _STEP)):
        ahead, behind = series.specimen.image(truth + step), series.specimen.image(truth - np.array(step))
        slopes.append(scale * (ahead - behind) / (2 * _STEP))
    return np.array(slopes), series.expected_image(frame)


def _row_covariance(scan: ScanDistortion, shape: tuple[int, int], axis: int) -> Array:
    """Return the covariance of the rows' mean displacements along one axis, (rows, rows) px^2."""
    rows, columns = shape
    apart = np.abs(np.subtract.outer(np.arange(rows), np.arange(rows)))
    own = scan.jitter[axis] ** 2 * (scan.jitter_correlation**apart if scan.jitter_correlation else np.eye(rows))
    own = own + scan.outlier_rows * scan.outlier_size**2 / 2 * np.eye(rows)
    if scan.field_length is None:
        place = np.pi * (np.arange(rows) + 0.5) / rows
        modes = np.sqrt(2) * np.array([np.cos(place), np.cos(2 * place)])
        smooth = scan.field**2 / (2 * _MODES) * modes.T @ modes
    else:
        along = np.subtract.outer(np.arange(columns), np.arange(columns)) / scan.field_length
        together = np.exp(-(along**2) / 2).mean()
        smooth = scan.field**2 / 2 * together * np.exp(-((apart / scan.field_length) ** 2) / 2)
    return np.asarray(own + smooth + _ANYWHERE**2)
