"""The beam while it scans a frame line by line, and every electron of it accounted for."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from daisy_bluesky.devices._account import DoseAccount
from daisy_bluesky.devices._area import FrameCover
from daisy_bluesky.devices._exposer import Exposer
from daisy_bluesky.devices._frame_grid import FrameGrid
from daisy_bluesky.devices._line_gate import LineGate, stopped
from daisy_bluesky.protocols import FrameExposure, FrameInstrument


class FrameExposer:
    """One frame: its lines are exposed one by one, and it can be held between them or ended at any time.

    Parameters
    ----------
    instrument : FrameInstrument
        What scans.
    exposer : Exposer
        What blanks.
    account : DoseAccount
        Where every line is booked.
    grid : FrameGrid
        The pixels.
    dwell : float
        Dwell time of a pixel, s.
    current : float
        Beam current, pA.
    gate : LineGate
        What lets it go from line to line.

    Attributes
    ----------
    frame : FrameExposure
        The frame as the instrument knows it.
    charge : float
        What it has cost so far, pC.
    """

    def __init__(
        self,
        instrument: FrameInstrument,
        exposer: Exposer,
        account: DoseAccount,
        grid: FrameGrid,
        dwell: float,
        current: float,
        gate: LineGate,
    ) -> None:
        start = instrument.clock.now()
        self.frame = FrameExposure(
            account.frames, grid.shape, grid.pixel_size, grid.origin, start, dwell, current, grid.sub_pixel
        )
        self.charge = 0.0
        self._instrument, self._exposer, self._account = instrument, exposer, account
        self._cover = FrameCover(self.frame, instrument.shape, instrument.pixel_size)
        self._gate, self._state = gate, threading.Lock()
        self._interrupted_at: float | None = None
        self._lines = 0

    def begin(self, detectors: Sequence[str]) -> None:
        """Arm the detectors and count the frame.

        Raises
        ------
        DoseLimitExceeded
            If the frame would break a limit; nothing is exposed.
        """
        rows, columns = self.frame.shape
        seconds = rows * (columns * self.frame.dwell + self._instrument.fly_back_time)
        area = self._cover.whole()
        self._account.check_area(area, seconds * self.frame.current)
        self._instrument.arm_frame(detectors, self.frame)
        self._account.visit_area(area)
        self._account.frames += 1

    def scan_line(self, row: int) -> None:
        """Expose a line, once the gate is open.

        Raises
        ------
        FrameStopped
            If the frame has been ended.
        """
        with self._gate.line() as permitted:
            if not permitted:
                raise stopped(row, self.frame.shape[0])
            start = self._let_on(row)
            try:
                self._instrument.scan_line(self.frame, row)
            finally:
                ended = self._instrument.clock.now() if self._interrupted_at is None else self._interrupted_at
                seconds = max(0.0, ended - start)
                self._account.add_area(self._cover.lines(row, row + 1), seconds, self.frame.current)
                self.charge += seconds * self.frame.current
                self._lines = row + 1

    def read(self, detector: str) -> Mapping[str, Any]:
        """Return what a detector measured in the frame, once all its lines were scanned."""
        return self._instrument.read_frame(detector, self.frame)

    def hold(self) -> None:
        """Let the line in progress end, and blank; the next waits for `resume`."""
        self._gate.pause()
        self._exposer.blank()

    def resume(self) -> None:
        """Go on after `hold`."""
        self._gate.resume()

    def interrupt(self) -> None:
        """Blank at once; no line follows."""
        with self._state:
            if self._interrupted_at is None:
                self._interrupted_at = self._instrument.clock.now()
            self._exposer.blank()
        self._gate.end()

    def _let_on(self, row: int) -> float:
        with self._state:
            if self._interrupted_at is not None:
                raise stopped(row, self.frame.shape[0])
            if self._exposer.blanked:
                self._exposer.unblank()
            return self._instrument.clock.now()

    def end(self) -> None:
        """Blank after the last line, and let the instrument know how far the frame has come."""
        self.interrupt()
        self._instrument.end_frame(self.frame, self._lines)
