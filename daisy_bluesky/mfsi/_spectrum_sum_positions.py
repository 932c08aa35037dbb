"""Where the pixels of a frame land on the upsampled grid of the common frame."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUBDIVISION = 256  # positions are kept to this part of an output pixel, so that sums are exact in any order
REACH = 32_768  # cells that a position may lie before the first or, with twice as many more, behind it
LARGEST_UPSAMPLE = 8


def checked_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the shape of a frame as two whole numbers, or say what is wrong with it."""
    if len(shape) != 2 or not all(int(length) == length and length > 0 for length in shape):
        raise ValueError(f"shape is {shape}; it must be (rows, columns) of a frame")
    return int(shape[0]), int(shape[1])


def checked_upsample(upsample: int) -> int:
    """Return the upsampling as a whole number, or say what is wrong with it."""
    if not isinstance(upsample, int | float | np.integer) or upsample % 1 or not 1 <= upsample <= LARGEST_UPSAMPLE:
        raise ValueError(f"upsample is {upsample!r}; it must be a whole number from 1 to {LARGEST_UPSAMPLE}")
    return int(upsample)


def landing_positions(displacement: ArrayLike, shape: tuple[int, int], upsample: int) -> NDArray[np.int32]:
    """Return where the pixels of a frame land.

    Parameters
    ----------
    displacement : array_like, (rows, columns, 2)
        What the frame shows at (r, c) lies at (r, c) + displacement in the common frame, pixels.
    shape : tuple of int
        Rows and columns of the frame.
    upsample : int
        Output pixels per pixel; output pixel k is centred at ``(k - (upsample - 1) / 2) / upsample``.

    Returns
    -------
    (rows, columns, 2) int32
        Row and column on the grid of output pixels, in 1/256 output pixel.

    Raises
    ------
    ValueError
        If the displacement has another shape, is not finite, or moves pixels out of reach.
    """
    field = np.asarray(displacement, dtype=np.float64)
    if field.shape != (*shape, 2):
        raise ValueError(
            f"displacement has shape {field.shape}; a frame of {shape[0]} x {shape[1]} needs {(*shape, 2)}"
        )
    if not np.isfinite(field).all():
        raise ValueError("displacement holds NaN or infinity: leave the frame out, or give its pixels exposure 0")
    pixels = np.stack(np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij"), axis=-1)
    cells = (pixels + field) * upsample + (upsample - 1) / 2
    if cells.min() < -REACH + 16 or cells.max() > 3 * REACH - 16:
        farthest = float(np.abs(field).max())
        raise ValueError(f"displacement reaches {farthest:.0f} px, out of reach: leave the frame out")
    return np.asarray(np.rint(cells * SUBDIVISION), dtype=np.int32)
