"""The aligned image of a series, on the field that its spectra are mapped on."""

from collections.abc import Callable, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._aligned_image import AlignedSum
from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.mfsi._series_options import SeriesOptions
from daisy_bluesky.mfsi._series_placement import Placement
from daisy_bluesky.mfsi._spectrum_sum_exposure import ExposureMap
from daisy_bluesky.mfsi._spectrum_sum_frame import exposure_parts
from daisy_bluesky.mfsi._spectrum_sum_kernels import Box
from daisy_bluesky.mfsi._spectrum_sum_positions import landing_positions

Array = NDArray[np.float64]


def summed_images(
    frames: SeriesFrames,
    placement: Placement,
    numbers: Sequence[int],
    field: Box,
    upsample: int,
    watch: Callable[[int, int], object] | None = None,
) -> tuple[Array, Array]:
    """Return the aligned image of some frames, and its exposure.

    Parameters
    ----------
    frames : SeriesFrames
        The series.
    placement : Placement
        Where its frames lie.
    numbers : sequence of int
        The frames to sum.
    field : tuple of int
        First row, first column, rows and columns of the image in the upsampled common frame.
    upsample : int
        Output pixels per pixel.
    watch : callable, optional
        Told after each frame how many are done of how many.

    Returns
    -------
    image : (rows, columns) float64
        Mean intensity; not a number where no frame looked.
    exposure : (rows, columns) float64
        In exposures of a whole pixel of one frame.
    """
    top, left, rows, columns = field
    total = AlignedSum((ceil(rows / upsample), ceil(columns / upsample)), upsample=upsample)
    for place, number in enumerate(numbers, 1):
        image = np.asarray(frames.images[number], dtype=np.float64)
        total.add(image, placement.displacement(number) - np.array([top, left]) / upsample)
        if watch is not None:
            watch(place, len(numbers))
    inside = np.s_[:rows, :columns]
    return total.image()[inside], total.exposure[inside]


def field_of(placement: Placement, options: SeriesOptions) -> Box:
    """Return first row, first column, rows and columns of the field that is asked for, output pixels.

    Raises
    ------
    ValueError
        If no part of it is shown by every frame, where that is asked for.
    """
    shape, upsample = placement.main.shape, options.upsample
    field = ExposureMap(shape, upsample, 1, options.area, options.memory_limit)
    if options.area != "frame":
        once = exposure_parts(1.0, shape)
        for number in placement.used:
            field.add(landing_positions(placement.displacement(number), shape, upsample), once)
    box = field.box()
    if not (box[2] and box[3]):
        raise ValueError("no part of the field is in every frame: the specimen drifted too far for area common")
    return box


def common_field(placement: Placement) -> Box | None:
    """Return first row, first column, rows and columns, px, of what every frame shows; None where that is nothing."""
    try:
        return field_of(placement, SeriesOptions(area="common"))
    except ValueError:
        return None


def inside_field(displacement: Array, field: Box | None) -> NDArray[np.bool_]:
    """Return which pixels of a frame show a field of the specimen, (rows, columns) bool; all where there is none."""
    shape = displacement.shape[:2]
    if field is None:
        return np.ones(shape, dtype=bool)
    first, size = np.array(field[:2]), np.array(field[2:])
    places = np.moveaxis(np.indices(shape), 0, -1) + displacement - first
    return np.asarray(np.all((places >= -0.5) & (places < size - 0.5), axis=-1))
