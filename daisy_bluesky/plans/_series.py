"""A series of frames, prepared before the first electron."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daisy_bluesky.callbacks import FrameSum, RegisteredFrame
from daisy_bluesky.devices import Beam, BeamDetector, EELSDetector, FrameGrid, FrameScan, HAADFDetector, ProbePositioner
from daisy_bluesky.plans._earlier_frames import PLAN, EarlierFrames
from daisy_bluesky.plans._energy_step import EnergyStep
from daisy_bluesky.plans._frame_places import FramePlaces
from daisy_bluesky.plans._grid import map_metadata
from daisy_bluesky.plans._metadata import joined_metadata
from daisy_bluesky.plans._series_doses import SeriesDoses
from daisy_bluesky.plans._series_run import Frame, SeriesRun

FAST_DWELL = 1e-5
"""Dwell time of a pixel of survey and focus exposures, s."""


@dataclass(frozen=True)
class Series:
    """A series of frames, all checked.

    Attributes
    ----------
    detectors : list of BeamDetector
        What is measured.
    probe : ProbePositioner
        What has the field.
    beam : Beam
        What exposes it.
    places : FramePlaces
        Where the frames lie.
    grids : list of FrameGrid
        Their pixels.
    dwell_time : float
        Of a pixel, s.
    frames : int
        Frames of each area.
    doses : SeriesDoses
        What it costs.
    shift : EnergyStep or None
        How the drift tube is stepped.
    options : Mapping
        ``survey``, ``focus``, ``max_dose``, ``timeout``, ``region``, ``energy_offset_step``.
    earlier : EarlierFrames
        What earlier runs have taken.
    number : int
        Number of the region.
    real : bool
        Whether a RunEngine runs the plan.
    """

    detectors: list[BeamDetector]
    probe: ProbePositioner
    beam: Beam
    places: FramePlaces
    grids: list[FrameGrid]
    dwell_time: float
    frames: int
    doses: SeriesDoses
    shift: EnergyStep | None
    options: Mapping[str, Any]
    earlier: EarlierFrames
    number: int
    real: bool

    @property
    def field(self) -> FrameGrid:
        """Pixels of the survey."""
        return FrameGrid(self.probe.shape, self.probe.pixel_size)

    @property
    def statement(self) -> str:
        """What an operator decides on."""
        return self.doses.statement(len(self.grids), self.number, self.options["max_dose"])

    def to_take(self) -> list[Frame]:
        """Return the frames that are still to be taken."""
        number, found = self.earlier.frames, []
        for area in range(len(self.grids)):
            for step in range(self.earlier.taken.get(area, 0), self.frames):
                found.append(Frame(number, area, step))
                number += 1
        return found

    def run(self, frame_sum: FrameSum | None, unstored: Sequence[RegisteredFrame]) -> SeriesRun:
        """Return what is done between the beginning of the run and the end.

        Parameters
        ----------
        frame_sum : FrameSum or None
            What registers the frames.
        unstored : sequence of RegisteredFrame
            Frames of earlier runs that are still to be stored.
        """
        haadf = [detector for detector in self.detectors if isinstance(detector, HAADFDetector)]
        timeout, focus = self.options["timeout"], self.options["focus"]
        fast: dict[str, Any] = {"dwell_time": FAST_DWELL, "timeout": timeout}
        return SeriesRun(
            self.to_take(),
            self.grids,
            FrameScan(self.detectors, self.probe, grid=self.grids[0], dwell_time=self.dwell_time, timeout=timeout),
            FrameScan(haadf, self.probe, grid=self.field, name="survey", **fast) if self.options["survey"] else None,
            FrameScan(haadf, self.probe, grid=self.grids[0], name="focus", **fast) if focus else None,
            focus,
            self.shift,
            frame_sum,
            unstored,
        )

    def metadata(self, md: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what the start document says, with the user's own."""
        points = len(self.to_take())
        told = map_metadata(PLAN, self.detectors, self.probe, self.places.shape, points, self._arguments())
        told |= {"pixel_size": self.places.pixel_size, "beam_account": self.beam.account_uid}
        told |= {"hints": {"dimensions": [[["time"], "primary"]]}, "multiframe": self._multiframe()}
        told |= {"continues": self.earlier.continues} if self.earlier.continues else {}
        return joined_metadata(told, md)

    def _arguments(self) -> dict[str, Any]:
        return {"frames": self.frames, "dwell_time": self.dwell_time, **self.options}

    def _multiframe(self) -> dict[str, Any]:
        places = self.places
        return {
            "shape": list(places.shape),
            "pixel_size": places.pixel_size,
            "dwell_time": self.dwell_time,
            "frames": self.frames,
            "areas": [list(origin) for origin in places.origins],
            "region": [*places.origins[0], places.size[1], places.size[0]],
            "region_number": self.number,
            "energy_offset": None if self.shift is None else self.shift.first,
            "energy_offset_step": self.options["energy_offset_step"],
            "sub_pixel": places.sub_pixel,
            "first_frame": self.earlier.frames,
            "spectra": self.earlier.settings.get("spectra") or _axes(self.detectors),
            "doses": self.doses.metadata(len(self.grids)),
            "statement": self.statement,
        }


def _axes(detectors: Sequence[BeamDetector]) -> dict[str, dict[str, Any]]:
    """Return the energy axes of what measures spectra, as they are now, by data key."""
    axes = {f"{detector.name}_frame": dict(detector.fixed) for detector in detectors if detector.fixed}
    now = {f"{each.name}_frame": each.first_energy for each in detectors if isinstance(each, EELSDetector)}
    return {key: {**axis, "offset": now.get(key, axis["offset"])} for key, axis in axes.items()}
