"""Exposures on a real clock: one thread ends them, whatever the plan does."""

import logging
import threading
from dataclasses import replace
from functools import partial
from typing import cast

from bluesky.protocols import Status
from ophyd.utils import WaitTimeoutError

from daisy_bluesky.devices._account import DoseAccount
from daisy_bluesky.devices._exposer import Exposed, Exposer, OpenExposure
from daisy_bluesky.devices._read_outs import Integration, ReadOuts
from daisy_bluesky.devices._status import ExposureStatus, FinishedStatus
from daisy_bluesky.devices._timer import Timer
from daisy_bluesky.protocols import Instrument

_log = logging.getLogger(__name__)
_GATHERING = 0.05
_MARGIN = 1.0


class WallExposer(Exposer):
    """Times its own blanking in a thread of its own.

    The beam comes on when every staged detector has been triggered, so that none of them misses the exposure and costs
    the specimen a second one; it does not wait for them longer than 50 ms. A detector triggered later joins while the
    exposure is open, and extends it where it needs to.
    """

    def __init__(self, instrument: Instrument, account: DoseAccount, timeout: float) -> None:
        self._lock = threading.RLock()
        self._timer = Timer(instrument.clock, "beam")
        self._read_outs = ReadOuts(instrument, self._timer, timeout)
        self._integrations: list[Integration] = []
        self._settling: ExposureStatus | None = None
        self._held = False
        super().__init__(instrument, account, timeout)

    def expose(self, detector: Exposed, dwell: float, current: float) -> Status:
        """Start or join an exposure; the status finishes when the detector has been read out."""
        self.await_detector(detector)
        self.resume()
        status = ExposureStatus(detector)
        with self._lock:
            exposure = self._open or self._begin(dwell, current)
            self._check_extension(exposure, dwell)
            try:
                self.instrument.arm(detector.instrument_key, dwell)
                self._join(exposure, Integration(detector, exposure.window(self.instrument.clock.now(), dwell), status))
            except Exception as error:  # noqa: BLE001 - whatever a detector raises belongs to its status
                self.interrupt()
                if not status.done:
                    status.set_exception(error)
        return cast("Status", status)

    def place(self, row: float, column: float, settle_time: float) -> Status:
        """Move the probe once the open exposure has ended; the status finishes when it has settled."""
        if self._open is not None:
            self.finish()
        self.instrument.place_probe(row, column)
        self.position = (row, column)
        if not settle_time:
            return FinishedStatus()
        self._settling = ExposureStatus(None)
        self._timer.at(self.instrument.clock.now() + settle_time, self._settling.set_finished)
        return cast("Status", self._settling)

    def finish(self) -> None:
        """Start what waits to begin, wait for exposure, read-outs and probe, and blank.

        Raises
        ------
        TimeoutError
            If they do not end in time; the beam is blanked.
        """
        with self._lock:
            self._held = False
            if self._open is not None:
                self._start(self._open)
        self._await_all()

    def hold(self) -> None:
        """Wait like `finish`, but let an exposure that has not begun wait for `resume`."""
        with self._lock:
            self._held = self._open is not None and not self._open.begun
        if not self._held:
            self._await_all()
        self.blank()

    def resume(self) -> None:
        """Go on gathering detectors where `hold` has stopped it."""
        with self._lock:
            if self._held and self._open is not None:
                self._held = False
                self._timer.at(self.instrument.clock.now() + _GATHERING, partial(self._gathered, self._open))

    def interrupt(self) -> None:
        """Blank now; the detectors are read out with what they have, which is nothing where the beam was not on yet."""
        with self._lock:
            self._held = False
            exposure = self._open
            if exposure is None:
                self.blank()
            else:
                self._close(exposure)

    def await_detector(self, detector: Exposed) -> None:
        """Wait until a detector has been read out."""
        with self._lock:
            busy = any(one.detector is detector for one in (*self._integrations, *self._read_outs.pending))
        if busy:
            self.finish()

    def _check_extension(self, exposure: OpenExposure, dwell: float) -> None:
        """Refuse to join an exposure where that would break a limit."""
        if exposure is self._open:
            longest = max([dwell, *(one.window.dwell for one in self._integrations)])
            end = max(exposure.end, self.instrument.clock.now() + dwell)
            self.account.check(exposure.pixel, (end - exposure.start if exposure.begun else longest) * exposure.current)

    def _join(self, exposure: OpenExposure, integration: Integration) -> None:
        self._integrations.append(integration)
        if self._open is None:
            self._open = exposure
            self._timer.at(self.instrument.clock.now() + _GATHERING, partial(self._gathered, exposure))
        if exposure.begun:
            self._extend(exposure, integration)
        elif self.expected <= {one.detector for one in self._integrations}:
            self._start(exposure)

    def _start(self, exposure: OpenExposure) -> None:
        """Let the beam on, if it is not on already."""
        if not exposure.begun:
            self._commit(exposure)
            exposure.begun = True
            exposure.start = self.instrument.clock.now()
            try:
                self.unblank()
            except Exception as error:
                self._open = None
                self._abandon(error)
                self.blank()
                raise
            for integration in self._integrations:
                integration.window = exposure.window(exposure.start, integration.window.dwell)
                self._extend(exposure, integration)

    def _extend(self, exposure: OpenExposure, integration: Integration) -> None:
        end = integration.window.start + integration.window.dwell
        if end > exposure.end:
            exposure.end = end
            self._timer.at(end, partial(self._end, exposure))

    def _gathered(self, exposure: OpenExposure) -> None:
        """Start without the detectors that have not come."""
        with self._lock:
            if self._open is exposure and not self._held:
                try:
                    self._start(exposure)
                except Exception:  # noqa: BLE001 - nothing above this thread; the statuses carry it
                    _log.exception("beam: exposure %d did not begin", exposure.number)

    def _end(self, exposure: OpenExposure) -> None:
        """Close the exposure if its time has come: a detector that joined may have extended it."""
        with self._lock:
            if self._open is exposure and self.instrument.clock.now() >= exposure.end:
                try:
                    self._close(exposure)
                except Exception:  # noqa: BLE001 - nothing above this thread; the statuses carry it
                    _log.exception("beam: blanking failed at the end of exposure %d", exposure.number)

    def _close(self, exposure: OpenExposure) -> None:
        """Blank, book what the specimen received, and have the detectors read out."""
        self._open = None
        try:
            self.blank()
        except Exception as error:
            self._abandon(error)
            raise
        finally:
            ended = self.instrument.clock.now()
            if exposure.begun:
                self._book(exposure, ended - exposure.start)
        integrations, self._integrations = self._integrations, []
        for integration in integrations:
            if exposure.begun:
                window = integration.window
                integration.window = replace(window, dwell=min(window.dwell, ended - window.start))
                self._read_outs.start(integration)
            else:
                integration.status.set_finished()

    def _abandon(self, error: Exception) -> None:
        """Fail the detectors in the exposure."""
        integrations, self._integrations = self._integrations, []
        for integration in integrations:
            integration.status.set_exception(error)

    def _await_all(self) -> None:
        with self._lock:
            remaining = 0.0 if self._open is None else max(0.0, self._open.end - self.instrument.clock.now())
            waiting = [one.status for one in (*self._integrations, *self._read_outs.pending)]
            waiting += [] if self._settling is None else [self._settling]
        try:
            for status in waiting:
                status.exception(timeout=remaining + self.timeout + _MARGIN)
        except WaitTimeoutError as error:
            raise TimeoutError(f"beam: the exposure did not end within {self.timeout:g} s of its dwell time") from error
        finally:
            self.interrupt()
