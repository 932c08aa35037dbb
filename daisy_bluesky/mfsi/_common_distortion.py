"""What all frames of a series share: drift while a frame is scanned shears and stretches each of them alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLEAR = 3.0  # standard errors
Array = NDArray[np.float64]


@dataclass(frozen=True)
class CommonDistortion:
    """Shear and stretch common to all frames, from the drift between them.

    Attributes
    ----------
    drift : (2,) float64
        Steady drift along rows and columns, px per frame.
    drift_error : (2,) float64
        Its standard error from the unsteadiness of the drift, px per frame; not finite with fewer than four frames.
    known : bool
        Whether the drift stands out, so that shear and stretch could be taken out; otherwise they are unknown.
    matrix : (2, 2) float64
        What the displacement gains with the place in the common frame, from its middle: ``matrix @ place``; zero when
        unknown.
    """

    drift: Array
    drift_error: Array
    known: bool
    matrix: Array

    @property
    def shear(self) -> float:
        """Angle by which the columns lean, degrees; not a number when unknown."""
        return float(np.degrees(np.arctan(self.matrix[1, 0]))) if self.known else float("nan")

    @property
    def stretch(self) -> float:
        """Relative lengthening of the field along the rows' direction, not a number when unknown."""
        return float(self.matrix[0, 0]) if self.known else float("nan")


def common_distortion(
    numbers: NDArray[np.int64], shifts: Array, shape: tuple[int, int], scan_fraction: float
) -> CommonDistortion:
    """Return what the drift between frames says about the distortion inside each.

    Parameters
    ----------
    numbers : (n,) int64
        Numbers of the frames.
    shifts : (n, 2) float64
        Their shifts, px.
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    scan_fraction : float
        Part of the time from one frame to the next that is spent scanning.

    Returns
    -------
    CommonDistortion
        Drift, and shear and stretch where it stands out.
    """
    steps = np.diff(shifts, axis=0) / np.diff(numbers)[:, None]
    drift = (shifts[-1] - shifts[0]) / (numbers[-1] - numbers[0])
    if len(steps) < 3:
        return CommonDistortion(drift, np.full(2, np.inf), False, np.zeros((2, 2)))
    error = steps.std(axis=0, ddof=1) / np.sqrt(len(steps))
    known = bool(np.hypot(*drift) > CLEAR * np.hypot(*error))
    time = scan_fraction / np.array([shape[0], shape[0] * shape[1]])
    truly = drift / (1 - time @ drift)
    return CommonDistortion(drift, error, known, np.outer(truly, time) if known else np.zeros((2, 2)))
