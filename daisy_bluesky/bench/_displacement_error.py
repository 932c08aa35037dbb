"""How far displacements are from the truth, without what no registration could know."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled

_ROUNDS = 6
_JUMP = 1.0  # px of a frame's mean error
Array = NDArray[np.float64]


@dataclass(frozen=True)
class DisplacementError:
    """Root-mean-square errors along rows and columns, each (2,) float64, px.

    Attributes
    ----------
    frame : ndarray
        Of a frame's mean displacement.
    row : ndarray
        Of a row's mean displacement.
    field : ndarray
        Of a pixel's displacement.
    row_in_frame : ndarray
        As `row`, with the mean over the frames removed at each pixel of the frames, not of the specimen.
    jumps : int
        Frames whose mean displacement is wrong by more than a pixel.
    of_frames : (frames, 2) float64
        Of a pixel's displacement in each frame.
    """

    frame: Array
    row: Array
    field: Array
    row_in_frame: Array
    jumps: int
    of_frames: Array


def displacement_error(found: Array, truth: Array) -> DisplacementError:
    """Return the errors of displacements, (frames, rows, columns, 2) px, beside the truth.

    A warp of the specimen that all frames share cannot be observed: the mean error at each pixel of the specimen
    is removed.
    """
    error = found - truth
    in_frame = error - error.mean(axis=0)
    left = without_common_warp(error, truth)
    mean = left.mean(axis=(1, 2))
    return DisplacementError(
        np.sqrt((mean**2).mean(axis=0)),
        np.sqrt((left.mean(axis=2) ** 2).mean(axis=(0, 1))),
        np.sqrt((left**2).mean(axis=(0, 1, 2))),
        np.sqrt((in_frame.mean(axis=2) ** 2).mean(axis=(0, 1))),
        int((np.abs(mean) > _JUMP).any(axis=1).sum()),
        np.sqrt((left**2).mean(axis=(1, 2))),
    )


def without_common_warp(error: Array, truth: Array) -> Array:
    """Return errors less the warp of the specimen, linear between its pixels, that explains most of them."""
    low = np.floor(truth.min(axis=(0, 1, 2))) - 1
    high = np.ceil(truth.max(axis=(0, 1, 2))) + error.shape[1:3] + 2
    left = error.copy()
    for _ in range(_ROUNDS):
        warp, weight = np.zeros((*(high - low).astype(int), 2)), np.zeros((high - low).astype(int))
        _spread(left, truth, low, warp, weight)
        _remove(left, truth, low, warp / np.maximum(weight, 1e-9)[..., None])
    return left


@compiled
def _spread(error: Array, truth: Array, low: Array, warp: Array, weight: Array) -> None:
    frames, rows, columns, _ = error.shape
    for i in range(frames):
        for r in range(rows):
            for c in range(columns):
                y, x = r + truth[i, r, c, 0] - low[0], c + truth[i, r, c, 1] - low[1]
                top, left = int(y), int(x)
                for a in range(2):
                    for b in range(2):
                        share = abs(1 - a - (y - top)) * abs(1 - b - (x - left))
                        warp[top + a, left + b, 0] += share * error[i, r, c, 0]
                        warp[top + a, left + b, 1] += share * error[i, r, c, 1]
                        weight[top + a, left + b] += share


@compiled
def _remove(error: Array, truth: Array, low: Array, warp: Array) -> None:
    frames, rows, columns, _ = error.shape
    for i in range(frames):
        for r in range(rows):
            for c in range(columns):
                y, x = r + truth[i, r, c, 0] - low[0], c + truth[i, r, c, 1] - low[1]
                top, left = int(y), int(x)
                for a in range(2):
                    for b in range(2):
                        share = abs(1 - a - (y - top)) * abs(1 - b - (x - left))
                        error[i, r, c, 0] -= share * warp[top + a, left + b, 0]
                        error[i, r, c, 1] -= share * warp[top + a, left + b, 1]
