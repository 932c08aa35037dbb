"""Areas of one crystal laid upon each other by their mean images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._frame_check import first_noise
from daisy_bluesky.mfsi._reference import Reference, Spline
from daisy_bluesky.mfsi._tracking import Shift, find_shift, likely_shifts

TRIED = 16  # peaks of the correlation, nearest first
LEAST_MATCH = 0.5  # correlation of areas that show the same crystal
Array = NDArray[np.float64]


def area_shifts(images: Sequence[Array]) -> list[Array | None]:
    """Return by how much the image of each area is moved onto the first.

    Nothing says where areas lie on the lattice, so that no shift is likelier than another: that of the best match
    is taken, which tells columns that look alike from those that are.

    Parameters
    ----------
    images : sequence of (rows, columns) float64
        Mean image of each area, finite.

    Returns
    -------
    list of (2,) float64 or None
        Displacement along rows and columns, px; None for an area that shows something else.
    """
    reference = Reference((images[0].shape[0], images[0].shape[1]))
    reference.add(np.ascontiguousarray(images[0]), np.zeros((*images[0].shape, 2)))
    noise = first_noise(images[0])
    spline = reference.spline(max(float(noise[0] + noise[1] * images[0].mean()), float(noise[2])))
    shifts: list[Array | None] = [np.zeros(2)]
    for image in images[1:]:
        best = _best(image, images[0], spline, noise)
        shifts.append(best.shift if best.match > LEAST_MATCH else None)
    return shifts


def _best(image: Array, first: Array, spline: Spline, noise: Array) -> Shift:
    likely = likely_shifts(image, first, np.ones(first.shape, dtype=bool))[:TRIED]
    found = [find_shift(image, spline, shift, noise, search=False) for shift in likely]
    return max(found, key=lambda one: one.match)
