"""Images read from files: grey, or as label maps."""

import zipfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PHASES_AT_MOST = 16
LEVELS = 8
SMALLEST_SIDE = 16
"""Edge of the smallest image that can be trained on, pixels."""
SUFFIXES = (".npy", ".npz", ".png", ".tif", ".tiff")


def read_label_maps(paths: Sequence[str | PathLike[str]], levels: int = LEVELS) -> list[NDArray[np.int64]]:
    """Read phase maps and grey images as label maps.

    An image of integers with at most 16 different values is a phase map; any other is a grey image, whose range is cut
    into levels of equal width, each a label.

    Parameters
    ----------
    paths : sequence of path
        Files: .npy and .npz (every two-dimensional array in it), .png and .tif (colours are read as grey).
    levels : int
        How many levels a grey image is cut into.

    Returns
    -------
    list of (rows, columns) int64
        Labels from 1.

    Raises
    ------
    ValueError
        If a file is none of these or cannot be read, an image is not finite or smaller than 16 x 16 pixels, there is
        nothing to learn from it, or levels is less than 2.
    """
    if levels < 2:
        raise ValueError(f"levels must be at least 2, not {levels}")
    return [_labels(image, Path(path), levels) for path in paths for image in _images(Path(path))]


def read_grey_image(path: str | PathLike[str]) -> NDArray[np.float64]:
    """Read one grey image.

    Parameters
    ----------
    path : path
        A .npy, .npz (its first two-dimensional array), .png or .tif file; colours are read as grey.

    Returns
    -------
    (rows, columns) float64

    Raises
    ------
    ValueError
        If the file is none of these or cannot be read, or holds no image of one plane.
    OSError
        If there is no such file.
    """
    image = _images(Path(path))[0]
    if image.ndim != 2:
        raise ValueError(f"{path}: holds {image.ndim} dimensions; give an image of one plane")
    return np.asarray(image, np.float64)


def _images(path: Path) -> list[NDArray[np.generic]]:
    """Return the images in a file, two-dimensional each."""
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: images are {', '.join(SUFFIXES)} files")
    if path.suffix.lower() in SUFFIXES[:2]:
        return _arrays(path)
    # Pillow comes with matplotlib, and most runs read no images
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return [np.asarray(picture.convert("L") if picture.mode in ("RGB", "RGBA", "LA", "P") else picture)]
    except UnidentifiedImageError:
        raise ValueError(f"{path}: not a readable image") from None
    except OSError as error:
        if error.strerror is not None:
            raise
        raise ValueError(f"{path}: cut short or damaged ({error})") from None


def _arrays(path: Path) -> list[NDArray[np.generic]]:
    """Return the two-dimensional arrays of a NumPy file."""
    try:
        content = np.load(path, allow_pickle=False)
        arrays = [content] if isinstance(content, np.ndarray) else [content[name] for name in content.files]
    except (ValueError, EOFError, zipfile.BadZipFile):
        # the cause would advise to trust the file as a pickle
        raise ValueError(f"{path}: not a readable NumPy file") from None
    images = [array for array in arrays if array.ndim == 2 and array.dtype.kind in "biuf"]
    if not images:
        raise ValueError(f"{path}: holds no two-dimensional array of numbers")
    return images


def _labels(image: NDArray[np.generic], path: Path, levels: int) -> NDArray[np.int64]:
    """Return an image as labels from 1."""
    if min(image.shape) < SMALLEST_SIDE:
        raise ValueError(
            f"{path}: an image of {image.shape[0]} x {image.shape[1]} pixels teaches nothing; "
            f"give at least {SMALLEST_SIDE} x {SMALLEST_SIDE}"
        )
    grey = image.astype(np.float64)
    if not np.isfinite(grey).all():
        raise ValueError(f"{path}: has pixels that are not finite; mend them first")
    values, codes = np.unique(image, return_inverse=True)
    if len(values) < 2:
        raise ValueError(f"{path}: an image of one value teaches nothing; give one with several phases or grey levels")
    if image.dtype.kind in "biu" and len(values) <= PHASES_AT_MOST:
        return np.asarray(codes.reshape(image.shape) + 1, np.int64)
    share = (grey - grey.min()) / np.ptp(grey)
    return np.asarray(1 + np.minimum(share * levels, levels - 1), np.int64)
