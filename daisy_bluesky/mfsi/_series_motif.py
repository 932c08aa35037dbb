"""Repeats of a motif, folded over a whole series."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._alignment_count import Map
from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._lattice import Lattice
from daisy_bluesky.mfsi._maps import ElementMap
from daisy_bluesky.mfsi._scree import InformationContent
from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.mfsi._series_information import DoseScree
from daisy_bluesky.mfsi._series_options import MotifChoice, SeriesOptions
from daisy_bluesky.mfsi._series_placement import Placement
from daisy_bluesky.mfsi._spectra_folding import fold_spectra
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.mfsi._spectrum_sum_frame import MovedFrame
from daisy_bluesky.mfsi._template import Repeats, find_motif, find_repeats
from daisy_bluesky.mfsi._template_folding import fold_frame, fold_image
from daisy_bluesky.mfsi._window_maps import smooth_maps, window_maps

FOLDED = 4  # output pixels per pixel of a folded motif, at least
WELL_COVERED = 0.5  # of the usual exposure
Array = NDArray[np.float64]


@dataclass(frozen=True)
class FoldedMotif:
    """A motif, and what its repeats show together.

    Attributes
    ----------
    rectangle : tuple of int
        First row, first column, rows and columns of the motif, pixels of the common frame.
    repeats : Repeats
        Where it repeats itself, pixels of the common frame.
    image : (rows, columns) float64
        Mean image of the repeats.
    maps : dict of str to ElementMap
        Maps on the pixels of a frame, of repeats that are no outliers.
    pictures : dict of str to (rows, columns) float64
        Maps to look at.
    scree : DoseScree or None
        Components of the folded spectra.
    events : SpectrumSum or None
        X-rays of the repeats of all frames, on finer pixels.
    spectra : (rows, columns, channels) float32 or None
        Mean energy-loss spectra of the repeats, counts per exposure of a frame's pixel.
    """

    rectangle: tuple[int, int, int, int]
    repeats: Repeats
    image: Array
    maps: dict[str, ElementMap]
    pictures: dict[str, Array]
    scree: DoseScree | None
    events: SpectrumSum | None = None
    spectra: NDArray[np.float32] | None = None

    @property
    def folded(self) -> int:
        """Number of repeats that were folded: those that are no outliers."""
        return len(self.repeats.without_outliers())


def find_folded(image: Array, exposure: Array, motif: MotifChoice) -> FoldedMotif:
    """Find a motif and its repeats in the aligned image on the pixels of a frame, which places them well enough.

    Parameters
    ----------
    image, exposure : (rows, columns) float64
        The image and its exposure.
    motif : "found" or tuple of int
        As of `SeriesOptions`.

    Returns
    -------
    FoldedMotif
        Without maps.

    Raises
    ------
    ValueError
        As `find_repeats` and `find_motif`, or if the motif drawn leaves the field that frames cover well.
    """
    top, left, rows, columns = covered_box(exposure)
    picture = image[top : top + rows, left : left + columns]
    drawn = find_motif(picture) if motif == "found" else (motif[0] - top, motif[1] - left, motif[2], motif[3])
    found = find_repeats(picture, drawn)
    corner = np.array([top, left])
    lattice = found.lattice and Lattice(found.lattice.origin + corner, found.lattice.vectors)
    repeats = replace(found, positions=found.positions + corner, lattice=lattice)
    mean = fold_image(picture, found.without_outliers(), upsample=FOLDED)
    return FoldedMotif((drawn[0] + top, drawn[1] + left, drawn[2], drawn[3]), repeats, mean, {}, {}, None)


def folded_picture(picture: Array, repeats: Repeats, upsample: int, corner: tuple[int, int]) -> Array:
    """Return the mean of the repeats, without outliers, in an upsampled picture of the field.

    Parameters
    ----------
    picture : (rows, columns) float64
        What is folded; where it is not a number, its mean stands in.
    repeats : Repeats
        In pixels of the common frame.
    upsample : int
        Pixels of the picture per pixel of a frame.
    corner : tuple of int
        Row and column of its first pixel in the upsampled common frame.
    """
    whole = np.where(np.isfinite(picture), picture, np.nanmean(picture))
    return fold_image(whole, _in_picture(repeats, upsample, corner), upsample=max(1, FOLDED // upsample))


def folded_spectra(
    total: EelsSum, repeats: Repeats, corner: tuple[int, int], options: SeriesOptions
) -> NDArray[np.float32]:
    """Return the mean energy-loss spectra of the repeats, without outliers, from the upsampled sum of a series."""
    there = _in_picture(repeats, options.upsample, corner)
    factor = max(1, FOLDED // options.upsample)
    return fold_spectra(
        total.volume(), there, exposure=total.exposure, upsample=factor, memory_limit=options.memory_limit
    )


def _in_picture(repeats: Repeats, upsample: int, corner: tuple[int, int]) -> Repeats:
    """Return the repeats that are no outliers in pixels of an upsampled picture whose first pixel is `corner`."""
    typical = repeats.without_outliers()
    positions = typical.positions * upsample + (upsample - 1) / 2 - np.array(corner)
    return replace(typical, shape=(typical.shape[0] * upsample, typical.shape[1] * upsample), positions=positions)


def covered_box(exposure: Array) -> tuple[int, int, int, int]:
    """Return first row, first column, rows and columns of the rectangle whose sides frames cover well."""
    typical = WELL_COVERED * float(np.median(exposure[exposure > 0]))
    spans = []
    for axis in (1, 0):
        well = np.flatnonzero(np.median(exposure, axis=axis) > typical)
        spans.append((int(well[0]), int(well[-1]) + 1))
    (top, bottom), (left, right) = spans
    return top, left, bottom - top, right - left


def fold_events(
    frames: SeriesFrames,
    placement: Placement,
    numbers: list[int],
    repeats: Repeats,
    options: SeriesOptions,
    mapping: Map,
) -> tuple[SpectrumSum, SpectrumSum]:
    """Return the sums of the repeats of all frames, on the pixels of a frame and on finer ones."""
    axis = frames.eds_axis
    if axis is None:
        raise ValueError("the series has no X-ray events")
    typical = repeats.without_outliers()
    upsample = max(FOLDED, options.upsample)
    given = {"seed": options.seed, "memory_limit": options.memory_limit}
    native = SpectrumSum(typical.shape, axis.channels, **given)  # type: ignore[arg-type]
    fine = SpectrumSum(typical.shape, axis.channels, upsample=upsample, **given)  # type: ignore[arg-type]
    for one, other in mapping(partial(_folded, frames, placement, typical, upsample), numbers):
        native.include(one)
        fine.include(other)
    return native, fine


def folded_maps(
    frames: SeriesFrames, native: SpectrumSum, fine: SpectrumSum, options: SeriesOptions
) -> tuple[dict[str, ElementMap], dict[str, Array]]:
    """Return maps of folded sums, on the pixels of a frame, and finer ones to look at."""
    if frames.eds_axis is None:
        return {}, {}
    return (
        window_maps(native, frames.eds_axis, options.lines),
        smooth_maps(fine, frames.eds_axis, options.lines),
    )


def folded_scree(fine: SpectrumSum, repeats: Repeats) -> DoseScree | None:
    """Return the components of the folded spectra of one unit cell; None where the repeats have no lattice.

    Motifs larger than a cell overlap: a photon counts once in the cell, but several times in the motif, and what comes
    several times looks like more than noise.

    Parameters
    ----------
    fine : SpectrumSum
        The folded sum, upsampled, so that few photons lie on the rim of the cell.
    repeats : Repeats
        What was folded, pixels of a frame.
    """
    if repeats.lattice is None:
        return None
    events, shape = fine.events(), fine.exposure.shape
    places = np.column_stack([events["row"], events["column"]]) - (np.array(shape) - 1) / 2
    parts = places @ np.linalg.inv(repeats.lattice.vectors * fine.upsample)
    content = InformationContent(shape, fine.channels)
    content.add(events[np.all(np.floor(parts + 0.5) == 0, axis=1)], frames=len(fine.frames))
    return DoseScree.of(content.scree(), len(repeats))


def _folded(
    frames: SeriesFrames, placement: Placement, repeats: Repeats, upsample: int, number: int
) -> tuple[MovedFrame, MovedFrame]:
    if frames.events is None or frames.eds_axis is None:
        raise ValueError("the series has no X-ray events")
    events, displacement = frames.events(number), placement.displacement(number)
    channels = frames.eds_axis.channels
    native, fine = (
        fold_frame(events, displacement, repeats, frame=number, channels=channels, upsample=each)
        for each in (1, upsample)
    )
    return native, fine
