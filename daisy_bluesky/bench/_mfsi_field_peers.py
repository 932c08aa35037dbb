"""Other ways to find the displacement of every pixel of the same frames, where they are installed."""

from collections.abc import Callable
from importlib import import_module
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift as shifted

from daisy_bluesky.bench._displacement_error import without_common_warp
from daisy_bluesky.bench._installed_peers import compared

_DEMONS_SIGMA = (10.0, 0.3)  # px along columns, rows
_DEMONS_ROUNDS = 50
_SPLINE_ROUNDS = 15
_GRADIENT = 1e-8  # where the fit stops: with the package's 1e-5 it does so long before it has converged
Array = NDArray[np.float64]


def field_peers(frames: Array, truth: Array, scored: int) -> str:
    """Return what others reach for the rows of the first frames, given the true shifts and a mean made with them.

    Each frame, (rows, columns) of (n, rows, columns), is compared with the mean of all, moved to where that frame is:
    what is found is what is left of the displacement at the pixels of the frame. truth is (n, rows, columns, 2) px.
    Optical flow (scikit-image) knows no direction. SimpleITK is told that rows jump on their own: fast symmetric demons
    whose field is smoothed by 10 px along a row and 0.3 px across rows, and a linear B-spline with a node on each row
    at the sides of the frame, fitted by least squares with L-BFGS-B.
    """
    scored = min(scored, len(frames))
    means = truth.mean(axis=(1, 2))
    left = truth[:scored] - means[:scored, None, None]
    scale = frames.max()
    pairs = [(_mean_seen_from(frames, means, number) / scale, frames[number] / scale) for number in range(scored)]

    def figures(displacement: Callable[[Array, Array], Array]) -> str:
        began = process_time()
        found = np.array([displacement(mean, frame) for mean, frame in pairs])
        spent = (process_time() - began) / scored
        return f"{_row_error(found, left)}, {spent:.1f} s a frame"

    peers = (
        ("scikit-image ILK", "skimage", _ilk),
        ("TV-L1", "skimage", _tvl1),
        ("SimpleITK demons", "SimpleITK", _demons),
        ("B-spline", "SimpleITK", _spline),
    )
    rows = [f"rigid alone {_row_error(np.zeros_like(left), left)}", *compared(peers, figures)]
    return f"rows y/x of {scored} frames: " + "; ".join(rows)


def _mean_seen_from(frames: Array, means: Array, number: int) -> Array:
    """Return the mean of the frames, each moved by its shift, at the pixels of one of them."""
    moves = means - means[number]
    moved = [shifted(frame, move, order=3, cval=np.nan) for frame, move in zip(frames, moves, strict=True)]
    return np.asarray(np.nanmean(moved, axis=0))


def _row_error(found: Array, truth: Array) -> str:
    left = without_common_warp(found - truth, truth).mean(axis=2)
    y, x = np.sqrt((left**2).mean(axis=(0, 1)))
    return f"{y:.3f}/{x:.3f}"


def _ilk(mean: Array, frame: Array) -> Array:
    flow = import_module("skimage.registration").optical_flow_ilk(frame, mean, radius=5)
    return np.asarray(np.moveaxis(flow, 0, -1), dtype=np.float64)


def _tvl1(mean: Array, frame: Array) -> Array:
    flow = import_module("skimage.registration").optical_flow_tvl1(frame, mean, attachment=15)
    return np.asarray(np.moveaxis(flow, 0, -1), dtype=np.float64)


def _demons(mean: Array, frame: Array) -> Array:
    itk: Any = import_module("SimpleITK")
    demons = itk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetNumberOfThreads(1)
    demons.SetNumberOfIterations(_DEMONS_ROUNDS)
    demons.SetStandardDeviations(_DEMONS_SIGMA)
    demons.SetMaximumKernelWidth(max(frame.shape))
    field = demons.Execute(itk.GetImageFromArray(frame), itk.GetImageFromArray(mean))
    return np.asarray(itk.GetArrayFromImage(field)[..., ::-1], dtype=np.float64)


def _spline(mean: Array, frame: Array) -> Array:
    itk: Any = import_module("SimpleITK")
    fixed, moving = itk.GetImageFromArray(frame), itk.GetImageFromArray(mean)
    transform = itk.BSplineTransformInitializer(fixed, (1, frame.shape[0] - 1), order=1)
    registration = itk.ImageRegistrationMethod()
    registration.SetNumberOfThreads(1)
    registration.SetMetricAsMeanSquares()
    registration.SetInterpolator(itk.sitkLinear)
    registration.SetOptimizerAsLBFGSB(_GRADIENT, numberOfIterations=_SPLINE_ROUNDS, costFunctionConvergenceFactor=1e5)
    registration.SetInitialTransform(transform, inPlace=True)
    registration.Execute(fixed, moving)
    field = itk.TransformToDisplacementField(transform, itk.sitkVectorFloat64, fixed.GetSize())
    return np.asarray(itk.GetArrayFromImage(field)[..., ::-1], dtype=np.float64)
