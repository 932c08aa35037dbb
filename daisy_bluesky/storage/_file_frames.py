"""A series from files: images, and spectra that were recorded with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi import SeriesFrames
from daisy_bluesky.spectra import EnergyAxis
from daisy_bluesky.storage._frame_images import IMAGES, ImageInFile, images_in
from daisy_bluesky.storage._frame_spectra import SpectraInFile, spectra_in

COORDINATE_LISTS = {"y.npy", "x.npy", "ch.npy", "n.npy"}


@dataclass(frozen=True)
class FramesInFiles:
    """Reads images and spectra of frames by their number; it can be sent to other processes that see the files.

    Attributes
    ----------
    images : tuple of ImageInFile or SpectraInFile
        The image of each frame, or the spectra in whose file it is.
    spectra : tuple of SpectraInFile
        The spectra of each frame, if any.
    shape : tuple of int
        Rows and columns of the images.
    """

    images: tuple[ImageInFile | SpectraInFile, ...]
    spectra: tuple[SpectraInFile, ...]
    shape: tuple[int, int]

    def image(self, number: int) -> NDArray[Any]:
        """Return the image of a frame."""
        found = self.images[number]
        return found.read() if isinstance(found, ImageInFile) else found.image()

    def events(self, number: int) -> NDArray[np.void]:
        """Return the X-ray events of a frame."""
        return self.spectra[number].events(self.shape)

    def cube(self, number: int) -> NDArray[Any]:
        """Return the energy-loss spectra of a frame."""
        return self.spectra[number].spectra(self.shape)


def file_frames(
    paths: Sequence[Path | str], *, axis: EnergyAxis | None = None, pixel_size: float | None = None
) -> SeriesFrames:
    """Return the series that files hold, its frames in the order of the files and within them.

    Parameters
    ----------
    paths : sequence of path-like
        Images: .npy and .npz of (rows, columns) or (frames, rows, columns), .tif, .png. Spectra: .lbj, one item a frame
        or one file a frame; their images are files of their own. Recorded spectrum images, one frame each: .npz of
        coordinate lists, and with the extra ``formats`` .bcf, .emd, .hspy, .dm3, .dm4; their images are in them.
    axis : EnergyAxis, optional
        Energies of the spectra where the files do not say them; its channels do not matter.
    pixel_size : float, optional
        Distance between pixels, nm.

    Returns
    -------
    SeriesFrames

    Raises
    ------
    FileNotFoundError
        If a file is missing, naming it.
    ValueError
        If a file cannot be read, images and spectra do not belong together, or energies are missing.
    """
    images: list[ImageInFile | SpectraInFile] = []
    spectra: list[SpectraInFile] = []
    for path in map(Path, paths):
        if not path.is_file():
            raise FileNotFoundError(2, "there is no such file", str(path))
        if path.suffix.lower() in IMAGES and not _is_recording(path):
            images += images_in(path)
        else:
            spectra += spectra_in(path)
    if not images:
        images = [one for one in spectra if one.has_image()]
    shape = _checked(images, spectra)
    files = FramesInFiles(tuple(images), tuple(spectra), shape)
    return _series(files, axis, pixel_size)


def _is_recording(path: Path) -> bool:
    """Tell whether an .npz file holds the coordinate lists of a spectrum image."""
    if path.suffix.lower() != ".npz" or not is_zipfile(path):
        return False
    with ZipFile(path) as archive:
        return set(archive.namelist()) >= COORDINATE_LISTS


def _checked(images: list[ImageInFile | SpectraInFile], spectra: list[SpectraInFile]) -> tuple[int, int]:
    """Return the shape of the frames, or say what does not belong together."""
    if len(images) < len(spectra):
        missing = spectra[len(images)]
        raise ValueError(
            f"{missing.path}: no image for its spectra ({len(images)} images, {len(spectra)} frames of spectra); "
            "give the image of each frame"
        )
    if spectra and len(images) > len(spectra):
        raise ValueError(f"{len(images)} images and {len(spectra)} frames of spectra: give as many of each, or none")
    if len({(one.counted, one.channels) for one in spectra}) > 1:
        raise ValueError("the spectra differ in kind or in channels: give those of one detector")
    shape = images[0].shape
    if shape is None:
        raise ValueError(f"{images[0].path}: holds no image")
    for one in (*images, *spectra):
        if one.shape is not None and one.shape != shape:
            raise ValueError(
                f"{one.path}: {one.shape[0]} x {one.shape[1]} pixels, the first image {shape[0]} x {shape[1]}: "
                "register frames of one shape only"
            )
    return shape


def _series(files: FramesInFiles, axis: EnergyAxis | None, pixel_size: float | None) -> SeriesFrames:
    series = SeriesFrames(len(files.images), files.image, pixel_size=pixel_size)
    if not files.spectra:
        return series
    first = files.spectra[0]
    given = None if axis is None else replace(axis, channels=first.channels)
    energies = given or first.axis
    if energies is None:
        raise ValueError(f"{first.path}: does not say the energies of its channels; give offset and dispersion")
    if first.counted and energies.unit == "keV":
        return replace(series, events=files.events, eds_axis=energies)
    offsets = tuple(one.axis.offset for one in files.spectra if one.axis is not None and given is None)
    return replace(series, spectra=files.cube, eels_axis=energies, energy_offsets=offsets)
