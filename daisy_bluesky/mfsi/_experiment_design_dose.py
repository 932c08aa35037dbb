"""What a series of frames costs the specimen and the operator, before the first electron."""

from dataclasses import dataclass, fields
from math import ceil, prod

ELECTRONS_PER_PICOCOULOMB = 1e-12 / 1.602176634e-19
SQUARE_ANGSTROMS = 100.0  # in a square nanometre


@dataclass(frozen=True)
class SeriesDose:
    """Times and doses of a multi-frame series.

    Attributes
    ----------
    current : float
        Beam current, pA.
    dwell_time : float
        Dwell time of a pixel, s.
    shape : tuple of int
        Rows and columns of a frame.
    pixel_size : float
        Distance between pixels, nm.
    frames : int
        Frames.
    fly_back_time : float
        Time the beam takes to return at the end of each line, s.
    overhead_time : float
        Time between frames for communication, reading out and writing, s.

    Raises
    ------
    ValueError
        If a number makes no sense.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods (definitions of doses, dose rates and pixel charge; estimates with
    overheads and fly-back before a series begins).
    """

    current: float
    dwell_time: float
    shape: tuple[int, int]
    pixel_size: float
    frames: int = 1
    fly_back_time: float = 0.0
    overhead_time: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name in ("current", "dwell_time", "pixel_size", "frames"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}, but must be positive")
        for name in ("fly_back_time", "overhead_time"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}, but must be 0 or more")
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise ValueError(f"shape is {self.shape}; it must be (rows, columns) of a frame")

    @property
    def area(self) -> float:
        """Area of a frame, square angstroms."""
        return prod(self.shape) * self.pixel_size**2 * SQUARE_ANGSTROMS

    @property
    def frame_time(self) -> float:
        """Number of pixels times the dwell time, s."""
        return prod(self.shape) * self.dwell_time

    @property
    def frame_duration(self) -> float:
        """Time from the beginning of a frame to that of the next, fly-back and overhead included, s."""
        return self.frame_time + self.shape[0] * self.fly_back_time + self.overhead_time

    @property
    def series_time(self) -> float:
        """Time from the beginning of the series to its end, fly-back and overheads included, s."""
        return self.frames * self.frame_duration

    @property
    def pixel_charge(self) -> float:
        """Beam current times the dwell time, electrons."""
        return self.current * self.dwell_time * ELECTRONS_PER_PICOCOULOMB

    @property
    def dose_per_frame(self) -> float:
        """Electrons per square angstrom in one frame."""
        return self.pixel_charge * prod(self.shape) / self.area

    @property
    def total_dose(self) -> float:
        """Dose of a frame times the number of frames, electrons per square angstrom."""
        return self.dose_per_frame * self.frames

    @property
    def total_dose_with_overheads(self) -> float:
        """Dose if the beam stays on the field through fly-back and overheads, electrons per square angstrom."""
        return self.current * self.series_time * ELECTRONS_PER_PICOCOULOMB / self.area

    @property
    def dose_rate(self) -> float:
        """Dose of a frame over the frame time, electrons per square angstrom and second."""
        return self.dose_per_frame / self.frame_time

    @property
    def series_dose_rate(self) -> float:
        """Total dose over the series time, electrons per square angstrom and second."""
        return self.total_dose / self.series_time

    def fractionated(self, frames: int) -> "SeriesDose":
        """Return the series that shares the dwell time of this one's frames out to more frames, at equal total dose."""
        if not frames >= 1:
            raise ValueError(f"frames is {frames}, but must be positive")
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return SeriesDose(**{**values, "frames": frames, "dwell_time": self.dwell_time * self.frames / frames})

    def __str__(self) -> str:
        """Return the numbers an operator decides on, with their units."""
        return (
            f"{self.frames} frames of {self.shape[0]} x {self.shape[1]} pixels: frame time {self.frame_time:.3g} s "
            f"({self.frame_duration:.3g} s with overheads), series time {self.series_time:.4g} s; "
            f"{self.dose_per_frame:.3g} e-/A^2 a frame, {self.total_dose:.3g} e-/A^2 in all "
            f"({self.total_dose_with_overheads:.3g} if the beam stays on), dose rate {self.dose_rate:.3g} e-/A^2/s "
            f"({self.series_dose_rate:.3g} over the series), pixel charge {self.pixel_charge:.3g} e-"
        )


def pixel_grid(field: tuple[float, float], pixel_size: float) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return how many pixels of a given size cover a field, and the field expanded to whole pixels.

    Parameters
    ----------
    field : tuple of float
        Height and width, nm.
    pixel_size : float
        Distance between pixels, nm: the free parameter, from which their number follows.

    Returns
    -------
    shape : tuple of int
        Rows and columns.
    field : tuple of float
        Height and width, nm, not smaller than asked for.

    Raises
    ------
    ValueError
        If a length is not positive.
    """
    if not (pixel_size > 0 and all(length > 0 for length in field)):
        raise ValueError(f"field {field} nm and pixel_size {pixel_size} nm must be positive")
    rows, columns = (max(1, ceil(length / pixel_size - 1e-9)) for length in field)
    return (rows, columns), (rows * pixel_size, columns * pixel_size)
