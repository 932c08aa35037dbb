"""Positions of a motif to a hundredth of a pixel, by least squares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from daisy_bluesky.mfsi._template_correlation import rotation

INSET = 0.25  # px from the rim of a motif to where its weight begins to grow, over one pixel, from 0 to 1
ROUNDS = 12
LARGEST_STEP = 0.5
CONVERGED = 1e-4
_STEP = 0.02  # samples of a motif between which it is differentiated
_STEPS = _STEP * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])


@dataclass(frozen=True)
class Motif:
    """A motif as a smooth function.

    Attributes
    ----------
    shape : tuple of int
        Its rows and columns, pixels of the image.
    upsample : int
        Samples of `values` per pixel; sample k lies at ``(k - (upsample - 1) / 2) / upsample`` pixels.
    values : (rows * upsample, columns * upsample) float64
        Its intensity.
    """

    shape: tuple[int, int]
    upsample: int
    values: NDArray[np.float64]


class Refinement:
    """Fits position, gain, offset, ramp and, where asked, angle of a motif within an image.

    Parameters
    ----------
    image : (rows, columns) float64
        Image.
    motif : Motif
        Motif.
    turns : bool
        Whether to fit the angle.
    """

    def __init__(self, image: NDArray[np.float64], motif: Motif, *, turns: bool) -> None:
        self._image, self._motif, self._turns = image, motif, turns
        self._spline = spline_filter(motif.values)
        self._middle = (np.array(motif.shape) - 1) / 2
        grid = np.meshgrid(*(np.arange(n) for n in motif.shape), indexing="ij")
        self._grid = np.stack(grid, -1).reshape(-1, 2)

    def fit(self, centre: NDArray[np.float64], angle: float) -> tuple[NDArray[np.float64], float, float, float]:
        """Return centre (2,) px, angle in degrees, gain, and correlation of motif and image at the best fit."""
        first = np.clip(np.rint(centre - self._middle), 0, np.array(self._image.shape) - self._motif.shape).astype(int)
        rows, columns = self._motif.shape
        seen = self._image[first[0] : first[0] + rows, first[1] : first[1] + columns].reshape(-1)
        pixels = self._grid + first
        gain, correlation = 0.0, 0.0
        for _ in range(ROUNDS):
            known, root, shown, slopes = self._model(pixels - centre, angle)
            flat = np.column_stack([np.ones(len(root)), (pixels - centre)[known]]) * root[:, None]
            design = np.column_stack([np.column_stack([shown, *slopes]) * root[:, None], flat])
            solution = np.linalg.lstsq(design, seen[known] * root, rcond=None)[0]
            gain = float(solution[0])
            correlation = _partial_correlation(shown * root, seen[known] * root, flat)
            if gain <= 0:
                break
            step = np.clip(-solution[1:3] / gain, -LARGEST_STEP, LARGEST_STEP)
            centre = centre + step
            if self._turns:
                angle = angle + float(np.clip(np.rad2deg(solution[3] / gain), -5.0, 5.0))
            if np.abs(step).max() < CONVERGED:
                break
        return centre, angle, gain, correlation

    def _model(
        self, offsets: NDArray[np.float64], angle: float
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]]:
        """Return which pixels lie within the motif, the root of their weight, what it shows there, and its slopes."""
        matrix = rotation(angle)
        within = offsets @ matrix + self._middle
        last = np.array(self._motif.shape) - 1
        weight = np.clip(np.minimum(within, last - within) - INSET, 0, 1).prod(axis=1)
        known = weight > 0
        samples = (within[known] * self._motif.upsample + (self._motif.upsample - 1) / 2).T
        nearby = np.concatenate([samples, *(samples + step[:, None] for step in _STEPS)], axis=1)
        values = map_coordinates(self._spline, nearby, prefilter=False, mode="nearest").reshape(5, -1)
        shown, down, right = values[0], *(values[1::2] - values[2::2]) * self._motif.upsample / (2 * _STEP)
        gradient = np.stack([down, right], -1) @ matrix.T
        slopes = [gradient[:, 0], gradient[:, 1]]
        if self._turns:
            away = offsets[known]
            slopes.append(away[:, 1] * gradient[:, 0] - away[:, 0] * gradient[:, 1])
        return known, np.sqrt(weight[known]), shown, slopes


def _partial_correlation(shown: NDArray[np.float64], seen: NDArray[np.float64], flat: NDArray[np.float64]) -> float:
    """Return the correlation of two sets of pixels after taking a plane off each."""
    basis = np.linalg.qr(flat)[0]
    one, other = (values - basis @ (basis.T @ values) for values in (shown, seen))
    return float(one @ other / np.sqrt(max(float((one @ one) * (other @ other)), 1e-30)))
