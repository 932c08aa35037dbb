"""Repeats of a motif laid upon each other: images, and the events of every frame."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates, spline_filter

from daisy_bluesky.compilation import compiled
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame, checked_events, exposure_parts
from daisy_bluesky.mfsi._spectrum_sum_kernels import photon_word
from daisy_bluesky.mfsi._spectrum_sum_positions import SUBDIVISION, checked_upsample, landing_positions
from daisy_bluesky.mfsi._template_correlation import rotation

if TYPE_CHECKING:
    from daisy_bluesky.mfsi._template import Repeats

MARGIN = 1.0  # px around a motif from which photons still reach its rim


def fold_image(image: ArrayLike, repeats: "Repeats", *, upsample: int = 1) -> NDArray[np.float64]:
    """Return the mean of the repeats of a motif in an image.

    Parameters
    ----------
    image : array_like, (rows, columns)
        The image in which the repeats were found.
    repeats : Repeats
        Where they lie.
    upsample : int, optional
        Output pixels per pixel.

    Returns
    -------
    (motif rows * upsample, motif columns * upsample) float64
        Mean intensity; output pixel k is centred at ``(k - (upsample - 1) / 2) / upsample`` of the motif.

    Raises
    ------
    ValueError
        If there are no repeats, or `upsample` is out of range.
    """
    picture = np.asarray(image, dtype=np.float64)
    upsample = checked_upsample(upsample)
    require_repeats(repeats)
    spline = spline_filter(picture)
    total = np.zeros((repeats.shape[0] * upsample, repeats.shape[1] * upsample))
    for places in motif_places(repeats, upsample):
        total += map_coordinates(spline, np.moveaxis(places, -1, 0), prefilter=False, mode="nearest")
    return total / len(repeats)


def motif_places(repeats: "Repeats", upsample: int) -> Iterator[NDArray[np.float64]]:
    """Yield for each repeat where the output pixels of the motif lie, (rows, columns, 2) float64 px."""
    middle = (np.array(repeats.shape) - 1) / 2
    samples = [(np.arange(n * upsample) - (upsample - 1) / 2) / upsample for n in repeats.shape]
    grid = np.stack(np.meshgrid(*samples, indexing="ij"), -1) - middle
    for centre, angle in zip(repeats.positions, repeats.angles, strict=True):
        yield grid @ rotation(angle).T + centre


def fold_frame(
    events: NDArray[np.void],
    displacement: ArrayLike,
    repeats: "Repeats",
    *,
    frame: int,
    channels: int,
    upsample: int = 1,
    exposure: ArrayLike = 1.0,
) -> MovedFrame:
    """Move the events of one frame to the motif, once for each repeat they lie in.

    Add the result to ``SpectrumSum(repeats.shape, channels, upsample=upsample).include(...)``; its `exposure` is that
    of all repeats together.

    Parameters
    ----------
    events, displacement, frame, channels, upsample, exposure
        As in `moved_frame`.
    repeats : Repeats
        Where the motif repeats itself, in pixels of the common frame.

    Returns
    -------
    MovedFrame

    Raises
    ------
    ValueError
        As `moved_frame`, and if there are no repeats.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods (template matching through image and spectrum-image series).
    """
    require_repeats(repeats)
    if np.ndim(displacement) != 3:
        raise ValueError(f"displacement has shape {np.shape(displacement)}; it must be (rows, columns, 2)")
    shape = np.shape(displacement)[:2]
    upsample = checked_upsample(upsample)
    places = landing_positions(displacement, shape, 1) / SUBDIVISION
    parts = exposure_parts(exposure, shape)
    rows, columns, numbers, counts = checked_events(events, shape, channels, parts)
    order = np.argsort(rows * shape[1] + columns, kind="stable")
    first = np.searchsorted((rows * shape[1] + columns)[order], np.arange(shape[0] * shape[1] + 1))
    matrices = np.stack([rotation(angle) for angle in repeats.angles])
    firsts, side = _windows(places, repeats)
    positions = np.zeros((len(repeats), side, side, 2), np.int32)
    exposed = np.zeros((len(repeats), side, side), np.int64)
    fold_pixels(places, parts, repeats.positions, matrices, firsts, repeats.shape, upsample, positions, exposed)
    arguments = (positions, exposed, firsts, shape[1], first, numbers[order], counts[order])
    photons = np.empty(fold_photons(*arguments, np.empty(0, np.uint64)), np.uint64)
    fold_photons(*arguments, photons)
    flat = (len(repeats) * side, side)
    return MovedFrame(frame, channels, upsample, photons, positions.reshape(*flat, 2), exposed.reshape(flat))


def require_repeats(repeats: "Repeats") -> None:
    """Raise ValueError where there is nothing to fold."""
    if not len(repeats):
        raise ValueError("there are no repeats to fold: lower least_correlation or draw another motif")


def _windows(places: NDArray[np.float64], repeats: "Repeats") -> tuple[NDArray[np.int64], int]:
    """Return the first pixel of the frame's square that may reach each repeat, (n, 2), and the side of the squares."""
    pixels = np.stack(np.meshgrid(*(np.arange(n) for n in places.shape[:2]), indexing="ij"), -1)
    moved = places - pixels
    mean = moved.mean(axis=(0, 1))
    reach = np.hypot(*repeats.shape) / 2 + MARGIN + np.abs(moved - mean).max()
    return np.floor(repeats.positions - mean - reach).astype(np.int64), int(np.ceil(2 * reach)) + 1


