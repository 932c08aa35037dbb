"""What is known about every pixel of the field while it is being sampled."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 10
TILE = 16
BLOCK = 16
SHIFT = 16
MASK = (1 << SHIFT) - 1
LARGEST_SIDE = (1 << 15) - 1
FAR = (1 << 31) - 1
NEVER = -1.0
QUIET = 0.1

# neighbours: the nearest valid measurements by (squared distance, row, column), each as row * 2**SHIFT + column; -1
#     where there are fewer. reach: squared distance of the last, FAR while the list is not full.
# sample: label of a valid measurement (-1 unknown phase, 1... phases), 0 where there is none.
# label: the reconstruction, i.e. the sample or the neighbours' weighted vote; 0 before anything is known.
# score: expected reduction in distortion, NEVER where closed. doubt: probability that the label is wrong.
# preference: how many times more the score counts when pixels are compared.
# closed: measured or forbidden, so never a candidate. inside: part of the region of interest.
PIXEL = np.dtype(
    [
        ("neighbours", np.int32, NEIGHBOURS),
        ("reach", np.int32),
        ("score", np.float32),
        ("doubt", np.float32),
        ("preference", np.float32),
        ("sample", np.int16),
        ("label", np.int16),
        ("closed", np.bool_),
        ("inside", np.bool_),
        ("queued", np.bool_),
    ],
    align=True,
)
# Over the pixels of a tile: largest reach; largest score, preference included, and where it is; inside the region of
# interest sum of doubt, and sum of that below QUIET, where what is wrong are objects that nobody has met.
TILE_SUMMARY = np.dtype(
    [
        ("doubt", np.float64),
        ("quiet", np.float64),
        ("reach", np.int32),
        ("score", np.float32),
        ("best", np.int32),
        ("dirty", np.bool_),
    ],
    align=True,
)


# Over the tiles of a block of `BLOCK` x `BLOCK`: the same of reach and score.
BLOCK_SUMMARY = np.dtype(
    [("reach", np.int32), ("score", np.float32), ("best", np.int32), ("dirty", np.bool_)], align=True
)


class Summary(NamedTuple):
    """What holds of parts of a field, so that large fields need not be gone through.

    Attributes
    ----------
    tiles : (tile rows, tile columns) TILE_SUMMARY
        One record per `TILE` x `TILE` square of pixels.
    blocks : (block rows, block columns) BLOCK_SUMMARY
        One record per `BLOCK` x `BLOCK` square of tiles.
    """

    tiles: NDArray[Any]
    blocks: NDArray[Any]


@dataclass(frozen=True)
class Field:
    """The state of a field.

    Attributes
    ----------
    pixels : (rows, columns) PIXEL
        One record per pixel, so that what belongs together lies together in memory.
    summary : Summary
        What holds of its tiles and blocks.
    queue : (pixels,) int32
        Scratch: places an update has touched.
    """

    pixels: NDArray[Any]
    summary: Summary
    queue: NDArray[np.int32]


def empty_field(shape: tuple[int, int], inside: NDArray[np.bool_] | None = None) -> Field:
    """Return the state of a field of which nothing is known.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    inside : (rows, columns) bool, optional
        Region of interest; the whole field when omitted.

    Returns
    -------
    Field
        No samples, every neighbour list empty.
    """
    pixels = np.zeros(shape, PIXEL)
    pixels["neighbours"] = -1
    pixels["reach"] = FAR
    pixels["doubt"] = 1.0
    pixels["preference"] = 1.0
    pixels["inside"] = True if inside is None else inside
    pixels["closed"] = ~pixels["inside"]
    tiles = np.zeros((-(-shape[0] // TILE), -(-shape[1] // TILE)), TILE_SUMMARY)
    tiles["reach"] = FAR
    blocks = np.zeros((-(-tiles.shape[0] // BLOCK), -(-tiles.shape[1] // BLOCK)), BLOCK_SUMMARY)
    blocks["reach"] = FAR
    return Field(pixels, Summary(tiles, blocks), np.zeros(pixels.size, np.int32))
