"""What a multi-frame map does between the beginning of its run and the end."""

from collections.abc import Sequence
from dataclasses import dataclass

from bluesky import Msg
from bluesky.utils import FailedStatus, MsgGenerator

from daisy_bluesky.callbacks import REGISTRATION, FrameSum, RegisteredFrame
from daisy_bluesky.devices import DoseLimitExceeded, FrameGrid, FrameScan
from daisy_bluesky.plans._asking import limit_reason
from daisy_bluesky.plans._energy_step import EnergyStep
from daisy_bluesky.plans._record import Record, save

SCANNING = "scanning a frame"


@dataclass(frozen=True)
class Frame:
    """One frame to take.

    Attributes
    ----------
    number : int
        Its number in the series, from 0.
    area : int
        Number of its area.
    step : int
        Its number among those of its area.
    """

    number: int
    area: int
    step: int


class SeriesRun:
    """The parts of a multi-frame map.

    Parameters
    ----------
    frames : sequence of Frame
        What to take.
    grids : sequence of FrameGrid
        Pixels of each area.
    scan : FrameScan
        What takes the frames.
    survey : FrameScan or None
        What takes the survey.
    focus : FrameScan or None
        What takes the exposures of each area to focus on.
    focus_frames : int
        How many of them.
    shift : EnergyStep or None
        How the drift tube is stepped.
    frame_sum : FrameSum or None
        What registers the frames while they arrive.
    unstored : sequence of RegisteredFrame
        Where frames of earlier runs lie that these had no time to store.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        grids: Sequence[FrameGrid],
        scan: FrameScan,
        survey: FrameScan | None,
        focus: FrameScan | None,
        focus_frames: int,
        shift: EnergyStep | None,
        frame_sum: FrameSum | None,
        unstored: Sequence[RegisteredFrame],
    ) -> None:
        self._frames, self._grids, self._scan, self._survey = frames, grids, scan, survey
        self._focus, self._focus_frames, self._shift = focus, focus_frames, shift
        self._frame_sum, self._unstored = frame_sum, unstored
        self._registered = Record(REGISTRATION, "frame_sum")
        self._place, self._focus_place = Record("place", "plan"), Record("focus_place", "plan")

    @property
    def scans(self) -> list[FrameScan]:
        """Devices of its own, to be staged with the others."""
        return [scan for scan in (self._survey, self._focus, self._scan) if scan is not None]

    def messages(self) -> MsgGenerator[str | None]:
        """Return the plan of the open run; it returns why the series ended early, None when it is complete."""
        for frame in self._unstored:
            yield from self._store(frame)
        reason = yield from self._expose()
        result = {} if self._frame_sum is None else self._frame_sum.result()
        if result:
            record = Record("result", "frame_sum")
            record.put(result)
            yield from save(record)
        return reason

    def _expose(self) -> MsgGenerator[str | None]:
        limit = None if self._survey is None else (yield from scan_and_save(self._survey, "survey", []))
        area = -1
        for frame in self._frames:
            if limit is None and frame.area != area:
                area = frame.area
                limit = yield from self._enter(area)
            if limit is None:
                limit = yield from self._take(frame)
            if limit is not None:
                return limit_reason(limit)
        return None

    def _enter(self, area: int) -> MsgGenerator[DoseLimitExceeded | None]:
        """Go to an area, and expose it to focus on."""
        yield Msg("prepare", self._scan, self._grids[area])
        if self._focus is None:
            return None
        yield Msg("prepare", self._focus, self._grids[area])
        self._focus_place.put({"area": area})
        for _ in range(self._focus_frames):
            limit = yield from scan_and_save(self._focus, "focus", [self._focus_place])
            if limit is not None:
                return limit
        return None

    def _take(self, frame: Frame) -> MsgGenerator[DoseLimitExceeded | None]:
        if self._shift is not None:
            yield from self._shift.to(frame.step)
        self._place.put({"frame_number": frame.number, "area": frame.area})
        limit = yield from scan_and_save(self._scan, "primary", [self._place])
        found = None if self._frame_sum is None else self._frame_sum.latest
        if found is not None and found.number == frame.number:
            yield from self._store(found)
        return limit

    def _store(self, found: RegisteredFrame) -> MsgGenerator[None]:
        self._registered.put(found.record())
        yield from save(self._registered)
        yield Msg("checkpoint")


def scan_and_save(scan: FrameScan, stream: str, records: Sequence[Record]) -> MsgGenerator[DoseLimitExceeded | None]:
    """Scan a frame and save its event with some records; return the limit of the beam that was met on the way."""
    yield Msg("checkpoint")
    try:  # a scan that is refused at once may be told at either message
        yield Msg("trigger", scan, group=SCANNING)
        yield Msg("wait", None, group=SCANNING)
    except (FailedStatus, DoseLimitExceeded):
        if scan.limit is None:
            raise
        return scan.limit
    yield Msg("create", None, name=stream)
    for record in records:
        yield Msg("read", record)
    yield Msg("read", scan)
    yield Msg("save")
    yield Msg("checkpoint")
    return None
