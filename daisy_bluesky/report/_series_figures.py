"""A processed series in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi import ElementMap, ProcessedSeries, SeriesFrames, SeriesOptions

SHOWN = 8  # components of a scree
Figures = dict[str, Any]


@dataclass(frozen=True)
class FramePath:
    """How the frames of a series lie.

    Attributes
    ----------
    numbers : (n,) int64
        Frames that were used.
    shifts : (n, 2) float64
        Mean displacement of each along rows and columns, px.
    distortions : (n, 2) float64
        Root mean square of the rest, px.
    errors : (n, 2) float64
        Expected error of a pixel's displacement, px; not finite where unknown.
    """

    numbers: NDArray[np.int64]
    shifts: NDArray[np.float64]
    distortions: NDArray[np.float64]
    errors: NDArray[np.float64]


def frame_path(done: ProcessedSeries) -> FramePath:
    """Return how the frames of a series lie."""
    numbers = done.placement.used
    shifts, rest = [], []
    for number in numbers:
        field = done.placement.displacement(number)
        shifts.append(field.mean(axis=(0, 1)))
        rest.append(np.sqrt(np.square(field - shifts[-1]).mean(axis=(0, 1))))
    errors = [done.placement.error(number) for number in numbers]
    return FramePath(np.array(numbers), np.array(shifts), np.array(rest), np.array(errors))


def series_figures(
    done: ProcessedSeries, frames: SeriesFrames, options: SeriesOptions, path: FramePath | None = None
) -> Figures:
    """Return what a series shows as numbers, ready for JSON.

    Parameters
    ----------
    done : ProcessedSeries
        What it shows.
    frames : SeriesFrames
        What it was made of.
    options : SeriesOptions
        How.
    path : FramePath, optional
        How its frames lie, where that is known already.

    Returns
    -------
    dict
        Lengths in px of a frame unless their name says otherwise, doses in e-/A^2, energies in the unit of the spectra;
        None for what is not known.
    """
    path = path or frame_path(done)
    return {
        "frames": frames.count,
        "used": len(path.numbers),
        "excluded": {str(number): reason for number, reason in done.placement.excluded.items()},
        "excluded_spectra": {str(number): reason for number, reason in done.excluded_spectra.items()},
        "areas": len(frames.numbers_by_area()),
        "shape": list(done.placement.main.shape),
        "pixel_size_nm": frames.pixel_size,
        "upsample": options.upsample,
        "area": options.area,
        "assignment": options.assignment,
        "rigid": options.rigid,
        **_drift(done, path),
        "dose": _doses(done, frames),
        "noise_gain": None if done.noise is None else done.noise.gain,
        "read_noise": None if done.noise is None else done.noise.read_noise,
        "maps": {name: _map_figures(name, done, frames) for name in done.maps},
        "information": [
            {
                "frames": each.frames,
                "repeats": each.repeats,
                "dose": _times(frames.dose_per_frame, each.frames * each.repeats),
                "rank": each.rank,
                "fractions": each.fractions[:SHOWN].tolist(),
            }
            for each in all_screes(done)
        ],
        "damage": {
            name: {
                "noticed": each.frame, "since": each.since, "change": each.change, "significance": each.significance
            }
            for name, each in done.damage.items()
        },
        "motif": _motif(done),
    }  # fmt: skip


def all_screes(done: ProcessedSeries) -> list[Any]:
    """Return the screes of the series and of its folded motif."""
    folded = done.motif.scree if done.motif is not None else None
    return [*done.screes, *([folded] if folded is not None else [])]


def _drift(done: ProcessedSeries, path: FramePath) -> Figures:
    common = done.placement.main.common_distortion
    return {
        "drift_px_per_frame": common.drift.tolist(),
        "drift_error_px_per_frame": _finite(common.drift_error),
        "distortion_px": np.sqrt(np.square(path.distortions).mean(axis=0)).tolist(),
        "error_px": _finite(_median(path.errors)),
        "common_distortion": {
            "known": common.known,
            "shear_degrees": common.shear if common.known else None,
            "stretch": common.stretch if common.known else None,
        },
    }


def _doses(done: ProcessedSeries, frames: SeriesFrames) -> Figures:
    used = len(done.placement.used)
    folded = done.motif.folded if done.motif is not None else None
    return {
        "per_frame": frames.dose_per_frame,
        "per_area": _times(frames.dose_per_frame, max(map(len, frames.numbers_by_area().values()))),
        "in_sum": _times(frames.dose_per_frame, used),
        "effective": _times(frames.dose_per_frame, used * folded) if folded is not None else None,
    }


def _map_figures(name: str, done: ProcessedSeries, frames: SeriesFrames) -> Figures:
    native = done.native[name]
    maps: Mapping[str, ElementMap | None] = {
        "one_frame": done.single.get(name),
        "series": native,
        "motif": done.motif.maps.get(name) if done.motif is not None else None,
    }
    return {
        "net_counts": float(np.nansum(native.net)),
        "counts_per_nm2": _per_nm2(native, frames.pixel_size),
        "motif_counts_per_nm2": _per_nm2(maps["motif"], frames.pixel_size),
        "signal_to_noise": {key: None if one is None else one.signal_to_noise for key, one in maps.items()},
        "contrast_to_noise": {key: None if one is None else one.contrast_to_noise for key, one in maps.items()},
    }


def _per_nm2(one: ElementMap | None, pixel_size: float | None) -> float | None:
    return None if one is None or not pixel_size else float(np.nanmean(one.net)) / pixel_size**2


def _motif(done: ProcessedSeries) -> Figures | None:
    if done.motif is None:
        return None
    lattice = done.motif.repeats.lattice
    return {
        "rectangle": list(done.motif.rectangle),
        "repeats": len(done.motif.repeats),
        "folded": done.motif.folded,
        "outliers": len(done.motif.repeats) - done.motif.folded,
        "lattice_px": None if lattice is None else lattice.vectors.tolist(),
    }


def _times(dose: float | None, times: float) -> float | None:
    return None if dose is None else dose * times


def _median(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    known = errors[np.isfinite(errors).all(axis=1)]
    return np.asarray(np.median(known, axis=0)) if len(known) else np.full(2, np.nan)


def _finite(values: NDArray[np.float64]) -> list[float] | None:
    return values.tolist() if np.isfinite(values).all() else None
