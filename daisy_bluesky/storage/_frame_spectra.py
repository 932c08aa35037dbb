"""Spectra of frames in files, one or many in each, read one by one."""

import weakref
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.lbj import Reader
from daisy_bluesky.specimen import Recording, read_recording
from daisy_bluesky.spectra import EnergyAxis
from daisy_bluesky.storage._file_stamp import Stamp, file_stamp

JOURNAL = ".lbj"
EVENT = np.dtype([("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint32)])


@dataclass(frozen=True)
class SpectraInFile:
    """The spectra of one frame in a file, which can be sent to other processes that see the file.

    Attributes
    ----------
    path : Path
        The file.
    place : int
        Which item of it.
    shape : tuple of int or None
        Rows and columns; None where the file lists spectra without saying how they lie.
    axis : EnergyAxis or None
        Energies of the channels, where the file says them.
    channels : int
        Channels of a spectrum.
    counted : bool
        Whether they are counts of X-rays.
    """

    path: Path
    place: int
    shape: tuple[int, int] | None
    axis: EnergyAxis | None
    channels: int
    counted: bool

    def events(self, shape: tuple[int, int]) -> NDArray[np.void]:
        """Return the counts of the frame, (n,) structured: row, column, channel, count."""
        if self.path.suffix.lower() != JOURNAL:
            return _listed(recording(self.path))
        opened = _opened(self.path, file_stamp(self.path))
        if self.shape is not None:
            return opened.reader.events(self.place)
        counts = opened.reader.csr(0, shape[0] * shape[1]).tocoo()
        return _events(counts.row, counts.col, counts.data, shape[1])

    def spectra(self, shape: tuple[int, int]) -> NDArray[Any]:
        """Return the spectra of the frame, (rows, columns, channels)."""
        opened = _opened(self.path, file_stamp(self.path))
        if self.shape is not None:
            return opened.reader[self.place]
        return opened.reader[:].reshape(*shape, self.channels)

    def has_image(self) -> bool:
        """Tell whether an image was recorded with them, in the same file."""
        return self.path.suffix.lower() != JOURNAL and bool(recording(self.path).images)

    def image(self) -> NDArray[np.float64]:
        """Return the image that was recorded with them, (rows, columns)."""
        return recording(self.path).survey[1]


def spectra_in(path: Path) -> list[SpectraInFile]:
    """Return the frames of spectra in a file.

    Parameters
    ----------
    path : Path
        .lbj, its items frames, or spectra of one frame; or any recorded spectrum image, one frame.

    Raises
    ------
    ValueError
        If it cannot be read as such.
    ModuleNotFoundError
        If the format needs the extra ``formats``.
    """
    if path.suffix.lower() != JOURNAL:
        found = recording(path)
        return [SpectraInFile(path, 0, found.shape, found.axis, found.axis.channels, True)]
    opened = _opened(path, file_stamp(path))
    journal = opened.reader
    axis = _axis(journal)
    counted = journal.dtype.kind in "iu" and (axis is None or axis.unit == "keV")
    if len(journal.shape) not in (0, 2):
        raise ValueError(f"{path}: its items have shape {journal.shape}; a frame has rows and columns")
    shape = (journal.shape[0], journal.shape[1]) if journal.shape else None
    places = range(len(journal)) if shape else range(1)
    return [SpectraInFile(path, place, shape, axis, journal.channels, counted) for place in places]


def _axis(journal: Reader) -> EnergyAxis | None:
    about = journal.metadata
    if "dispersion" not in about:
        return None
    unit = str(about.get("unit", "keV" if journal.dtype.kind in "iu" else "eV"))
    return EnergyAxis(float(about.get("offset", 0.0)), float(about["dispersion"]), journal.channels, unit)


def _listed(found: Recording) -> NDArray[np.void]:
    counts = found.counts.tocoo()
    return _events(counts.row, counts.col, counts.data, found.shape[1])


def _events(pixels: NDArray[Any], channels: NDArray[Any], counts: NDArray[Any], columns: int) -> NDArray[np.void]:
    events = np.empty(len(pixels), EVENT)
    events["row"], events["column"] = np.divmod(pixels, columns)
    events["channel"], events["count"] = channels, counts
    return events


class _OpenJournal:
    """Lets go of its file when forgotten."""

    def __init__(self, path: Path) -> None:
        self.reader = Reader(path)
        weakref.finalize(self, self.reader.close)


@lru_cache(maxsize=16)
def _opened(path: Path, stamp: Stamp) -> _OpenJournal:  # noqa: ARG001 - what is kept is of this stamp
    return _OpenJournal(path)


def recording(path: Path) -> Recording:
    """Return what a file with a recorded spectrum image holds."""
    return _recorded(path, file_stamp(path))


@lru_cache(maxsize=2)
def _recorded(path: Path, stamp: Stamp) -> Recording:  # noqa: ARG001 - what is kept is of this stamp
    return read_recording(path)
