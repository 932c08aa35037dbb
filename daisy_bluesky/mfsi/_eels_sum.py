"""Sums of EELS spectrum images: dense, but one frame in memory at a time."""

from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.mfsi._eels_sum_energy import frame_of_spectra
from daisy_bluesky.mfsi._eels_sum_kernels import spread_spectra
from daisy_bluesky.mfsi._spectrum_sum_exposure import MEMORY_LIMIT, Area, ExposureMap, require_memory
from daisy_bluesky.mfsi._spectrum_sum_frame import exposure_parts
from daisy_bluesky.mfsi._spectrum_sum_positions import (
    LARGEST_UPSAMPLE,
    checked_shape,
    checked_upsample,
    landing_positions,
)
from daisy_bluesky.mfsi._spectrum_sum_windows import checked_channels, checked_windows
from daisy_bluesky.spectra import EnergyAxis


class EelsSum:
    """Running sum of spectrum images whose channels are not counts of single events.

    Each spectrum is moved along the energy axis first, then spread over the output pixels around the place it
    belongs to. Memory: the sum and one frame.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of a frame.
    channels : int
        Channels of a spectrum.
    binning : int, optional
        Channels that are added up, each spectrum having been moved along the energy axis first; what is left over at
        the end of the axis is dropped.
    upsample : int, optional
        Output pixels per pixel, 1 to 8; output pixel k is centred at ``(k - (upsample - 1) / 2) / upsample``.
    kernel_width : int, optional
        Width of the box a spectrum is spread over, output pixels: a whole pixel (`upsample`) when not given, so that
        a few frames leave no holes; 1 is bilinear, for many frames.
    area : {"frame", "common"}, optional
        Output pixels to return: the common frame's own field, or those that every frame covers.
    memory_limit : int, optional
        Most bytes the sum may take.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    MemoryError
        If the sum would exceed the limit; nothing is allocated then.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods (serial correction into a running sum; energy realigned before
    spectra are moved or down-sampled).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        channels: int,
        *,
        binning: int = 1,
        upsample: int = 1,
        kernel_width: int | None = None,
        area: Area = "frame",
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        if area not in ("frame", "common"):
            raise ValueError(f"area is {area!r}; choose one of {', '.join(get_args(Area)[:2])}")
        if not channels > 0:
            raise ValueError(f"channels is {channels}, but must be positive")
        if int(binning) != binning or not 1 <= binning <= channels:
            raise ValueError(f"binning is {binning}; it must be a whole number from 1 to {channels} channels")
        self._binning, self._binned = int(binning), int(channels) // int(binning)
        self._shape, self._channels, self._upsample = checked_shape(shape), int(channels), checked_upsample(upsample)
        width = self._upsample if kernel_width is None else kernel_width
        if int(width) != width or not 1 <= width <= LARGEST_UPSAMPLE:
            raise ValueError(f"kernel_width is {width}; it must be a whole number from 1 to {LARGEST_UPSAMPLE}")
        self._width, self._area = int(width), area
        rows, columns = self._shape[0] * self._upsample, self._shape[1] * self._upsample
        require_memory("the sum", rows * columns * (4 * self._binned + 8), memory_limit)
        self._exposure = ExposureMap(self._shape, self._upsample, self._width, area, memory_limit)
        self._total = np.zeros((rows, columns, self._binned), np.float32)
        self._frames: list[int] = []
        self._covered = (0, self._channels)

    @property
    def frames(self) -> tuple[int, ...]:
        """Numbers of the frames in the sum, in the order of adding."""
        return tuple(self._frames)

    @property
    def exposure(self) -> NDArray[np.float64]:
        """Exposure of the output pixels, (rows, columns) float64, in exposures of a whole pixel of one frame."""
        return self._exposure.exposure()

    @property
    def covered_channels(self) -> tuple[int, int]:
        """First channel of the sum and channel after the last that every spectrum reached after its shift in energy."""
        low, high = self._covered
        return -(-low // self._binning), min(high // self._binning, self._binned)

    @property
    def binning(self) -> int:
        """Channels of a frame per channel of the sum."""
        return self._binning

    def energy_axis(self, axis: EnergyAxis) -> EnergyAxis:
        """Return the energy axis of the sum's channels, from that of the frames."""
        if axis.channels != self._channels:
            raise ValueError(f"axis has {axis.channels} channels, the frames {self._channels}")
        first = axis.offset + (self._binning - 1) / 2 * axis.dispersion
        return EnergyAxis(first, axis.dispersion * self._binning, self._binned, axis.unit)

    @property
    def variance_factor(self) -> float:
        """Variance of an output pixel over that of as many independent counts: neighbours share their noise."""
        return ((self._width - 1 / 3) / self._width**2) ** 2

    @property
    def nbytes(self) -> int:
        """Bytes the sum takes."""
        return self._exposure.nbytes + self._total.nbytes

    def add(
        self,
        spectra: ArrayLike,
        displacement: ArrayLike,
        *,
        frame: int | None = None,
        energy_shift: ArrayLike = 0.0,
        exposure: ArrayLike = 1.0,
    ) -> None:
        """Add a frame.

        Parameters
        ----------
        spectra : array_like, (rows, columns, channels)
            Spectra of the frame, counts.
        displacement : array_like, (rows, columns, 2)
            What the frame shows at (r, c) lies at (r, c) + displacement in the common frame, pixels.
        frame : int, optional
            Number of the frame, from 0; the next after the highest so far when not given.
        energy_shift : array_like, scalar or (rows, columns), optional
            What the frame shows in channel k lies in channel k + shift of the sum: `zero_loss_shift`, `edge_shift`,
            and the step of the drift tube, which so averages the gains of the channels.
        exposure : array_like, scalar or (rows, columns), optional
            Dwell time of the frame's pixels relative to the usual one; pixels of exposure 0 are left out.

        Raises
        ------
        ValueError
            If the frame is in the sum already, or anything of it does not fit; the sum stays as it was.

        References
        ----------
        M. Bosman, V. J. Keast, Ultramicroscopy 108 (2008) 837 (binned gain averaging).
        """
        number = max(self._frames, default=-1) + 1 if frame is None else int(frame)
        if number in self._frames or number < 0:
            raise ValueError(f"frame {number} is in the sum already, or below 0; number frames of several areas apart")
        values = frame_of_spectra(spectra)
        if values.shape != (*self._shape, self._channels):
            raise ValueError(f"spectra have shape {values.shape}; the sum takes {(*self._shape, self._channels)}")
        positions = landing_positions(displacement, self._shape, self._upsample)
        parts, shift = exposure_parts(exposure, self._shape), self._shift(energy_shift)
        spread_spectra(values, shift, positions, parts, self._width, self._binning, self._total)
        self._exposure.add(positions, parts)
        low, high = int(np.ceil(max(shift.max(), 0))), self._channels + int(np.floor(min(shift.min(), 0)))
        self._covered = (max(self._covered[0], low), min(self._covered[1], high))
        self._frames.append(number)

    def merge(self, other: "EelsSum") -> None:
        """Add the frames of another sum, of another area or from another worker.

        Sums of single precision agree with adding all frames to one sum within rounding, not bit for bit.

        Raises
        ------
        ValueError
            If the sums differ in anything but their frames, or a frame is in both.
        """
        if self._grid() != other._grid():
            raise ValueError("sums of different grids cannot be merged")
        if set(self._frames) & set(other._frames):
            raise ValueError("a frame is in both sums; number frames of several areas apart")
        self._exposure.merge(other._exposure)
        self._total += other._total
        self._covered = (max(self._covered[0], other._covered[0]), min(self._covered[1], other._covered[1]))
        self._frames += other._frames

    def volume(self, channels: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Return the summed spectrum image, (rows, columns, channels) float32: a read-only view of the running sum.

        Parameters
        ----------
        channels : tuple of int, optional
            First channel and channel after the last; all when not given.

        Raises
        ------
        ValueError
            If the channels are not there.
        """
        low, high = checked_channels(channels, self._binned)
        top, left, rows, columns = self._exposure.box()
        view = self._total[top : top + rows, left : left + columns, low:high]
        view.flags.writeable = False
        return view

    def maps(self, windows: ArrayLike) -> NDArray[np.float64]:
        """Return sums over channel windows, (n, rows, columns) float64; `windows` and errors as `SpectrumSum.maps`."""
        ranges = checked_windows(windows, self._binned)
        return np.stack([self.volume(window).sum(axis=2, dtype=np.float64) for window in ranges])

    def _grid(self) -> tuple[object, ...]:
        return self._total.shape, self._channels, self._binning, self._width, self._area

    def _shift(self, energy_shift: ArrayLike) -> NDArray[np.float64]:
        shift = np.asarray(energy_shift, dtype=np.float64)
        if shift.shape not in ((), self._shape):
            raise ValueError(f"energy_shift has shape {shift.shape}; give one number or one for each pixel")
        if not np.isfinite(shift).all() or np.abs(shift).max() >= self._channels:
            raise ValueError(f"energy_shift must be finite and smaller than the {self._channels} channels")
        return np.ascontiguousarray(np.broadcast_to(shift, self._shape))
