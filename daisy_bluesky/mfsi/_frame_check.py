"""Whether a frame can be used at all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SATURATED = 0.01  # part of the pixels at the highest value, if fewer have the next lower one
SIGNIFICANT = 5.0  # standard deviations
Array = NDArray[np.float64]


def as_frame(frame: ArrayLike, shape: tuple[int, int] | None) -> Array:
    """Return a frame as numbers.

    Parameters
    ----------
    frame : (rows, columns) array_like
        The image.
    shape : tuple of int or None
        Shape of the frames before it.

    Returns
    -------
    (rows, columns) float64
        The image.

    Raises
    ------
    ValueError
        If it is not an image of real numbers, is smaller than 16 x 16, or has another shape than the frames before it.
    """
    values = np.asarray(frame)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"a frame must be an image of real numbers, not of {values.dtype}")
    image = np.ascontiguousarray(values, dtype=np.float64)
    if image.ndim != 2 or min(image.shape) < 16:
        raise ValueError(f"a frame must be an image of at least 16 x 16 pixels, not an array of shape {image.shape}")
    if shape is not None and image.shape != shape:
        raise ValueError(
            f"a frame has {image.shape[0]} x {image.shape[1]} pixels, those before it {shape[0]} x {shape[1]}: "
            "register frames of one shape only"
        )
    return image


def fault(image: Array) -> str | None:
    """Return why a frame cannot be used: not finite, saturated or blank; None for a good one."""
    if not np.isfinite(image).all():
        return f"not finite: {int((~np.isfinite(image)).sum())} of its pixels"
    low, high = image.min(), image.max()
    if low == high:
        return f"blank: every pixel is {low:g}"
    below = image[image < high].max()
    at_top, next_lower = float((image == high).mean()), float((image == below).mean())
    if at_top > SATURATED and at_top > next_lower:
        return f"saturated: {at_top:.0%} of the pixels are {high:g}"
    return None if _has_structure(image) else "blank: nothing in it but noise"


def _has_structure(image: Array) -> bool:
    """Tell whether neighbouring pixels resemble each other more than noise does."""
    excess = image - image.mean()
    scale = (excess**2).sum()
    along_columns = (excess[:, 1:] * excess[:, :-1]).sum() / scale
    along_rows = (excess[1:] * excess[:-1]).sum() / scale
    return bool(max(along_columns, along_rows) * np.sqrt(image.size) > SIGNIFICANT)


def first_noise(image: Array) -> Array:
    """Return floor, slope and least variance, (3,) float64, of a frame's pixels, from differences along its rows.

    The sixth difference leaves what changes over several pixels out; what remains grows with the mean as counts do.
    """
    binomial = np.array([1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0]) / np.sqrt(924.0)
    difference = sum(w * image[:, k : image.shape[1] - 6 + k] for k, w in enumerate(binomial))
    variance = float(np.square(difference).mean())
    level = float(image.mean() - min(0.0, image.min()))
    return np.array([0.0, variance / level, 0.1 * variance]) if level > 0 else np.array([variance, 0.0, 0.1 * variance])