@compiled
def fold_pixels(
    places: NDArray[np.float64],
    parts: NDArray[np.int64],
    centres: NDArray[np.float64],
    matrices: NDArray[np.float64],
    firsts: NDArray[np.int64],
    shape: tuple[int, int],
    upsample: int,
    positions: NDArray[np.int32],
    exposed: NDArray[np.int64],
) -> None:
    """Write where the pixels around each repeat land on the motif, and their exposure where they do."""
    for i in range(centres.shape[0]):
        for a in range(positions.shape[1]):
            for b in range(positions.shape[2]):
                r, c = firsts[i, 0] + a, firsts[i, 1] + b
                if not (0 <= r < places.shape[0] and 0 <= c < places.shape[1]):
                    continue
                y, x = places[r, c, 0] - centres[i, 0], places[r, c, 1] - centres[i, 1]
                down = y * matrices[i, 0, 0] + x * matrices[i, 1, 0] + (shape[0] - 1) / 2
                right = y * matrices[i, 0, 1] + x * matrices[i, 1, 1] + (shape[1] - 1) / 2
                if -MARGIN < down < shape[0] - 1 + MARGIN and -MARGIN < right < shape[1] - 1 + MARGIN:
                    positions[i, a, b, 0] = np.int32(round((down * upsample + (upsample - 1) / 2) * SUBDIVISION))
                    positions[i, a, b, 1] = np.int32(round((right * upsample + (upsample - 1) / 2) * SUBDIVISION))
                    exposed[i, a, b] = parts[r, c]


@compiled
def fold_photons(
    positions: NDArray[np.int32],
    exposed: NDArray[np.int64],
    firsts: NDArray[np.int64],
    columns: int,
    first: NDArray[np.int64],
    channels: NDArray[np.int64],
    counts: NDArray[np.int64],
    photons: NDArray[np.uint64],
) -> int:
    """Write, where there is room, one word for each photon of each exposed pixel; return how many there are."""
    n = 0
    for i in range(positions.shape[0]):
        for a in range(positions.shape[1]):
            for b in range(positions.shape[2]):
                if exposed[i, a, b] == 0:
                    continue
                pixel = (firsts[i, 0] + a) * columns + firsts[i, 1] + b
                for event in range(first[pixel], first[pixel + 1]):
                    word = photon_word(positions[i, a, b, 0], positions[i, a, b, 1], channels[event])
                    for _ in range(counts[event]):
                        if n < photons.size:
                            photons[n] = word
                        n += 1
    return n
