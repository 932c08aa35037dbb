"""X-ray events of a series, summed frame by frame: as recorded, and upsampled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._maps import ElementMap
from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.mfsi._series_image import inside_field
from daisy_bluesky.mfsi._series_options import SeriesOptions
from daisy_bluesky.mfsi._series_placement import Placement
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, moved_frame
from daisy_bluesky.mfsi._spectrum_sum_kernels import Box
from daisy_bluesky.mfsi._window_maps import smooth_maps, window_maps
from daisy_bluesky.spectra import EnergyAxis

Maps = dict[str, ElementMap]


@dataclass(frozen=True)
class MoveEvents:
    """Moves the events of a frame to where they belong: a pure function of its number.

    Attributes
    ----------
    frames : SeriesFrames
        The series.
    placement : Placement
        Where its frames lie.
    upsample : int
        Output pixels per pixel of the upsampled sum.
    field : tuple of int or None
        What every frame shows: first row, first column, rows and columns of the common frame.
    """

    frames: SeriesFrames
    placement: Placement
    upsample: int
    field: Box | None

    def __call__(self, number: int) -> "MovedEvents | str":
        """Return the moved frame, or why its events cannot be used."""
        axis, read = self.frames.eds_axis, self.frames.events
        if read is None or axis is None:
            return "no X-ray events"
        displacement = self.placement.displacement(number)
        try:
            events = read(number)
            native, fine = (
                moved_frame(events, displacement, frame=number, channels=axis.channels, upsample=each)
                for each in (1, self.upsample)
            )
        except ValueError as error:
            return str(error)
        common = events[inside_field(displacement, self.field)[events["row"], events["column"]]]
        counts = common["count"] if "count" in (events.dtype.names or ()) else None
        return MovedEvents(native, fine, np.bincount(common["channel"], counts, axis.channels).astype(np.float64))


@dataclass(frozen=True)
class MovedEvents:
    """The events of a frame, ready to be added.

    Attributes
    ----------
    native, fine : MovedFrame
        For the sum on the pixels of a frame, and for the upsampled one.
    spectrum : (channels,) float64
        Counts of all pixels that show what every frame shows.
    """

    native: MovedFrame
    fine: MovedFrame
    spectrum: NDArray[np.float64]


class EventSums:
    """The sums of a series, and what they showed on the way.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of a frame.
    axis : EnergyAxis
        Energies of the channels, keV.
    options : SeriesOptions
        What is asked for.
    early : int
        Number of frames after which a picture of the maps is kept.

    Attributes
    ----------
    native, total : SpectrumSum
        The sums on the pixels of a frame, and upsampled; the same one where nothing is upsampled.
    single : dict of str to ElementMap
        Maps of the first frame, on its own pixels.
    early_pictures : dict of str to ndarray
        Maps to look at after `early` frames.
    spectra : dict of int to (channels,) float64
        Counts of each frame, all pixels together that show what every frame shows.
    """

    def __init__(self, shape: tuple[int, int], axis: EnergyAxis, options: SeriesOptions, early: int) -> None:
        given = {"area": options.area, "seed": options.seed, "memory_limit": options.memory_limit}
        counted = "dithered" if options.assignment == "bilinear" else options.assignment
        fine = {**given, "upsample": options.upsample, "assignment": options.assignment}
        self.native = SpectrumSum(shape, axis.channels, assignment=counted, **given)  # type: ignore[arg-type]
        same = options.upsample == 1 and options.assignment == counted
        self.total = self.native if same else SpectrumSum(shape, axis.channels, **fine)  # type: ignore[arg-type]
        self.single: Maps = {}
        self.early_pictures: dict[str, NDArray[np.float64]] = {}
        self.spectra: dict[int, NDArray[np.float64]] = {}
        self._axis, self._lines, self._early = axis, options.lines, early
        self._counts = options.assignment == counted

    def take(self, moved: MovedEvents) -> None:
        """Add a frame."""
        self.native.include(moved.native)
        if self.total is not self.native:
            self.total.include(moved.fine)
        self.spectra[moved.native.number] = np.asarray(moved.spectrum, dtype=np.float64)
        if len(self.native.frames) == 1:
            self.single = window_maps(self.native, self._axis, self._lines)
        if len(self.native.frames) == self._early:
            self.early_pictures = self.pictures()

    @property
    def counted(self) -> SpectrumSum:
        """The upsampled sum where it holds whole counts, else that on the pixels of a frame."""
        return self.total if self._counts else self.native

    def maps(self) -> Maps:
        """Return the maps of the upsampled sum."""
        return window_maps(self.total, self._axis, self._lines)

    def native_maps(self) -> Maps:
        """Return the maps of all frames on the pixels of one."""
        return window_maps(self.native, self._axis, self._lines)

    def pictures(self) -> dict[str, NDArray[np.float64]]:
        """Return maps to look at, net counts per exposure of a whole pixel."""
        return smooth_maps(self.total, self._axis, self._lines)
