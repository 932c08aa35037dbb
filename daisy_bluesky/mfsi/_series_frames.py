"""The frames of a series, each read when it is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from daisy_bluesky.spectra import EnergyAxis

T = TypeVar("T")


class LazyImage:
    """An image that is read where it is used, perhaps in another process.

    Parameters
    ----------
    read : callable
        Gives the image of a number.
    number : int
        Its number.
    """

    def __init__(self, read: Callable[[int], ArrayLike], number: int) -> None:
        self._read, self._number = read, number

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        """Return the image."""
        return np.array(self._read(self._number), dtype=dtype, copy=copy)


class LazyImages(Sequence[LazyImage]):
    """The images of a series, none of them in memory."""

    def __init__(self, read: Callable[[int], ArrayLike], count: int) -> None:
        self._read, self._count = read, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> LazyImage: ...
    @overload
    def __getitem__(self, number: slice) -> list[LazyImage]: ...
    def __getitem__(self, number: int | slice) -> LazyImage | list[LazyImage]:
        numbers = range(self._count)[number]
        return LazyImage(self._read, numbers) if isinstance(numbers, int) else [self[each] for each in numbers]


@dataclass(frozen=True)
class SeriesFrames:
    """A series of images and, with them, spectra; functions of the frame's number, from 0, that read one frame.

    Attributes
    ----------
    count : int
        Frames.
    image : callable
        Number to image, (rows, columns).
    events : callable or None
        Number to X-ray events, (n,) structured: ``row``, ``column``, ``channel`` and, where not 1, ``count``.
    eds_axis : EnergyAxis or None
        Energies of the events' channels, keV.
    spectra : callable or None
        Number to energy-loss spectra, (rows, columns, channels).
    eels_axis : EnergyAxis or None
        Energies of the first frame's channels, eV.
    energy_offsets : tuple of float
        Energy of channel 0 in each frame, eV, where the drift tube was stepped; empty where it was not.
    areas : tuple of int
        The area of the specimen that each frame shows; empty where all show the same.
    pixel_size : float or None
        Distance between pixels, nm.
    dose_per_frame : float or None
        Electrons per square angstrom.
    scan_fraction : float
        Part of the time from one frame to the next that is spent scanning.

    Raises
    ------
    ValueError
        If there are fewer than two frames, spectra have no energy axis, a size or a dose is not positive, or a list has
        not one entry a frame.
    """

    count: int
    image: Callable[[int], ArrayLike]
    events: Callable[[int], NDArray[np.void]] | None = None
    eds_axis: EnergyAxis | None = None
    spectra: Callable[[int], ArrayLike] | None = None
    eels_axis: EnergyAxis | None = None
    energy_offsets: tuple[float, ...] = ()
    areas: tuple[int, ...] = ()
    pixel_size: float | None = None
    dose_per_frame: float | None = None
    scan_fraction: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be a series."""
        if self.count < 2:
            raise ValueError(f"a series needs at least two frames, and this one has {self.count}")
        for what, read, axis in (("events", self.events, self.eds_axis), ("spectra", self.spectra, self.eels_axis)):
            if read is not None and axis is None:
                raise ValueError(f"{what} have no energy axis: give the series one")
        for name in ("pixel_size", "dose_per_frame"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value}, but must be positive")
        for name in ("energy_offsets", "areas"):
            if len(getattr(self, name)) not in (0, self.count):
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {self.count} frames")

    @property
    def images(self) -> LazyImages:
        """The images, to be read one by one."""
        return LazyImages(self.image, self.count)

    def energy_step(self, number: int) -> float:
        """Return by how many channels a frame's spectra must be moved to undo the step of the drift tube."""
        if not self.energy_offsets or self.eels_axis is None:
            return 0.0
        return (self.energy_offsets[number] - self.energy_offsets[0]) / self.eels_axis.dispersion

    def numbers_by_area(self) -> dict[int, list[int]]:
        """Return the numbers of the frames of each area, in order."""
        found: dict[int, list[int]] = {}
        for number, area in enumerate(self.areas or (0,) * self.count):
            found.setdefault(area, []).append(number)
        return found

    def with_frames(self, numbers: Sequence[int]) -> "SeriesFrames":
        """Return a series of some of the frames, in the order of `numbers`, renumbered from 0."""
        chosen = tuple(numbers)
        return replace(
            self,
            count=len(chosen),
            image=partial(_renumbered, self.image, chosen),
            events=self.events and partial(_renumbered, self.events, chosen),
            spectra=self.spectra and partial(_renumbered, self.spectra, chosen),
            energy_offsets=tuple(self.energy_offsets[number] for number in chosen) if self.energy_offsets else (),
            areas=tuple(self.areas[number] for number in chosen) if self.areas else (),
        )


def _renumbered(read: Callable[[int], T], numbers: tuple[int, ...], number: int) -> T:
    return read(numbers[number])
