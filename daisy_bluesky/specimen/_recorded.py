"""A recorded spectrum image that plays the specimen."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen._coordinate_lists import read_coordinate_lists
from daisy_bluesky.specimen._recording import Recording
from daisy_bluesky.specimen._vendor_formats import READERS, read_vendor_format
from daisy_bluesky.spectra import EnergyAxis

NOMINAL_DWELL = 1.0
NOMINAL_PIXEL_SIZE = 1.0
ROUNDING = 1e-9


class RecordedSpecimen:
    """A recorded EDS spectrum image as the specimen under the beam.

    Each recorded count is given a time of arrival, uniform within the recorded dwell of its pixel and drawn once from
    the seed. The visits to a pixel take consecutive windows of that dwell: a shorter dwell thins the counts
    binomially (which is what it does to the Poisson counts of EDS, and would not do to EELS), no count comes
    twice, and all visits together give exactly what was recorded, in whatever order the pixels are visited.

    The current of an exposure has no effect: the specimen was recorded at the current it was recorded at.

    Parameters
    ----------
    recording : Recording
        What the file holds.
    dwell : float, optional
        Recorded dwell per pixel, s; by default that of the file, or 1 s (nominal) where the file does not tell.
    pixel_size : float, optional
        Distance between pixel centres, nm; by default that of the file, or 1 nm (nominal).
    seed : int, optional
        Seed of the times of arrival.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    pixel_size : float
        Distance between pixel centres, nm.
    recorded_dwell : float
        Dwell per pixel that all visits to it share, s.
    phases : tuple
        Empty: the phases of a recorded specimen are not known beforehand.
    eds_axis : EnergyAxis
        Energy axis of the spectra as recorded, keV.
    eels_axis : None
        There is no EELS.
    labels : None
        There is no truth.
    ill : ndarray
        (rows, columns) bool, all False.
    survey_name : str
        The image that `haadf` reads: its name in the file, or ``"total counts"``.
    elements : tuple of str
        Elements named in the file.

    Raises
    ------
    ValueError
        If the dwell or the pixel size is not positive.
    """

    phases: tuple[str, ...] = ()
    labels = None
    eels_axis = None

    def __init__(
        self,
        recording: Recording,
        *,
        dwell: float | None = None,
        pixel_size: float | None = None,
        seed: int = 0,
    ) -> None:
        self.shape = recording.shape
        self.eds_axis: EnergyAxis = recording.axis
        self.elements = recording.elements
        self.recorded_dwell = _positive("dwell", dwell, recording.dwell, NOMINAL_DWELL)
        self.pixel_size = _positive("pixel_size", pixel_size, recording.pixel_size, NOMINAL_PIXEL_SIZE)
        self.ill = np.zeros(self.shape, dtype=np.bool_)
        self.survey_name, self._survey = recording.survey
        self._consumed = np.zeros(self.shape)
        counts = recording.counts
        ends = np.concatenate([[0], np.cumsum(counts.data, dtype=np.int64)])
        self._first = ends[counts.indptr]
        self._channel = np.repeat(counts.indices.astype(np.int32), counts.data)
        stream = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
        self._arrival = stream.random(self._channel.size, dtype=np.float32)

    @property
    def identity(self) -> str:
        """The same for recordings of the same counts, thinned by the same seed."""
        content = hashlib.sha256(f"{self.shape} {self.recorded_dwell} {self.pixel_size}".encode())
        for values in (self._first, self._channel, self._arrival):
            content.update(values.tobytes())
        return f"recorded {content.hexdigest()[:16]}"

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        dwell: float | None = None,
        pixel_size: float | None = None,
        seed: int = 0,
    ) -> "RecordedSpecimen":
        """Read a recorded spectrum image.

        Parameters
        ----------
        path : str or Path
            An .npz file of coordinate lists (``y, x, ch, n, shape, e_offset, e_scale``), or with the extra
            ``formats`` a .bcf, .emd, .hspy, .dm3 or .dm4 file.
        dwell, pixel_size, seed
            As for the class.

        Raises
        ------
        ValueError
            If there is no such file, it cannot be read, or holds no spectrum image of counts.
        ModuleNotFoundError
            If the format needs the extra ``formats``.
        """
        return cls(read_recording(path), dwell=dwell, pixel_size=pixel_size, seed=seed)

    @property
    def survey(self) -> NDArray[np.float64]:
        """The image that `haadf` reads, (rows, columns) float64, in the units of the file."""
        return np.array(self._survey, dtype=np.float64)

    @property
    def consumed(self) -> NDArray[np.float64]:
        """Dwell that the visits so far have taken from each pixel, (rows, columns) float64, s."""
        return self._consumed.copy()

    def restore(self, consumed: ArrayLike) -> None:
        """Go on where an earlier run stopped.

        Parameters
        ----------
        consumed : array_like
            (rows, columns) dwell taken from each pixel before, s.

        Raises
        ------
        ValueError
            If the shape differs, or a dwell is negative or beyond the recorded one.
        """
        before = np.array(consumed, dtype=np.float64)
        if before.shape != self.shape:
            raise ValueError(f"consumed dwell has shape {before.shape}, but the specimen {self.shape}")
        if not np.all((before >= 0) & (before <= self.recorded_dwell * (1 + ROUNDING))):
            raise ValueError(f"consumed dwell must lie between 0 and the recorded {self.recorded_dwell} s")
        self._consumed = before

    def remaining(self, row: int, column: int) -> float:
        """Return the dwell, s, that visits to a pixel can still take."""
        return max(0.0, self.recorded_dwell - float(self._consumed[row, column]))

    def haadf(self, exposure: Exposure) -> float:
        """Return the recorded survey image under the probe, in the units of the file; the dwell has no effect."""
        return float(self._survey[self._pixel(exposure)])

    def eds(self, exposure: Exposure) -> dict[str, Any]:
        """Take the counts of the next part of a pixel's recorded dwell.

        Parameters
        ----------
        exposure : Exposure
            The exposure; its dwell is taken from the pixel nearest to the probe.

        Returns
        -------
        dict
            ``"spectrum"`` (channels,) uint32 counts; ``"live_time"`` and ``"real_time"``, both the dwell, s: the
            recorded detector's dead time is already in its counts.

        Raises
        ------
        ValueError
            If the probe is off the field, or the pixel has less recorded dwell left.
        """
        row, column = self._pixel(exposure)
        start = float(self._consumed[row, column])
        stop = start + exposure.dwell
        if not exposure.dwell >= 0 or stop > self.recorded_dwell * (1 + ROUNDING):
            raise ValueError(
                f"pixel ({row}, {column}) has {self.remaining(row, column):.6g} s of its recorded dwell left, "
                f"but {exposure.dwell:.6g} s are asked for; use a shorter dwell or fewer visits"
            )
        self._consumed[row, column] = min(stop, self.recorded_dwell)
        pixel = row * self.shape[1] + column
        counts = slice(self._first[pixel], self._first[pixel + 1])
        # In fractions of the dwell, so that the last window's end is 1, above every arrival, whatever its rounding.
        arrival = self._arrival[counts]
        inside = (arrival >= start / self.recorded_dwell) & (arrival < stop / self.recorded_dwell)
        spectrum = np.bincount(self._channel[counts][inside], minlength=self.eds_axis.channels)
        return {
            "spectrum": spectrum.astype(np.uint32),
            "live_time": exposure.dwell,
            "real_time": exposure.dwell,
        }

    def eels(self, exposure: Exposure) -> dict[str, Any]:
        """Refuse: a recorded specimen has no EELS.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"exposure {exposure.number}: a recorded specimen has no EELS; use the detectors haadf and eds"
        )

    def spectrum_image(self, start: float = 0.0, stop: float = 1.0) -> Any:
        """Return the counts that arrived within a part of every pixel's dwell; visits are not affected.

        Parameters
        ----------
        start, stop : float, optional
            The part of the recorded dwell, as fractions from 0 to 1.

        Returns
        -------
        sparse array
            (rows * columns, channels) CSR int64, counts; row-major pixels.

        Raises
        ------
        ValueError
            If not ``0 <= start <= stop <= 1``.
        """
        if not 0 <= start <= stop <= 1 + ROUNDING:
            raise ValueError(f"the part {start} to {stop} of the dwell must lie between 0 and 1")
        inside = (self._arrival >= start) & (self._arrival < stop)
        pixel = np.repeat(np.arange(self._first.size - 1), np.diff(self._first))[inside]
        channel = self._channel[inside]
        shape = (self.shape[0] * self.shape[1], self.eds_axis.channels)
        return sparse.coo_array((np.ones(pixel.size, dtype=np.int64), (pixel, channel)), shape=shape).tocsr()

    def thinned(self, fraction: float, part: int = 0) -> Any:
        """Return one of the disjoint parts of the counts, statistically independent of all others.

        Parameters
        ----------
        fraction : float
            The part's share of the recorded dwell, above 0 and at most 1.
        part : int, optional
            Which part: ``part * fraction`` to ``(part + 1) * fraction`` of the dwell. With a fraction of 0.5, the
            visits to a pixel that sum to half its dwell take part 0, and part 1 is held out.

        Returns
        -------
        sparse array
            (rows * columns, channels) CSR int64, counts; row-major pixels.

        Raises
        ------
        ValueError
            If there is no such part within the dwell.
        """
        if not 0 < fraction <= 1 or not 0 <= part * fraction <= 1 - fraction + ROUNDING:
            raise ValueError(
                f"there is no part {part} of {fraction} of the dwell; parts count from 0 and must fit in 1"
            )
        return self.spectrum_image(part * fraction, (part + 1) * fraction)

    def _pixel(self, exposure: Exposure) -> tuple[int, int]:
        row, column = round(exposure.row), round(exposure.column)
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            raise ValueError(f"probe at ({exposure.row}, {exposure.column}) is off the recorded field {self.shape}")
        return row, column


def read_recording(path: str | Path) -> Recording:
    """Read the spectrum image and the survey images of a file.

    Parameters
    ----------
    path : path-like
        As of `RecordedSpecimen.load`.

    Raises
    ------
    ValueError, ModuleNotFoundError
        As `RecordedSpecimen.load`.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file; give the path of a recorded spectrum image")
    suffix = path.suffix.lower()
    if suffix != ".npz" and suffix not in READERS:
        raise ValueError(f"{path}: unknown format {suffix!r}; use .npz, {', '.join(READERS)}")
    try:
        return read_coordinate_lists(path) if suffix == ".npz" else read_vendor_format(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _positive(name: str, given: float | None, recorded: float | None, nominal: float) -> float:
    value = next((choice for choice in (given, recorded) if choice is not None), nominal)
    if not (value > 0 and np.isfinite(value)):
        raise ValueError(f"{name} is {value}, but must be positive")
    return float(value)
