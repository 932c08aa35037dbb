"""What is known about every pixel while it is sampled for several objectives."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._field import Summary, empty_field

LARGEST_LABEL = 255


class ObjectiveField(NamedTuple):
    """The state of a field: what all objectives share, and one layer of it for each.

    Attributes
    ----------
    pixels : (rows, columns) PIXEL
        Neighbour lists and the score. `sample` is not 0 where there is a valid measurement; which number, and `label`,
        is scratch of the objective that is looked at.
    summary : Summary
        Largest reach and score of tiles and blocks.
    queue : (pixels,) int32
        Scratch: places an update has touched.
    values, noise : (objectives, rows, columns) float64
        Where measured, what counts for the objective, and its variance; labels without variance for categorical ones.
    visits : (rows, columns) float32
        Valid visits to each pixel, in visits of the usual dwell time.
    again : (rows, columns) bool
        Measured pixels that may be visited again.
    level : (objectives, rows, columns) float32
        The reconstruction that decides.
    gain : (objectives, rows, columns) float32
        Expected reduction in distortion, pixels times the unit of the objective.
    categorical, lines : (objectives,) bool
        Whether values are labels; whether boundaries count by their length instead of areas.
    importance : (objectives, LARGEST_LABEL + 2) float64
        What a wrong label costs, by label; that of the unknown phase, -1, is the last.
    factors : (objectives,) float64
        Weight over scale: what turns gains into score.
    exploration : (1,) float64
        Score of a pixel per squared distance to the nearest measurement where nothing is expected.
    """

    pixels: NDArray[Any]
    summary: Summary
    queue: NDArray[np.int32]
    values: NDArray[np.float64]
    noise: NDArray[np.float64]
    visits: NDArray[np.float32]
    again: NDArray[np.bool_]
    level: NDArray[np.float32]
    gain: NDArray[np.float32]
    categorical: NDArray[np.bool_]
    lines: NDArray[np.bool_]
    importance: NDArray[np.float64]
    factors: NDArray[np.float64]
    exploration: NDArray[np.float64]


def empty_objective_field(
    shape: tuple[int, int], inside: NDArray[np.bool_], categorical: NDArray[np.bool_], lines: NDArray[np.bool_]
) -> ObjectiveField:
    """Return the state of a field of which nothing is known."""
    field, count = empty_field(shape, inside), len(categorical)
    return ObjectiveField(
        field.pixels,
        field.summary,
        field.queue,
        np.zeros((count, *shape)),
        np.zeros((count, *shape)),
        np.zeros(shape, np.float32),
        np.zeros(shape, bool),
        np.zeros((count, *shape), np.float32),
        np.zeros((count, *shape), np.float32),
        categorical,
        lines,
        np.ones((count, LARGEST_LABEL + 2)),
        np.ones(count),
        np.zeros(1),
    )
