"""Sums of event lists of many frames on one upsampled grid: counts and exposure, each on its own."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._spectrum_sum_display import widened
from daisy_bluesky.mfsi._spectrum_sum_exposure import MEMORY_LIMIT, Area, ExposureMap, require_memory
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, moved_frame
from daisy_bluesky.mfsi._spectrum_sum_kernels import (
    LARGEST_CHANNELS,
    Box,
    count_in_windows,
    list_places,
    spread_in_windows,
    tally,
    unravel,
)
from daisy_bluesky.mfsi._spectrum_sum_positions import LARGEST_UPSAMPLE, SUBDIVISION, checked_shape, checked_upsample
from daisy_bluesky.mfsi._spectrum_sum_volume import count_into, counted_volume
from daisy_bluesky.mfsi._spectrum_sum_windows import checked_channels, checked_windows, windows_of_channels

Assignment = Literal["dithered", "nearest", "bilinear"]


class SpectrumSum:
    """Sum of EDS spectrum images whose counted events are moved, never the dense volume.

    The sum keeps every photon with its frame and its place to 1/256 output pixel, 8 bytes each, and adds in whole
    numbers: the order in which frames are added, or sums merged, changes no bit of any result.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of a frame.
    channels : int
        Channels of a spectrum.
    upsample : int, optional
        Output pixels per pixel, 1 to 8; output pixel k is centred at ``(k - (upsample - 1) / 2) / upsample``.
    assignment : {"dithered", "nearest", "bilinear"}, optional
        Which output pixel counts a photon: one drawn at random with the bilinear weights (counts stay Poisson
        numbers), the nearest (so do they; holes where frames are few), or a share for each of four (for display:
        variances fall below the mean and neighbours correlate).
    kernel_width : int, optional
        Width of the box that is drawn from or spread over, output pixels; 1 is bilinear. Wider kernels, up to
        `upsample`, fill the holes that few frames leave, at the price of resolution.
    area : {"frame", "common", "full"}, optional
        Output pixels to return: the common frame's own field, what every frame covers, or what any frame covers.
    seed : int, optional
        Seed of the dithering; each frame draws from its own stream.
    memory_limit : int, optional
        Most bytes the sum, or an array it returns, may take.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    MemoryError
        If the exposure map alone would exceed the limit.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods (frames corrected in series into a running sum).
    A. S. Fruchter, R. N. Hook, PASP 114 (2002) 144 (kernels narrower than a pixel, counts and exposure apart).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        channels: int,
        *,
        upsample: int = 1,
        assignment: Assignment = "dithered",
        kernel_width: int = 1,
        area: Area = "frame",
        seed: int = 0,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        if assignment not in get_args(Assignment):
            raise ValueError(f"assignment is {assignment!r}; choose one of {', '.join(get_args(Assignment))}")
        if not 0 < channels <= LARGEST_CHANNELS:
            raise ValueError(f"channels is {channels}; event lists of 1 to {LARGEST_CHANNELS} channels can be summed")
        if int(kernel_width) != kernel_width or not 1 <= kernel_width <= LARGEST_UPSAMPLE:
            raise ValueError(f"kernel_width is {kernel_width}; it must be a whole number from 1 to {LARGEST_UPSAMPLE}")
        if int(seed) != seed or seed < 0:
            raise ValueError(f"seed is {seed}; it must be a whole number of 0 or more")
        self._shape, self._channels = checked_shape(shape), int(channels)
        self._upsample, self._assignment, self._area, self._seed = checked_upsample(upsample), assignment, area, seed
        self._width = 0 if assignment == "nearest" else int(kernel_width)
        self._limit = memory_limit
        self._exposure = ExposureMap(self._shape, self._upsample, self._width, area, memory_limit)
        self._photons: dict[int, NDArray[np.uint64]] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self._shape

    @property
    def channels(self) -> int:
        """Channels of a spectrum."""
        return self._channels

    @property
    def upsample(self) -> int:
        """Output pixels per pixel."""
        return self._upsample

    @property
    def frames(self) -> tuple[int, ...]:
        """Numbers of the frames in the sum, ascending."""
        return tuple(sorted(self._photons))

    @property
    def counts(self) -> int:
        """Photons in the sum, those outside of the area included."""
        return sum(photons.size for photons in self._photons.values())

    @property
    def nbytes(self) -> int:
        """Bytes the sum takes."""
        return self._exposure.nbytes + 8 * self.counts

    @property
    def exposure(self) -> NDArray[np.float64]:
        """Exposure of the output pixels, (rows, columns) float64, in exposures of a whole pixel of one frame."""
        return self._exposure.exposure()

    @property
    def origin(self) -> tuple[float, float]:
        """Place of output pixel (0, 0) in the common frame, pixels."""
        top, left, _, _ = self._exposure.box()
        half = (self._upsample - 1) / 2
        return (top - half) / self._upsample, (left - half) / self._upsample

    def add(
        self,
        events: NDArray[np.void],
        displacement: ArrayLike,
        *,
        frame: int | None = None,
        exposure: ArrayLike = 1.0,
    ) -> None:
        """Add a frame.

        Parameters
        ----------
        events : (n,) structured
            Fields ``row``, ``column``, ``channel`` and, where more than one photon was counted, ``count``.
        displacement : array_like, (rows, columns, 2)
            What the frame shows at (r, c) lies at (r, c) + displacement in the common frame, pixels.
        frame : int, optional
            Number of the frame, from 0; the next after the highest so far when not given.
        exposure : array_like, scalar or (rows, columns), optional
            Live time of the frame's pixels relative to the usual one; pixels of exposure 0 are left out.

        Raises
        ------
        ValueError
            If the frame is in the sum already, or its events, displacement or exposure do not fit.
        MemoryError
            If the sum would exceed its memory limit.
        """
        if np.shape(displacement) != (*self._shape, 2):
            raise ValueError(f"displacement has shape {np.shape(displacement)}; the sum takes {(*self._shape, 2)}")
        number = max(self._photons, default=-1) + 1 if frame is None else frame
        self.include(
            moved_frame(
                events,
                displacement,
                frame=number,
                channels=self._channels,
                upsample=self._upsample,
                exposure=exposure,
            )
        )

    def include(self, moved: MovedFrame) -> None:
        """Add a frame that `moved_frame` has moved, perhaps elsewhere; raises as `add` does."""
        if moved.number in self._photons:
            raise ValueError(f"frame {moved.number} is in the sum already; number frames of several areas apart")
        if (moved.channels, moved.upsample) != (self._channels, self._upsample):
            raise ValueError(
                f"the frame was moved for {moved.channels} channels and upsample {moved.upsample}, "
                f"the sum holds {self._channels} and {self._upsample}"
            )
        require_memory("the sum", self.nbytes + moved.photons.nbytes, self._limit)
        self._exposure.add(moved.positions, moved.exposure)
        self._photons[moved.number] = moved.photons

    def merge(self, *others: "SpectrumSum") -> None:
        """Add the frames of other sums, of other areas or from other workers.

        Raises
        ------
        ValueError
            If the sums differ in anything but their frames, or a frame is in two of them.
        MemoryError
            If the sum would exceed its memory limit.
        """
        for other in others:
            if other._grid() != self._grid():
                raise ValueError(f"sums of different grids cannot be merged: {other._grid()}, {self._grid()}")
        numbers = [number for each in (self, *others) for number in each._photons]
        if len(set(numbers)) < len(numbers):
            raise ValueError("a frame is in two of the sums; number frames of several areas apart")
        require_memory("the merged sum", self.nbytes + 8 * sum(other.counts for other in others), self._limit)
        for other in others:
            self._exposure.merge(other._exposure)
            self._photons.update(other._photons)

    def maps(
        self, windows: ArrayLike, *, frames: Iterable[int] | None = None
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the counts within channel windows.

        Parameters
        ----------
        windows : array_like, (n, 2)
            First channel and channel after the last of each window.
        frames : iterable of int, optional
            Numbers of the frames to count; all when not given. `exposure` is that of all frames.

        Returns
        -------
        (n, rows, columns) int64, float64 where the assignment is bilinear
            Counts; divide by `exposure` for display only.

        Raises
        ------
        ValueError
            If a window is empty or reaches outside of the spectrum, or a frame is not in the sum.
        MemoryError
            If the maps would exceed the memory limit.
        """
        ranges, bilinear = checked_windows(windows, self._channels), self._assignment == "bilinear"
        return self._spread(ranges, frames) if bilinear else self._counted(ranges, frames)

    def display(self, windows: ArrayLike, *, least_exposure: float | None = None) -> NDArray[np.float64]:
        """Return maps to look at: bilinear, divided by the exposure, the kernel widened where that is low.

        Parameters
        ----------
        windows : array_like, (n, 2)
            First channel and channel after the last of each window.
        least_exposure : float, optional
            Exposure below which an output pixel takes in its neighbours; a quarter of the mean when not given.

        Returns
        -------
        (n, rows, columns) float64
            Counts per exposure of a whole pixel, NaN where nothing was exposed; not fit for statistics.

        Raises
        ------
        ValueError, MemoryError
            As `maps`.
        """
        exposure, ranges = self.exposure, checked_windows(windows, self._channels)
        counts = self._spread(ranges, None) if self._width else self._counted(ranges, None).astype(np.float64)
        least = 0.25 * float(exposure.sum()) / max(exposure.size, 1) if least_exposure is None else least_exposure
        return widened(counts, exposure, least, largest_radius=2 * self._upsample)

    def events(
        self, channels: tuple[int, int] | None = None, *, frames: Iterable[int] | None = None
    ) -> NDArray[np.void]:
        """Return the summed events on the output grid.

        Parameters
        ----------
        channels : tuple of int, optional
            First channel and channel after the last; all when not given.
        frames : iterable of int, optional
            Numbers of the frames to count; all when not given.

        Returns
        -------
        (n,) structured
            Fields ``row``, ``column``, ``channel`` (int32) and ``count`` (uint32), sorted.

        Raises
        ------
        ValueError
            If the assignment is bilinear (shares of photons are no events), or channels or frames are not there.
        MemoryError
            If the list would exceed the memory limit.
        """
        low, high = checked_channels(channels, self._channels)
        places = self._places(low, high, frames)
        places.sort()
        counts = np.empty(places.size, np.uint32)
        different = tally(places, counts)
        places, counts = places[:different], counts[:different]
        columns = self._exposure.box()[3]
        listed = np.empty(
            places.size, [("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint32)]
        )
        unravel(places, columns, (low, high), listed["row"], listed["column"], listed["channel"])
        listed["count"] = counts
        return listed

    def volume(
        self,
        channels: tuple[int, int] | None = None,
        *,
        frames: Iterable[int] | None = None,
        out: NDArray[np.unsignedinteger] | None = None,
    ) -> NDArray[np.unsignedinteger]:
        """Return the summed spectrum image, dense.

        Parameters
        ----------
        channels : tuple of int, optional
            First channel and channel after the last; all when not given.
        frames : iterable of int, optional
            Numbers of the frames to count; all when not given.
        out : ndarray, optional
            Array of unsigned integers to overwrite instead of taking new memory, perhaps one mapped to a file.

        Returns
        -------
        (rows, columns, channels) uint8, uint16 or uint32
            Counts, in the smallest type that holds the largest of them, or `out`.

        Raises
        ------
        ValueError
            If the assignment is bilinear (shares of photons are no counts), channels or frames are not there, or `out`
            does not fit.
        MemoryError
            If the volume would exceed the memory limit.
        """
        low, high = checked_channels(channels, self._channels)
        shape = (*self._exposure.box()[2:], high - low)
        if out is not None:
            count_into(out, shape, self._places(low, high, frames))
            return out
        require_memory("the volume", prod(shape), self._limit)
        return counted_volume(shape, self._places(low, high, frames), self._limit)

    def _grid(self) -> tuple[object, ...]:
        kernel = (self._assignment, self._width, self._area, self._seed)
        return (self._shape, self._channels, self._upsample, *kernel)

    def _key(self, number: int) -> np.uint64:
        return np.uint64(np.random.SeedSequence((self._seed, number)).generate_state(1, np.uint64)[0])

    def _chosen(self, frames: Iterable[int] | None) -> Sequence[int]:
        chosen = self.frames if frames is None else tuple(frames)
        missing = set(chosen) - set(self._photons)
        if missing:
            raise ValueError(f"frame {min(missing)} is not in the sum")
        return chosen

    def _counted(self, windows: list[tuple[int, int]], frames: Iterable[int] | None) -> NDArray[np.int64]:
        box, maps = self._empty_maps(len(windows))
        lists = windows_of_channels(windows, self._channels)
        for number in self._chosen(frames):
            count_in_windows(self._photons[number], self._key(number), self._width, box, *lists, maps)
        return maps

    def _spread(self, windows: list[tuple[int, int]], frames: Iterable[int] | None) -> NDArray[np.float64]:
        box, maps = self._empty_maps(len(windows))
        lists = windows_of_channels(windows, self._channels)
        for number in self._chosen(frames):
            spread_in_windows(self._photons[number], self._width, box, *lists, maps)
        return np.asarray(maps / (SUBDIVISION * self._width) ** 2)

    def _empty_maps(self, n: int) -> tuple[Box, NDArray[np.int64]]:
        box = self._exposure.box()
        require_memory(f"{n} maps", 16 * n * box[2] * box[3], self._limit)
        return box, np.zeros((n, *box[2:]), np.int64)

    def _places(self, low: int, high: int, frames: Iterable[int] | None) -> NDArray[np.uint64]:
        """Return the voxel of each photon within a range of channels, frame after frame."""
        if self._assignment == "bilinear":
            raise ValueError("a bilinear sum has shares of photons, no events: sum with assignment='dithered'")
        chosen = self._chosen(frames)
        box, size = self._exposure.box(), sum(self._photons[number].size for number in chosen)
        require_memory("the list of events", 12 * size, self._limit)
        places, n = np.empty(size, np.uint64), 0
        for number in chosen:
            key = self._key(number)
            n += list_places(self._photons[number], key, self._width, box, (low, high), places[n:])
        return places[:n]
