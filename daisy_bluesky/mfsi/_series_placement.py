"""Where the frames of a series lie: registered area by area, and the areas of a crystal upon each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._aligned_image import AlignedSum
from daisy_bluesky.mfsi._alignment_count import Map
from daisy_bluesky.mfsi._area_shifts import area_shifts
from daisy_bluesky.mfsi._register import register
from daisy_bluesky.mfsi._registration import Registration
from daisy_bluesky.mfsi._series_frames import SeriesFrames

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """Displacements of all frames of a series.

    Attributes
    ----------
    registrations : mapping of int to Registration
        That of each area; frames are numbered within their area.
    numbers : mapping of int to list of int
        Numbers of each area's frames in the series.
    shifts : mapping of int to (2,) float64
        By how much an area is moved onto the first, px; areas that match nothing are missing.
    excluded : mapping of int to str
        Frames that were left out, with the reason.
    rigid : bool
        Whether frames are only moved as a whole.
    """

    registrations: Mapping[int, Registration]
    numbers: Mapping[int, list[int]]
    shifts: Mapping[int, Array]
    excluded: Mapping[int, str]
    rigid: bool = False

    @property
    def used(self) -> list[int]:
        """Numbers of the frames that are placed, ascending."""
        every = (number for numbers in self.numbers.values() for number in numbers)
        return sorted(number for number in every if number not in self.excluded)

    @property
    def main(self) -> Registration:
        """The registration of the first area."""
        return next(iter(self.registrations.values()))

    def displacement(self, number: int) -> Array:
        """Return where a frame lies, (rows, columns, 2) float64 px; raises as `Registration.displacement`."""
        if number in self.excluded:
            raise ValueError(f"frame {number} was left out: {self.excluded[number]}")
        area = next(area for area, numbers in self.numbers.items() if number in numbers)
        field = self.registrations[area].displacement(self.numbers[area].index(number)) + self.shifts[area]
        return np.broadcast_to(field.mean(axis=(0, 1)), field.shape).copy() if self.rigid else field

    def error(self, number: int) -> Array:
        """Return the expected error of a frame's displacement, (2,) float64 px; not finite where it is not known."""
        area = next(area for area, numbers in self.numbers.items() if number in numbers)
        found = self.registrations[area]
        return np.asarray(found.error[np.flatnonzero(found.numbers == self.numbers[area].index(number))[0]])


def place_frames(
    frames: SeriesFrames,
    *,
    rigid: bool = False,
    mapping: Map = map,
    watch: Callable[[int, int], object] | None = None,
) -> Placement:
    """Register the frames of a series, and areas of a crystal by their mean images.

    Parameters
    ----------
    frames : SeriesFrames
        The series.
    rigid, mapping, watch
        As of `SeriesOptions` and `register`.

    Returns
    -------
    Placement

    Raises
    ------
    ValueError
        As `register`.
    """
    numbers = frames.numbers_by_area()
    lonely = {area: members for area, members in numbers.items() if len(members) < 2}
    excluded = {number: f"the only frame of area {area}" for area, (number,) in lonely.items()}
    registrations: dict[int, Registration] = {}
    done = 0
    for area in sorted(numbers.keys() - lonely.keys()):
        members = numbers[area]
        told = None if watch is None else partial(_told, watch, done, len(members), frames.count)
        images = frames.with_frames(members).images
        found = register(images, scan_fraction=frames.scan_fraction, mapping=mapping, watch=told)
        registrations[area] = replace(found, frames=None)
        excluded |= {members[local]: reason for local, reason in found.excluded.items()}
        done += len(members)
    if not registrations:
        raise ValueError("no area has two frames: a series needs at least two of the same area")
    shifts = _areas_together(frames, registrations, numbers)
    for area in registrations.keys() - shifts.keys():
        excluded |= dict.fromkeys(numbers[area], f"area {area} does not match the first")
    return Placement(registrations, numbers, shifts, dict(sorted(excluded.items())), rigid)


def _told(watch: Callable[[int, int], object], before: int, members: int, count: int, done: int, of: int) -> None:
    """Tell how far the whole series is, where alignments of one area are counted."""
    each = of / members  # alignments of a frame
    watch(round(before * each) + done, round(count * each))


def _areas_together(
    frames: SeriesFrames, registrations: Mapping[int, Registration], numbers: Mapping[int, list[int]]
) -> dict[int, Array]:
    """Return by how much each area's mean image is moved onto the first."""
    if len(registrations) == 1:
        return dict.fromkeys(registrations, np.zeros(2))
    means = [_mean_image(frames.with_frames(numbers[area]), found) for area, found in registrations.items()]
    found_shifts = area_shifts(means)
    return {area: shift for area, shift in zip(registrations, found_shifts, strict=True) if shift is not None}


def _mean_image(frames: SeriesFrames, found: Registration) -> Array:
    total = AlignedSum(found.shape)
    for local in found.numbers.tolist():
        total.add(frames.images[local], found.displacement(local))
    image = total.image()
    return np.where(np.isfinite(image), image, np.nanmean(image))
