"""Where a frame lies, in the form in which a run stores it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.callbacks._stored import single_events
from daisy_bluesky.mfsi import Registration

REGISTRATION = "registration"
"""Stream with one event a frame."""
MOST_WAVES = 2
Array = NDArray[np.float64]


@dataclass(frozen=True)
class RegisteredFrame:
    """Where one frame lies in the common frame of its area, or why it was left out.

    Attributes
    ----------
    number, area : int
        Its number in the series, and its area.
    excluded : str
        Why it was left out; empty when it was not.
    coefficients : (functions, 2) float64
        Coefficients of its smooth distortion, the shift first, px; zeros beyond the functions known by then.
    rows : (rows, 2) float64
        Displacement of each row beyond that, px.
    error : (2,) float64
        Expected error of a pixel's displacement along rows and columns, px; not finite where unknown.
    waves : (2, 2) float64
        Frequencies of the waves over the scan that are known by then, cycles per px; zeros for none.
    degree : int
        Highest degree of the smooth distortion's polynomials.
    scan_fraction : float
        Part of the time from one frame to the next that is spent scanning.
    """

    number: int
    area: int
    excluded: str
    coefficients: Array
    rows: Array
    error: Array
    waves: Array
    degree: int
    scan_fraction: float

    def record(self) -> dict[str, Any]:
        """Return it by data key."""
        return {
            "frame_number": self.number,
            "area": self.area,
            "excluded": self.excluded,
            "coefficients": self.coefficients,
            "rows": self.rows,
            "error": self.error,
            "waves": self.waves,
            "degree": self.degree,
            "scan_fraction": self.scan_fraction,
        }

    @classmethod
    def from_record(cls, data: Mapping[str, Any]) -> "RegisteredFrame":
        """Return what `record` gave, arrays as arrays or lists."""
        arrays = {key: np.asarray(data[key], np.float64) for key in ("coefficients", "rows", "error", "waves")}
        return cls(
            int(data["frame_number"]),
            int(data["area"]),
            str(data["excluded"] or ""),
            degree=int(data["degree"]),
            scan_fraction=float(data["scan_fraction"]),
            **arrays,
        )


@dataclass
class RegisteredFrames:
    """The frames of one area.

    Attributes
    ----------
    columns : int
        Pixels of a line.
    frames : list of RegisteredFrame
        As they came.
    """

    columns: int
    frames: list[RegisteredFrame] = field(default_factory=list)

    @property
    def used(self) -> int:
        """How many of them could be used."""
        return sum(not frame.excluded for frame in self.frames)

    def registration(self) -> Registration:
        """Return their registration, by their numbers in the series.

        Raises
        ------
        ValueError
            If fewer than two of them could be used.
        """
        found = [frame for frame in self.frames if not frame.excluded]
        if len(found) < 2:
            why = "; ".join(f"frame {frame.number}: {frame.excluded}" for frame in self.frames if frame.excluded)
            raise ValueError(f"registration needs two usable frames, and has {len(found)}{why and f' ({why})'}")
        latest = found[-1]
        waves = latest.waves[np.any(latest.waves != 0, axis=1)]
        functions = len(latest.coefficients) - 2 * (MOST_WAVES - len(waves))
        return Registration(
            (len(latest.rows), self.columns),
            np.array([frame.number for frame in found]),
            np.array([frame.coefficients[:functions] for frame in found]),
            np.array([frame.rows for frame in found]),
            np.array([frame.error for frame in found]),
            {frame.number: frame.excluded for frame in self.frames if frame.excluded},
            latest.degree,
            waves,
            latest.scan_fraction,
        )


def stored_registrations(runs: Iterable[Iterable[tuple[str, Mapping[str, Any]]]]) -> dict[int, Registration]:
    """Return the registrations that runs have stored while they were measured.

    Parameters
    ----------
    runs : iterable of iterables of (name, document)
        A series: its run, payloads inline, after those that it continues.

    Returns
    -------
    dict of int to Registration
        By area; areas of which fewer than two frames could be used are left out.
    """
    areas: dict[int, RegisteredFrames] = {}
    for documents in runs:
        _take(documents, areas)
    return {area: frames.registration() for area, frames in areas.items() if frames.used > 1}


def _take(documents: Iterable[tuple[str, Mapping[str, Any]]], areas: dict[int, RegisteredFrames]) -> None:
    streams: dict[str, str] = {}
    columns = 0
    for name, document in single_events(documents):
        if name == "start":
            columns = int(document.get("multiframe", {}).get("shape", (0, 0))[1])
        elif name == "descriptor":
            streams[document["uid"]] = document["name"]
        elif name == "event" and streams[document["descriptor"]] == REGISTRATION:
            frame = RegisteredFrame.from_record(document["data"])
            areas.setdefault(frame.area, RegisteredFrames(columns)).frames.append(frame)
