"""Exposures on a simulated clock: no threads, no waiting, the same result every time."""

import time

from bluesky.protocols import Status

from daisy_bluesky.devices._exposer import Exposed, Exposer, OpenExposure, late
from daisy_bluesky.devices._status import FinishedStatus


class SimulatedExposer(Exposer):
    """Runs every exposure to its end inside the call that asks for it.

    The exposure stays open for other detectors until the probe moves: one that joins sees it from its start, and the
    clock advances only by what its dwell time exceeds the exposure.
    """

    def expose(self, detector: Exposed, dwell: float, current: float) -> Status:
        """Expose and read out; the status carries what went wrong."""
        joined = self._open if self._open is not None and detector not in self._open.detectors else None
        exposure = joined or self._begin(dwell, current)
        excess = max(0.0, dwell - exposure.seconds)
        if joined:
            self.account.check(exposure.pixel, excess * exposure.current)
        try:
            self.instrument.arm(detector.instrument_key, dwell)
            if not joined:
                self._commit(exposure)
            exposure.detectors.append(detector)
            if excess:
                self._irradiate(exposure, excess)
            self._read_out(detector, exposure, dwell)
        except Exception as error:  # noqa: BLE001 - whatever a detector raises belongs to its status
            self.interrupt()
            return FinishedStatus(error)
        return FinishedStatus()

    def place(self, row: float, column: float, settle_time: float) -> Status:
        """Move the probe; settling costs simulated time only."""
        self._open = None
        self.instrument.place_probe(row, column)
        self.position = (row, column)
        if settle_time:
            self.instrument.clock.advance(settle_time)
        return FinishedStatus()

    def finish(self) -> None:
        """Blank: whatever was exposed has ended already, and stays open for joining."""
        self.blank()

    def hold(self) -> None:
        """Blank, as `finish` does."""
        self.blank()

    def resume(self) -> None:
        """Do nothing: nothing is ever held."""

    def await_detector(self, detector: Exposed) -> None:
        """Do nothing: every detector has been read out."""

    def interrupt(self) -> None:
        """Blank and close the exposure for joining."""
        self._open = None
        self.blank()

    def _irradiate(self, exposure: OpenExposure, seconds: float) -> None:
        clock = self.instrument.clock
        start = clock.now()
        try:
            self.unblank()
            clock.advance(seconds)
        except BaseException:
            seconds = clock.now() - start
            raise
        finally:
            self.blank()
            self._book(exposure, seconds)

    def _read_out(self, detector: Exposed, exposure: OpenExposure, dwell: float) -> None:
        clock = self.instrument.clock
        ended = clock.now()
        values = self.instrument.read_out(detector.instrument_key, exposure.window(exposure.start, dwell))
        if clock.now() - ended > self.timeout:
            raise late(detector, self.timeout)
        detector.receive(values, time.time())
