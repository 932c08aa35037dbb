"""Gets a series of frames ready, and refuses what is wrong with it before the first electron."""

from collections.abc import Mapping, Sequence
from typing import Any

from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from daisy_bluesky.config import load_settings
from daisy_bluesky.devices import Beam, BeamDetector, FrameGrid, HAADFDetector, ProbePositioner
from daisy_bluesky.plans._continuation import journal_directory
from daisy_bluesky.plans._earlier_frames import EarlierFrames, earlier_frames
from daisy_bluesky.plans._energy_step import energy_step
from daisy_bluesky.plans._frame_places import FramePlaces, all_places, first_place
from daisy_bluesky.plans._grid import checked_detectors, shared_beam
from daisy_bluesky.plans._numbers import finite, positive, whole
from daisy_bluesky.plans._region_number import region_number
from daisy_bluesky.plans._series import FAST_DWELL, Series
from daisy_bluesky.plans._series_doses import SeriesDoses, series_doses

_NEEDED = ("pixel_size", "dwell_time", "frames")
_DEFAULTS = {"region": None, "areas": 1, "sub_pixel": 1, "energy_offset_step": 0.0, "energy_offset": None}


def prepared_series(
    detectors: Sequence[Readable[Any]],
    probe: Movable[Any],
    energy_offset: Movable[Any] | None,
    asked: Mapping[str, Any],
    options: Mapping[str, Any],
    continue_from: str | None,
) -> MsgGenerator[Series]:
    """Prepare a series; arguments and errors as for `multiframe_map`.

    Parameters
    ----------
    detectors, probe, energy_offset, continue_from
        As there.
    asked : mapping of str to Any
        ``pixel_size``, ``dwell_time``, ``frames``, ``region``, ``areas``, ``sub_pixel``, ``energy_offset_step``.
    options : mapping of str to Any
        ``survey``, ``focus``, ``max_dose``, ``overhead_time``, ``timeout``.
    """
    told = yield from journal_directory()
    directory = told or load_settings().journal_directory
    options = _checked_options(options)
    measuring, positioner, beam = _checked_devices(detectors, probe, options)
    earlier = EarlierFrames()
    if continue_from is not None:
        earlier = earlier_frames(continue_from, directory, positioner, [detector.name for detector in measuring])
    wanted = _settings(asked, earlier, continue_from)
    frames, step = (
        whole("frames", wanted["frames"], 1),
        finite("energy_offset_step", wanted["energy_offset_step"], "eV"),
    )
    dwell_time = positive("dwell_time", wanted["dwell_time"], "seconds")
    left = frames if continue_from is None else _left(frames, wanted["areas"], earlier, continue_from)
    places, doses = _priced(wanted, options, positioner, dwell_time=dwell_time, frames=left, earlier=earlier)
    return Series(
        measuring,
        positioner,
        beam,
        places,
        places.grids(positioner),
        dwell_time,
        frames,
        doses,
        energy_step(energy_offset, step, wanted["energy_offset"]),
        {**options, "region": asked["region"], "energy_offset_step": step, "pixel_size": places.pixel_size},
        earlier,
        int(earlier.settings.get("region_number") or region_number(directory)),
        told is not None,
    )


def _priced(
    wanted: Mapping[str, Any],
    options: Mapping[str, Any],
    probe: ProbePositioner,
    *,
    dwell_time: float,
    frames: int,
    earlier: EarlierFrames,
) -> tuple[FramePlaces, SeriesDoses]:
    """Return where the frames lie, and what they cost, held against the limits."""
    beam = probe.beam
    field = FrameGrid(probe.shape, probe.pixel_size)
    given: dict[str, Any] = {"dwell_time": dwell_time, "frames": frames, "fast_dwell": FAST_DWELL, "field": field}
    given |= {"survey": field if options["survey"] else None}
    given |= {"focus": options["focus"], "overhead_time": options["overhead_time"]}
    given |= {"unbooked": earlier.unbooked(beam)}
    first = first_place(probe, wanted["region"], wanted["pixel_size"], wanted["sub_pixel"])
    one = series_doses(first, beam, grids=first.grids(probe), **given)
    places = all_places(first, wanted["areas"], probe, beam, one.dose(one.frames))
    doses = series_doses(places, beam, grids=places.grids(probe), **given)
    doses.check(options["max_dose"], beam, len(places.origins))
    return places, doses


def _checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    max_dose, overhead = options["max_dose"], options["overhead_time"]
    if overhead is not None and overhead != 0:
        overhead = positive("overhead_time", overhead, "seconds")
    if not isinstance(options["survey"], bool):
        raise ValueError(f"survey: {options['survey']!r} is neither True nor False")
    return {
        "survey": options["survey"],
        "focus": whole("focus", options["focus"], 0),
        "max_dose": None if max_dose is None else positive("max_dose", max_dose, "e-/A^2"),
        "overhead_time": overhead,
        "timeout": positive("timeout", options["timeout"], "seconds"),
    }


def _checked_devices(
    detectors: Sequence[Readable[Any]], probe: Any, options: Mapping[str, Any]
) -> tuple[list[BeamDetector], ProbePositioner, Beam]:
    measuring = []
    found = checked_detectors(detectors)
    if not found:
        raise ValueError("detectors: there is none; give a list, such as [haadf, eds]")
    for detector in found:
        if not isinstance(detector, BeamDetector):
            raise ValueError(f"detectors: {detector.name} measures no frames; give those of a beam, such as haadf")
        measuring.append(detector)
    if not isinstance(probe, ProbePositioner):
        raise ValueError(f"probe: {getattr(probe, 'name', probe)} is no ProbePositioner and scans no frames")
    beam = shared_beam(detectors)
    if beam is not probe.beam:
        raise ValueError("detectors: they do not hold the beam of the probe; give those of the same microscope")
    if (options["survey"] or options["focus"]) and not any(isinstance(each, HAADFDetector) for each in measuring):
        names = ", ".join(detector.name for detector in measuring)
        raise ValueError(f"survey, focus: none of [{names}] is a HAADF detector; add haadf")
    return measuring, probe, probe.beam


def _settings(asked: Mapping[str, Any], earlier: EarlierFrames, continue_from: str | None) -> dict[str, Any]:
    given = {name: value for name, value in asked.items() if value is not None}
    if continue_from is not None:
        if fixed := sorted(given.keys() - {"frames"}):
            raise ValueError(f"{fixed[0]}: series {continue_from} goes on as it was begun; leave {fixed[0]} out")
        return {**earlier.settings, **given}
    if missing := [name for name in _NEEDED if name not in given]:
        raise ValueError(f"{missing[0]}: a new series needs pixel_size (nm), dwell_time (s) and frames; give them")
    return {**_DEFAULTS, **given}


def _left(frames: int, areas: Sequence[Any], earlier: EarlierFrames, continue_from: str) -> int:
    taken = [earlier.taken.get(area, 0) for area in range(len(areas))]
    left = frames - min(taken)
    if left < 1:
        raise ValueError(f"frames: series {continue_from} has {min(taken)} frames already; give more, in all")
    return left
