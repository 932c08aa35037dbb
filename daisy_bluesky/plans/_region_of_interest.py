"""The part of a field that a map is of."""

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling import read_grey_image


def region_of_interest(roi: Any, shape: tuple[int, int]) -> bytes | None:
    """Return the pixels a map is of, (rows, columns) uint8, as bytes; None where it is of the whole field.

    Parameters
    ----------
    roi : (rows, columns) bool, path or None
        The pixels, or the file of an image that is 0 everywhere else and of one other value there.
    shape : tuple of int
        Rows and columns of the map.

    Raises
    ------
    ValueError
        The file cannot be read, or it is no mask of the map's shape, or an empty one.
    """
    if roi is None:
        return None
    mask = _read(roi) if isinstance(roi, str | PathLike) else np.asarray(roi)
    if mask.shape != shape:
        raise ValueError(f"roi: the mask has {mask.shape} pixels, the map {shape}; resample it to the map")
    if mask.dtype.kind not in "biuf" or not ((mask == 0) | (mask == 1)).all():
        raise ValueError("roi: it must be true or false at every pixel")
    if not mask.any():
        raise ValueError("roi: it is empty; mark at least one pixel")
    return mask.astype(np.uint8).tobytes()


def _read(path: str | PathLike[str]) -> NDArray[np.float64]:
    """Return the mask in the file of an image, whose one value above 0 stands for 1."""
    try:
        image = read_grey_image(path)
    except OSError as error:
        raise ValueError(f"roi: {path} cannot be read ({error.strerror}); give the file of a mask") from None
    except ValueError as error:
        raise ValueError(f"roi: {error}") from None
    highest = image.max(initial=0.0)
    return image / highest if highest > 0 else image
