"""Images of frames in files, one or many in each, read one by one."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.storage._file_stamp import Stamp, file_stamp

T = TypeVar("T")
ARRAYS = (".npy", ".npz")
PICTURES = (".tif", ".tiff", ".png")
IMAGES = (*ARRAYS, *PICTURES)


@dataclass(frozen=True)
class ImageInFile:
    """One image of a file, which can be sent to other processes that see the file.

    Attributes
    ----------
    path : Path
        The file.
    place : int
        Which image of it.
    shape : tuple of int
        Rows and columns.
    """

    path: Path
    place: int
    shape: tuple[int, int]

    def read(self) -> NDArray[Any]:
        """Return the image, (rows, columns)."""
        if self.path.suffix.lower() in PICTURES:
            return _page(self.path, self.place)
        stack = _stack(self.path, file_stamp(self.path))
        return np.array(stack if stack.ndim == 2 else stack[self.place])


def images_in(path: Path) -> list[ImageInFile]:
    """Return the images of a file.

    Parameters
    ----------
    path : Path
        .npy or .npz of (rows, columns) or (frames, rows, columns), .tif of one or more pages, or .png.

    Raises
    ------
    ValueError
        If it cannot be read as such.
    """
    if path.suffix.lower() in PICTURES:
        return _pages(path)
    stack = _stack(path, file_stamp(path))
    count = 1 if stack.ndim == 2 else stack.shape[0]
    return [ImageInFile(path, place, (stack.shape[-2], stack.shape[-1])) for place in range(count)]


@lru_cache(maxsize=2)
def _stack(path: Path, stamp: Stamp) -> NDArray[Any]:  # noqa: ARG001 - what is kept is of this stamp
    """Return the numbers of a NumPy file: of a .npy left on the disk until they are asked for."""
    try:
        if path.suffix.lower() == ".npy":
            arrays = [np.load(path, mmap_mode="r", allow_pickle=False)]
        else:
            with np.load(path, allow_pickle=False) as archive:
                arrays = [archive[name] for name in archive.files]
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise ValueError(f"{path}: not a readable NumPy file") from None
    stacks = [array for array in arrays if array.ndim in (2, 3) and array.dtype.kind in "biuf"]
    if not stacks:
        raise ValueError(f"{path}: holds no image (rows, columns) and no stack (frames, rows, columns)")
    return np.asarray(stacks[0]) if len(stacks) == 1 or stacks[0].ndim == 3 else _stacked(path, stacks)


def _stacked(path: Path, images: list[NDArray[Any]]) -> NDArray[Any]:
    if len({image.shape for image in images}) > 1:
        raise ValueError(f"{path}: its images differ in shape; register frames of one shape only")
    return np.stack(images)


def _pages(path: Path) -> list[ImageInFile]:
    def sizes(picture: Any) -> list[ImageInFile]:
        found = []
        for page in range(getattr(picture, "n_frames", 1)):
            picture.seek(page)
            found.append(ImageInFile(path, page, (picture.height, picture.width)))
        return found

    return _opened(path, sizes)


def _page(path: Path, place: int) -> NDArray[Any]:
    def page(picture: Any) -> NDArray[Any]:
        picture.seek(place)
        return np.asarray(picture.convert("L") if picture.mode in ("RGB", "RGBA", "LA", "P") else picture)

    return _opened(path, page)


def _opened(path: Path, use: Callable[[Any], T]) -> T:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return use(picture)
    except UnidentifiedImageError:
        raise ValueError(f"{path}: not a readable image") from None
