"""The hot loop: move, expose, read. Raw messages, because every plan stub formats a stack trace."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bluesky import Msg
from bluesky import plan_stubs as bps
from bluesky import preprocessors as bpp
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

from daisy_bluesky.plans._grid import set_dwell_time

MOVING = "probe moving"
EXPOSING = "exposing"


class Visit:
    """Measures one position with all detectors in one exposure and saves the event.

    Parameters
    ----------
    detectors : sequence of Readable
        What is triggered and read.
    probe : Movable
        Takes ``(row, column)`` in pixels.
    also_read : sequence of Readable
        Read, not triggered: the beam.
    timeout : float
        Longest wait for the move and for the exposure, s.
    stream : str
        Stream of the events.
    """

    def __init__(
        self,
        detectors: Sequence[Readable[Any]],
        probe: Movable[Any],
        also_read: Sequence[Readable[Any]],
        *,
        timeout: float,
        stream: str = "primary",
    ) -> None:
        self._detectors = tuple(detectors)
        self._probe = probe
        self._readables = (probe, *detectors, *also_read)
        self._timeout = timeout
        self._stream = stream
        self._dwell = math.nan

    def __call__(self, row: float, column: float, dwell: float = math.nan) -> MsgGenerator[bool]:
        """Visit a position, pixels; return False where no RunEngine moves the probe, as in a summary.

        A dwell time, s, is set on all detectors when it is another one than before; nan leaves theirs. Every message
        is a new one: preprocessors tell messages apart by identity.
        """
        if dwell != self._dwell and not math.isnan(dwell):
            yield from set_dwell_time(self._detectors, dwell)
            self._dwell = dwell
        status = yield Msg("set", self._probe, (row, column), group=MOVING)
        yield Msg("wait", None, group=MOVING, timeout=self._timeout)
        for detector in self._detectors:
            yield Msg("trigger", detector, group=EXPOSING)
        yield Msg("wait", None, group=EXPOSING, timeout=self._timeout)
        yield Msg("create", None, name=self._stream)
        for readable in self._readables:
            yield Msg("read", readable)
        yield Msg("save")
        yield Msg("checkpoint")
        return status is not None


def staged_run(
    plan: MsgGenerator[str | None], devices: Sequence[Any], metadata: Mapping[str, Any]
) -> MsgGenerator[str | None]:
    """Run a plan between staging and unstaging, as one run; return its uid.

    Like `bluesky.preprocessors.run_wrapper`, but what the plan returns is the ``reason`` of the stop document.
    """
    uid: str | None = yield from bpp.stage_wrapper(_run(plan, metadata), devices)
    return uid


def _run(plan: MsgGenerator[str | None], metadata: Mapping[str, Any]) -> MsgGenerator[str | None]:
    uid: str | None = yield from bps.open_run(dict(metadata))
    reason = yield from bpp.contingency_wrapper(plan, except_plan=_close_failed)
    yield from bps.close_run(reason=reason)
    return uid


def _close_failed(error: Exception) -> MsgGenerator[None]:
    # the RunEngine's own requests, to stop and to abort, say how the run ended; everything else is a failure
    yield from bps.close_run(exit_status=getattr(error, "exit_status", "fail"), reason=str(error))
