"""Where the frames of a series lie on the field."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np

from daisy_bluesky.devices import Beam, FrameGrid, ProbePositioner
from daisy_bluesky.mfsi import pixel_grid
from daisy_bluesky.plans._numbers import positive, whole

GAP = 0.1  # between areas, of their height and width: room for drift
VIRGIN = 0.01  # of the dose of an area, below which a place counts as not exposed
_ROUNDING = 1e-6


@dataclass(frozen=True)
class FramePlaces:
    """The areas of a series, all of one shape and pixel size.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of a frame.
    pixel_size : float
        Distance between its pixels, nm.
    origins : tuple of (float, float)
        Where the first pixel of each area lies, (x, y), nm.
    sub_pixel : int
        Places along each axis over which the beam is moved within a pixel.
    """

    shape: tuple[int, int]
    pixel_size: float
    origins: tuple[tuple[float, float], ...]
    sub_pixel: int = 1

    @property
    def size(self) -> tuple[float, float]:
        """Height and width of a frame, nm."""
        return self.shape[0] * self.pixel_size, self.shape[1] * self.pixel_size

    def grids(self, probe: ProbePositioner) -> list[FrameGrid]:
        """Return the pixels of each area, checked.

        Raises
        ------
        ValueError
            An area does not lie in the field.
        """
        found = []
        for x, y in self.origins:
            grid = FrameGrid(self.shape, self.pixel_size, (y / probe.pixel_size, x / probe.pixel_size), self.sub_pixel)
            try:
                grid.check(probe.shape, probe.pixel_size)
            except ValueError:
                raise ValueError(f"areas: the area at x {x:g}, y {y:g} nm does not lie in {_words(probe)}") from None
            found.append(grid)
        return found


def first_place(
    probe: ProbePositioner, region: Sequence[float] | None, pixel_size: float, sub_pixel: int
) -> FramePlaces:
    """Return the place of a region: its pixel size is what was asked for, and the number of pixels follows.

    Parameters
    ----------
    probe : ProbePositioner
        What has the field.
    region : sequence of float or None
        Where the first pixel lies, x and y, and width and height, nm; the whole field when None.
    pixel_size : float
        Distance between pixels, nm.
    sub_pixel : int
        Places along each axis over which the beam is moved within a pixel.

    Raises
    ------
    ValueError
        A number is wrong, or the region does not lie in the field.
    """
    pixel_size, sub_pixel = positive("pixel_size", pixel_size, "nm"), whole("sub_pixel", sub_pixel, 1)
    rows, columns = probe.shape
    whole_field = (0.0, 0.0, columns * probe.pixel_size, rows * probe.pixel_size)
    x, y, width, height = whole_field if region is None else _checked_region(region)
    if min(x, y) < 0 or x + width > whole_field[2] + _ROUNDING or y + height > whole_field[3] + _ROUNDING:
        raise ValueError(f"region: {width:g} x {height:g} nm at x {x:g}, y {y:g} nm does not lie in {_words(probe)}")
    shape, _ = pixel_grid((height, width), pixel_size)
    fitting = [
        floor(((size - 1) * probe.pixel_size - place) / pixel_size + _ROUNDING) + 1
        for size, place in zip(probe.shape, (y, x), strict=True)
    ]
    return FramePlaces((min(shape[0], fitting[0]), min(shape[1], fitting[1])), pixel_size, ((x, y),), sub_pixel)


def all_places(
    first: FramePlaces, areas: int | Sequence[Sequence[float]], probe: ProbePositioner, beam: Beam, dose: float
) -> FramePlaces:
    """Return the places of all areas.

    Parameters
    ----------
    first : FramePlaces
        The region.
    areas : int or sequence of (float, float)
        How many virgin areas, the region among them, or where their first pixels lie, (x, y) nm.
    probe : ProbePositioner
        What has the field.
    beam : Beam
        What knows where the field was exposed.
    dose : float
        Dose that an area is to receive, e-/A^2.

    Raises
    ------
    ValueError
        The places are not (x, y), or so many virgin areas do not fit.
    """
    if isinstance(areas, int):
        origins = _virgin(first, whole("areas", areas, 1), probe, beam, dose)
    else:
        origins = _checked_origins(areas)
    return FramePlaces(first.shape, first.pixel_size, origins, first.sub_pixel)


def _virgin(
    first: FramePlaces, number: int, probe: ProbePositioner, beam: Beam, dose: float
) -> tuple[tuple[float, float], ...]:
    if number == 1:
        return first.origins
    (x, y), (height, width) = first.origins[0], first.size
    found = []
    for place in [(x, y), *_tiles((x, y), (width, height), first, probe)]:
        grid = FramePlaces(first.shape, first.pixel_size, (place,)).grids(probe)[0]
        if beam.dose_of(grid) < VIRGIN * dose:
            found.append(place)
        if len(found) == number:
            return tuple(found)
    raise ValueError(
        f"areas: {len(found)} virgin areas of {width:g} x {height:g} nm fit into {_words(probe)}, not {number}; "
        "ask for fewer, or for a smaller region"
    )


def _tiles(
    origin: tuple[float, float], size: tuple[float, float], first: FramePlaces, probe: ProbePositioner
) -> list[tuple[float, float]]:
    """Return the places around a region where others like it fit, row by row."""
    along = []
    for place, length, pixels, field in zip(origin, size, first.shape[::-1], probe.shape[::-1], strict=True):
        step, last = (1 + GAP) * length, (field - 1) * probe.pixel_size - (pixels - 1) * first.pixel_size
        before = floor(place / step + _ROUNDING)
        along.append(np.arange(place - before * step, last + _ROUNDING, step))
    places = [(float(x), float(y)) for y in along[1] for x in along[0]]
    return [place for place in places if max(abs(a - b) for a, b in zip(place, origin, strict=True)) > _ROUNDING]


def _checked_region(region: Sequence[float]) -> tuple[float, float, float, float]:
    numbers = _numbers(region)
    if numbers.shape != (4,) or not (numbers[2:] > 0).all():
        raise ValueError(f"region: {region} is not (x, y, width, height) in nm")
    x, y, width, height = (float(number) for number in numbers)
    return x, y, width, height


def _checked_origins(areas: Any) -> tuple[tuple[float, float], ...]:
    numbers = _numbers(areas)
    if numbers.ndim != 2 or numbers.shape[1] != 2 or not len(numbers):
        raise ValueError(f"areas: {areas!r} is neither a number of areas nor a list of their (x, y) in nm")
    return tuple((float(x), float(y)) for x, y in numbers)


def _numbers(values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
    return numbers if np.isfinite(numbers).all() else np.empty(0)


def _words(probe: ProbePositioner) -> str:
    rows, columns = probe.shape
    return f"the field of {columns * probe.pixel_size:g} x {rows * probe.pixel_size:g} nm"
