"""What a series of frames will cost, stated and held against the limits before the first electron."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, prod
from typing import Any

from daisy_bluesky.devices import Beam, DoseLimitExceeded, FrameGrid
from daisy_bluesky.mfsi import SeriesDose
from daisy_bluesky.plans._frame_places import FramePlaces

_ROUNDING = 1e-9
_TIMES = ("frame_time", "frame_duration", "fly_back_time", "overhead_time")
_DOSES = (
    "dose_per_frame",
    "total_dose",
    "total_dose_with_overheads",
    "dose_rate",
    "series_dose_rate",
    "pixel_charge",
)


@dataclass(frozen=True)
class SeriesDoses:
    """Doses and times of a series, survey and focus included.

    Attributes
    ----------
    frames : SeriesDose
        The frames of one area.
    survey, focus : SeriesDose or None
        The survey of the whole field, and the exposures of one area to focus on.
    fly_back_exposes : bool
        Whether the beam stays on the specimen while it flies back.
    before : float
        Dose that the areas have had, the largest, e-/A^2.
    charge_before : float
        Charge that the field has had, pC.
    """

    frames: SeriesDose
    survey: SeriesDose | None
    focus: SeriesDose | None
    fly_back_exposes: bool
    before: float
    charge_before: float

    def charge(self, series: SeriesDose) -> float:
        """Return the charge of a series, pC: fly-back included where the beam stays on."""
        fly_back = series.shape[0] * series.fly_back_time if self.fly_back_exposes else 0.0
        return series.current * series.frames * (series.frame_time + fly_back)

    def dose(self, series: SeriesDose | None) -> float:
        """Return the dose of a series, e-/A^2: fly-back included where the beam stays on."""
        return 0.0 if series is None else self.charge(series) / _charge_of(series) * series.total_dose

    @property
    def area_dose(self) -> float:
        """Dose of one area after the series: what it had before, survey, focus and frames, e-/A^2."""
        return self.before + self.dose(self.survey) + self.dose(self.focus) + self.dose(self.frames)

    def total_charge(self, areas: int) -> float:
        """Return the charge of a series of so many areas, pC."""
        parts = (self.survey, self.focus, self.frames)
        charges = [0.0 if part is None else self.charge(part) for part in parts]
        return charges[0] + areas * (charges[1] + charges[2])

    def metadata(self, areas: int) -> dict[str, float]:
        """Return the statements as plain numbers: e-/A^2, e-/A^2/s, s, electrons, pA."""
        frames = self.frames
        names = [*_TIMES, *_DOSES, "current"]
        return {
            **{name: float(getattr(frames, name)) for name in names},
            "series_time": frames.series_time * areas,
            "survey_dose": self.dose(self.survey),
            "focus_dose": self.dose(self.focus),
            "dose_before": self.before,
            "area_dose": self.area_dose,
        }

    def check(self, max_dose: float | None, beam: Beam, areas: int) -> None:
        """Refuse a series that would break a limit.

        Raises
        ------
        DoseLimitExceeded
            It would; one line says by how much, and how many frames would not.
        """
        limits = {"max_dose": max_dose, "max_pixel_dose of the beam": beam.max_pixel_dose}
        for name, limit in limits.items():
            if limit is not None and self.area_dose > limit * (1 + _ROUNDING):
                one = self.dose(self.frames) / self.frames.frames
                room = max(0, floor((limit - self.area_dose) / one + self.frames.frames + _ROUNDING))
                raise DoseLimitExceeded(
                    f"{name}: an area would have received {self.area_dose:.4g} e-/A^2, over the limit of {limit:.4g}; "
                    f"{room} of {self.frames.frames} frames are within it: take fewer, shorter dwell, or larger pixels"
                )
        charge = self.charge_before + self.total_charge(areas)
        if beam.max_charge is not None and charge > beam.max_charge * (1 + _ROUNDING):
            raise DoseLimitExceeded(
                f"max_charge of the beam: the series would make {charge:.4g} pC, over the limit of "
                f"{beam.max_charge:.4g} pC; take fewer frames, or shorter dwell"
            )

    def statement(self, areas: int, number: int, max_dose: float | None) -> str:
        """Return what an operator decides on, in a few lines."""
        frames, several = self.frames, f" in each of {areas} areas" if areas > 1 else ""
        size = " x ".join(f"{pixels * frames.pixel_size:.4g}" for pixels in frames.shape[::-1])
        head = f"Region {number}: {frames.frames} frames of {frames.shape[0]} x {frames.shape[1]} pixels of "
        text = (
            f"{head}{frames.pixel_size:g} nm ({size} nm){several}\n"
            f"  frame time {frames.frame_time:.4g} s ({frames.frame_duration:.4g} s with fly-back and overhead), "
            f"series time {frames.series_time * areas:.4g} s\n"
            f"  dose per frame {frames.dose_per_frame:.3g} e-/A^2, total dose {frames.total_dose:.3g} e-/A^2 "
            f"({frames.total_dose_with_overheads:.3g} if the beam stayed on throughout)\n"
            f"  dose rate {frames.dose_rate:.3g} e-/A^2/s ({frames.series_dose_rate:.3g} over the series), "
            f"pixel charge {frames.pixel_charge:.3g} e- ({frames.current:g} pA for {frames.dwell_time:g} s)\n"
        )
        extra = {"had before": self.before, "survey": self.dose(self.survey), "focus": self.dose(self.focus)}
        told = ", ".join(f"{name} {dose:.3g}" for name, dose in extra.items() if dose)
        limit = "no limit" if max_dose is None else f"limit {max_dose:.3g}"
        return f"{text}  an area will have had {self.area_dose:.3g} e-/A^2{told and f' ({told})'}, {limit}"


def series_doses(
    places: FramePlaces,
    beam: Beam,
    *,
    dwell_time: float,
    frames: int,
    survey: FrameGrid | None,
    focus: int,
    fast_dwell: float,
    overhead_time: float | None,
    unbooked: Sequence[tuple[int | None, float]],
    field: FrameGrid,
    grids: list[FrameGrid],
) -> SeriesDoses:
    """Return the doses of a series.

    Parameters
    ----------
    places : FramePlaces
        Where its frames lie.
    beam : Beam
        What knows current, times and what the field had before.
    dwell_time : float
        Of a pixel, s.
    frames : int
        Frames of an area that are still to be taken.
    survey : FrameGrid or None
        Pixels of the survey.
    focus : int
        Exposures of an area to focus on.
    fast_dwell : float
        Dwell time of a pixel of those two, s.
    overhead_time : float or None
        Time between frames, s; what the instrument tells when None.
    unbooked : sequence of (int or None, float)
        What earlier runs have exposed that the beam does not know of: area, None for the survey, and charge, pC.
    field : FrameGrid
        Pixels of the field, as a survey has them.
    grids : list of FrameGrid
        Pixels of the areas.
    """
    instrument: Any = beam.instrument
    fly_back = float(getattr(instrument, "fly_back_time", 0.0))
    overhead = float(getattr(instrument, "overhead_time", 0.0)) if overhead_time is None else overhead_time
    current = float(beam.current.get())
    times = {"fly_back_time": fly_back, "overhead_time": overhead}
    shape, size = places.shape, places.pixel_size
    return SeriesDoses(
        SeriesDose(current, dwell_time, shape, size, frames, **times),
        None if survey is None else SeriesDose(current, fast_dwell, survey.shape, survey.pixel_size, 1, **times),
        SeriesDose(current, fast_dwell, shape, size, focus, **times) if focus else None,
        beam.scans_frames,
        max(beam.dose_of(grid) + _dose_of(unbooked, area, grid, field) for area, grid in enumerate(grids)),
        beam.charge + sum(charge for _, charge in unbooked),
    )


def _dose_of(unbooked: Sequence[tuple[int | None, float]], area: int, grid: FrameGrid, field: FrameGrid) -> float:
    """Return the dose of an area from exposures that the beam does not know of, e-/A^2."""
    dose = 0.0
    for place, charge in unbooked:
        if place in (None, area):
            pixels = field if place is None else grid
            one = SeriesDose(1.0, charge, pixels.shape, pixels.pixel_size)
            dose += one.dose_per_frame / prod(pixels.shape)
    return dose


def _charge_of(series: SeriesDose) -> float:
    return series.current * series.frames * series.frame_time
