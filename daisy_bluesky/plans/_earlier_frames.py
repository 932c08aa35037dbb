"""The frames that earlier runs of a series have taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluesky.protocols import NamedMovable

from daisy_bluesky.devices import Beam, FrameGrid
from daisy_bluesky.plans._continuation import check_field
from daisy_bluesky.storage import being_written, find_run, replay

PLAN = "multiframe_map"


@dataclass(frozen=True)
class EarlierFrames:
    """A series as far as it has come.

    Attributes
    ----------
    start : Mapping
        Start document of its latest run; empty for a new series.
    continues : list of str
        Uids of its runs, oldest first.
    folders : list of Path
        Their journals.
    taken : mapping of int to int
        How many frames each area has.
    exposures : list of (int or None, float)
        What was exposed: the area, None for the survey, and its charge, pC.
    """

    start: Mapping[str, Any] = field(default_factory=dict)
    continues: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    taken: Mapping[int, int] = field(default_factory=dict)
    exposures: list[tuple[int | None, float]] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """How many frames the series has."""
        return sum(self.taken.values())

    def unbooked(self, beam: Beam) -> list[tuple[int | None, float]]:
        """Return the exposures that a beam's account does not hold yet."""
        return [] if self.start.get("beam_account") in (None, beam.account_uid) else self.exposures

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the series was begun with."""
        settings: Mapping[str, Any] = self.start.get("multiframe", {})
        return settings


def earlier_frames(uid: str, directory: Path, probe: NamedMovable[Any], detectors: Sequence[str]) -> EarlierFrames:
    """Return what a series has, whose latest run may have been cut short.

    Raises
    ------
    ValueError
        The run is not in the journal, is no series of frames, is still being measured, or was measured on another
        field or with other detectors.
    """
    if not isinstance(uid, str):
        raise ValueError(f"continue_from: {uid!r} is not the uid of a run, or its beginning")
    latest = find_run(uid, directory)
    if being_written(latest):
        raise ValueError(f"continue_from: run {uid} is still being measured; wait until it has ended")
    start = next(document for _, document in replay(latest, payloads=False))
    if start.get("plan_name") != PLAN:
        raise ValueError(f"continue_from: run {uid} is no series of frames ({start.get('plan_name', 'unnamed plan')})")
    check_field(uid, start, probe)
    if list(start["detectors"]) != list(detectors):
        raise ValueError(f"detectors: run {uid} was measured with {', '.join(start['detectors'])}; give the same")
    continues = [*start.get("continues", []), start["uid"]]
    folders = [find_run(run, directory) for run in continues]
    taken: dict[int, int] = {}
    exposures: list[tuple[int | None, float]] = []
    for area, charge, counts in _exposed(folders):
        exposures.append((area, charge))
        if counts and area is not None:
            taken[area] = taken.get(area, 0) + 1
    return EarlierFrames(start, continues, folders, taken, exposures)


def book(beam: Beam, earlier: EarlierFrames, grids: Sequence[FrameGrid], survey: FrameGrid) -> None:
    """Add what earlier runs did to the field to the beam's account, where it does not hold it yet."""
    for area, charge in earlier.unbooked(beam):
        current = float(earlier.settings["doses"]["current"])
        beam.book_frame(survey if area is None else grids[area], charge, charge / current)


def _exposed(folders: Sequence[Path]) -> Iterator[tuple[int | None, float, bool]]:
    """Yield area, charge (pC) and whether it is a frame of the series, of all that was exposed."""
    for folder in folders:
        streams: dict[str, str] = {}
        for name, document in replay(folder, payloads=False):
            if name == "descriptor":
                streams[document["uid"]] = document["name"]
            elif name == "event":
                stream, data = streams[document["descriptor"]], document["data"]
                if stream == "primary":
                    yield int(data["area"]), float(data["frame_charge"]), True
                elif stream in ("survey", "focus"):
                    yield data.get("area"), float(data[f"{stream}_charge"]), False
