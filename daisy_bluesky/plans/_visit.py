"""The hot loop: move, expose, read. Raw messages, because every plan stub formats a stack trace."""

from collections.abc import Sequence
from typing import Any

from bluesky import Msg
from bluesky.protocols import Movable, Readable
from bluesky.utils import MsgGenerator

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
        self._probe = probe
        self._arrive = Msg("wait", None, group=MOVING, timeout=timeout)
        self._measure = [
            *(Msg("trigger", detector, group=EXPOSING) for detector in detectors),
            Msg("wait", None, group=EXPOSING, timeout=timeout),
            Msg("create", None, name=stream),
            Msg("read", probe),
            *(Msg("read", readable) for readable in (*detectors, *also_read)),
            Msg("save"),
            Msg("checkpoint"),
        ]

    def __call__(self, row: float, column: float) -> MsgGenerator[bool]:
        """Visit a position, pixels; return False where no RunEngine moves the probe, as in a summary."""
        status = yield Msg("set", self._probe, (row, column), group=MOVING)
        yield self._arrive
        for message in self._measure:  # noqa: UP028 - the RunEngine sends answers, which a list cannot take
            yield message
        return status is not None
