"""A stored series from its frames to its maps: the per-frame work wherever it is best done, the sums here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._alignment_count import Map
from daisy_bluesky.mfsi._camera_noise import CameraNoise
from daisy_bluesky.mfsi._damage_monitor import Damage
from daisy_bluesky.mfsi._maps import ElementMap
from daisy_bluesky.mfsi._scree import information_content
from daisy_bluesky.mfsi._series_damage import WatchedSignal, watched_edges, watched_lines
from daisy_bluesky.mfsi._series_events import EventSums, MoveEvents
from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.mfsi._series_image import common_field, field_of, summed_images
from daisy_bluesky.mfsi._series_information import DoseScree, doses_shown
from daisy_bluesky.mfsi._series_memory import require_series_memory
from daisy_bluesky.mfsi._series_motif import (
    FoldedMotif,
    find_folded,
    fold_events,
    folded_maps,
    folded_picture,
    folded_scree,
    folded_spectra,
)
from daisy_bluesky.mfsi._series_options import SeriesOptions
from daisy_bluesky.mfsi._series_placement import Placement, place_frames
from daisy_bluesky.mfsi._series_spectra import AlignEnergies, SpectraSums, first_spectra

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], object]
EARLY = 9  # of the frames, the part after which maps are kept to be looked at: 1 in so many
FEWEST_EARLY = 4  # frames, below which they would show little


@dataclass(frozen=True)
class ProcessedSeries:
    """What a series of frames shows.

    Attributes
    ----------
    placement : Placement
        Where the frames lie; which were left out, and why.
    image, exposure : (rows, columns) float64
        The aligned images over their exposure, upsampled, and that exposure, in that of a whole pixel of one frame.
    corner : tuple of int
        Row and column of the image's first pixel in the upsampled common frame.
    first_image : (rows, columns) float64
        The first frame that was used.
    early_image : (rows, columns) float64 or None
        The aligned image of the first frames; None where the series is short.
    early : int
        How many they are; 0 where the series is short.
    excluded_spectra : dict of int to str
        Frames whose image was used but not their spectra, with the reason.
    events : EventSums or None
        Sums of the X-ray events.
    spectra : SpectraSums or None
        Sums of the energy-loss spectra.
    noise : CameraNoise or None
        That of the energy-loss spectra as recorded.
    single, native, maps : dict of str to ElementMap
        Maps of the first frame and of all of them on the pixels of a frame, and of all upsampled.
    pictures, early_pictures : dict of str to ndarray
        Upsampled maps to look at, of all frames and of the first of them.
    screes : list of DoseScree
        Components against dose.
    watched : dict of str to WatchedSignal
        Lines and edges, and carbon, frame by frame.
    motif : FoldedMotif or None
        The motif and its repeats.
    """

    placement: Placement
    image: Array
    exposure: Array
    corner: tuple[int, int]
    first_image: Array
    early_image: Array | None
    early: int
    excluded_spectra: dict[int, str] = field(default_factory=dict)
    events: EventSums | None = None
    spectra: SpectraSums | None = None
    noise: CameraNoise | None = None
    single: dict[str, ElementMap] = field(default_factory=dict)
    native: dict[str, ElementMap] = field(default_factory=dict)
    maps: dict[str, ElementMap] = field(default_factory=dict)
    pictures: dict[str, Array] = field(default_factory=dict)
    early_pictures: dict[str, Array] = field(default_factory=dict)
    screes: list[DoseScree] = field(default_factory=list)
    watched: dict[str, WatchedSignal] = field(default_factory=dict)
    motif: FoldedMotif | None = None

    @property
    def damage(self) -> dict[str, Damage]:
        """Lines and edges that changed, and carbon that grew."""
        found = {name: signal.damage for name, signal in self.watched.items()}
        return {name: damage for name, damage in found.items() if damage is not None}


def process_series(
    frames: SeriesFrames,
    options: SeriesOptions | None = None,
    *,
    mapping: Map = map,
    progress: Progress | None = None,
) -> ProcessedSeries:
    """Register a series, sum and map its spectra, fold its motif and look for damage.

    What is done to a frame depends on that frame and on what all had in common before: any `mapping` that keeps the
    order, such as `Workers.map`, gives the same bits. In memory are the sums and the frames in hand.

    Parameters
    ----------
    frames : SeriesFrames
        The series.
    options : SeriesOptions, optional
        What to do.
    mapping : callable, optional
        What applies a function to each frame, like `map`.
    progress : callable, optional
        Told what is being done, how many are done, of how many.

    Returns
    -------
    ProcessedSeries

    Raises
    ------
    ValueError
        If fewer than two frames can be used, frames differ in shape, or an option does not fit the series.
    MemoryError
        If the sums would exceed the memory limit; nothing is allocated then.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods (frames registered by their images, then corrected in series).
    """
    asked = SeriesOptions() if options is None else options
    if frames.spectra is not None and asked.area == "full":
        raise ValueError("area full is for X-ray events: choose frame or common for energy-loss spectra")
    require_series_memory(frames, asked)
    tell = progress or (lambda *_: None)
    placement = place_frames(
        frames, rigid=asked.rigid, mapping=mapping, watch=lambda done, of: tell("registering", done, of)
    )
    done = _summed_images(frames, placement, asked, tell)
    if frames.events is not None:
        done = _with_events(done, frames, asked, mapping, tell)
    if frames.spectra is not None:
        done = _with_spectra(done, frames, asked, mapping, tell)
    return done if asked.motif is None else _with_motif(done, frames, asked, mapping, tell)


def _summed_images(
    frames: SeriesFrames, placement: Placement, options: SeriesOptions, tell: Progress
) -> ProcessedSeries:
    used = placement.used
    early = len(used) // EARLY if len(used) >= EARLY * FEWEST_EARLY else 0
    field = field_of(placement, options)
    before = None
    if early:
        before = summed_images(frames, placement, used[:early], field, options.upsample)[0]
    image, exposure = summed_images(
        frames, placement, used, field, options.upsample, lambda done, of: tell("summing images", done, of)
    )
    first = np.asarray(frames.images[used[0]], dtype=np.float64)
    return ProcessedSeries(placement, image, exposure, (field[0], field[1]), first, before, early)


def _with_events(
    done: ProcessedSeries, frames: SeriesFrames, options: SeriesOptions, mapping: Map, tell: Progress
) -> ProcessedSeries:
    axis, used = frames.eds_axis, done.placement.used
    if axis is None:
        return done
    sums = EventSums(done.placement.main.shape, axis, options, done.early)
    excluded = {}
    work = MoveEvents(frames, done.placement, options.upsample, common_field(done.placement))
    for place, (number, moved) in enumerate(zip(used, mapping(work, used), strict=True), 1):
        if isinstance(moved, str):
            excluded[number] = moved
        else:
            sums.take(moved)
        tell("moving events", place, len(used))
    _require_spectra(sums.spectra, excluded)
    screes = []
    if options.information:
        screes = [DoseScree.of(each) for each in information_content(sums.native, doses_shown(len(sums.spectra)))]
    return replace(
        done,
        excluded_spectra=done.excluded_spectra | excluded,
        events=sums,
        single=done.single | sums.single,
        native=done.native | sums.native_maps(),
        maps=done.maps | sums.maps(),
        pictures=done.pictures | sums.pictures(),
        early_pictures=done.early_pictures | sums.early_pictures,
        screes=screes,
        watched=done.watched | watched_lines(sums.spectra, axis, options.lines),
    )


def _with_spectra(
    done: ProcessedSeries, frames: SeriesFrames, options: SeriesOptions, mapping: Map, tell: Progress
) -> ProcessedSeries:
    axis, used = frames.eels_axis, done.placement.used
    if axis is None:
        return done
    reference, noise = first_spectra(frames, used, options)
    doses = doses_shown(len(used)) if options.information and not done.screes else []
    sums = SpectraSums(done.placement.main.shape, axis, options, noise, doses, done.early, common_field(done.placement))
    excluded = {}
    work = AlignEnergies(frames, options.energy_alignment, reference)
    for place, (number, aligned) in enumerate(zip(used, mapping(work, used), strict=True), 1):
        if isinstance(aligned, str):
            excluded[number] = aligned
        else:
            spectra, shift = aligned
            sums.take(number, spectra, shift, done.placement.displacement(number))
        tell("adding spectra", place, len(used))
    _require_spectra(sums.spectra, excluded)
    maps = sums.maps()
    return replace(
        done,
        excluded_spectra=done.excluded_spectra | excluded,
        spectra=sums,
        noise=noise,
        single=done.single | sums.single,
        native=done.native | sums.native_maps(),
        maps=done.maps | maps,
        pictures=done.pictures | {name: each.rate for name, each in maps.items()},
        early_pictures=done.early_pictures | sums.early_pictures,
        screes=[*done.screes, *sums.screes],
        watched=done.watched | watched_edges(sums.spectra, axis, options.edges, noise.gain),
    )


def _with_motif(
    done: ProcessedSeries, frames: SeriesFrames, options: SeriesOptions, mapping: Map, tell: Progress
) -> ProcessedSeries:
    if options.motif is None:
        return done
    tell("finding repeats", 0, 1)
    shape, used = done.placement.main.shape, done.placement.used
    motif = find_folded(*summed_images(frames, done.placement, used, (0, 0, *shape), 1), options.motif)
    fold = partial(folded_picture, repeats=motif.repeats, upsample=options.upsample, corner=done.corner)
    motif = replace(motif, image=fold(done.image))
    tell("finding repeats", 1, 1)
    if done.events is not None:
        native, fine = fold_events(
            frames, done.placement, list(done.events.native.frames), motif.repeats, options, _counted(mapping, tell)
        )
        maps, pictures = folded_maps(frames, native, fine, options)
        scree = folded_scree(fine, motif.repeats.without_outliers()) if options.information else None
        motif = replace(motif, maps=maps, pictures=pictures, scree=scree, events=fine)
    if done.spectra is not None:
        folded = {name: fold(done.maps[name].rate) for name in options.edges}
        spectra = folded_spectra(done.spectra.total, motif.repeats, done.corner, options)
        motif = replace(motif, pictures=motif.pictures | folded, spectra=spectra)
    return replace(done, motif=motif)


def _require_spectra(spectra: dict[int, Array], excluded: dict[int, str]) -> None:
    if not spectra:
        number, reason = next(iter(excluded.items()))
        raise ValueError(f"no frame has spectra that can be used (frame {number}: {reason})")


def _counted(mapping: Map, tell: Progress) -> Map:
    def counted(function: Callable[[int], object], numbers: list[int]) -> Iterator[object]:
        for place, result in enumerate(mapping(function, numbers), 1):
            yield result
            tell("folding repeats", place, len(numbers))

    return counted
