"""Exposures on a real clock: one thread ends them, whatever the plan does."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from bluesky.protocols import Status
from ophyd.utils import WaitTimeoutError

from daisy_bluesky.devices._account import DoseAccount
from daisy_bluesky.devices._exposer import Exposed, Exposer, OpenExposure, late
from daisy_bluesky.devices._status import ExposureStatus, FinishedStatus
from daisy_bluesky.devices._timer import Timer
from daisy_bluesky.protocols import Exposure, Instrument

_log = logging.getLogger(__name__)
_MARGIN = 1.0


@dataclass(eq=False)
class _Integration:
    """One detector in one exposure, until its status is finished."""

    detector: Exposed
    window: Exposure
    status: ExposureStatus


class WallExposer(Exposer):
    """Times its own blanking in a thread of its own, and gives every detector a deadline.

    Detectors join while the exposure is open and extend it where they need to. When it ends, each is read out in a
    thread of its own, so that one which hangs holds up neither the others nor the deadline.
    """

    def __init__(self, instrument: Instrument, account: DoseAccount, timeout: float) -> None:
        self._lock = threading.RLock()
        self._timer = Timer(instrument.clock, "beam")
        self._integrations: list[_Integration] = []
        self._reading: set[_Integration] = set()
        self._settling: ExposureStatus | None = None
        super().__init__(instrument, account, timeout)

    def expose(self, detector: Exposed, dwell: float, current: float) -> Status:
        """Start or join an exposure; the status finishes when the detector has been read out."""
        if self._busy(detector):
            self.finish()
        status = ExposureStatus(detector)
        with self._lock:
            exposure = self._open or self._begin(dwell, current)
            self._check_extension(exposure, dwell)
            try:
                self._join(exposure, _Integration(detector, exposure.window(exposure.start, dwell), status))
            except Exception as error:  # noqa: BLE001 - whatever a detector raises belongs to its status
                self.interrupt()
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
        """Wait for the open exposure, its read-outs and the probe, and blank.

        Raises
        ------
        TimeoutError
            If they do not end in time; the beam is blanked.
        """
        with self._lock:
            remaining = 0.0 if self._open is None else max(0.0, self._open.end - self.instrument.clock.now())
            waiting = [integration.status for integration in (*self._integrations, *self._reading)]
            waiting += [] if self._settling is None else [self._settling]
        try:
            for status in waiting:
                status.exception(timeout=remaining + self.timeout + _MARGIN)
        except WaitTimeoutError as error:
            raise TimeoutError(f"beam: the exposure did not end within {self.timeout:g} s of its dwell time") from error
        finally:
            self.interrupt()

    def interrupt(self) -> None:
        """Blank now; detectors in the open exposure are read out with what they have."""
        with self._lock:
            exposure = self._open
            if exposure is None:
                self.blank()
            else:
                self._close(exposure)

    def _busy(self, detector: Exposed) -> bool:
        with self._lock:
            return any(integration.detector is detector for integration in (*self._integrations, *self._reading))

    def _check_extension(self, exposure: OpenExposure, dwell: float) -> None:
        if exposure is self._open:
            end = max(exposure.end, self.instrument.clock.now() + dwell)
            self.account.check(exposure.pixel, (end - exposure.start) * exposure.current)

    def _join(self, exposure: OpenExposure, integration: _Integration) -> None:
        dwell = integration.window.dwell
        self.instrument.arm(integration.detector.instrument_key, dwell)
        start = self.instrument.clock.now()
        if exposure is not self._open:
            exposure.start = start
            self._commit(exposure)
            self.unblank()
        integration.window = exposure.window(start, dwell)
        self._integrations.append(integration)
        exposure.end = max(exposure.end, start + dwell)
        self._timer.at(exposure.end, partial(self._end, exposure))

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
        integrations, self._integrations, self._open = self._integrations, [], None
        try:
            self.blank()
        except Exception as error:
            for integration in integrations:
                integration.status.set_exception(error)
            raise
        finally:
            ended = self.instrument.clock.now()
            self._book(exposure, ended - exposure.start)
        for integration in integrations:
            window = integration.window
            integration.window = replace(window, dwell=min(window.dwell, ended - window.start))
            self._reading.add(integration)
            self._timer.at(ended + self.timeout, partial(self._expire, integration))
            threading.Thread(target=self._read_out, args=(integration,), name="read-out", daemon=True).start()

    def _read_out(self, integration: _Integration) -> None:
        try:
            values = self.instrument.read_out(integration.detector.instrument_key, integration.window)
        except Exception as error:  # noqa: BLE001 - whatever a detector raises belongs to its status
            self._fail(integration, error)
        else:
            self._deliver(integration, values)

    def _deliver(self, integration: _Integration, values: Mapping[str, Any]) -> None:
        with self._lock:
            if integration not in self._reading:  # too late: its status has failed already
                return
            try:
                integration.detector.receive(values, time.time())
            except Exception as error:  # noqa: BLE001 - whatever a detector raises belongs to its status
                self._fail(integration, error)
            else:
                self._reading.discard(integration)
                integration.status.set_finished()

    def _fail(self, integration: _Integration, error: Exception) -> None:
        with self._lock:
            if integration in self._reading:
                self._reading.discard(integration)
                integration.status.set_exception(error)

    def _expire(self, integration: _Integration) -> None:
        self._fail(integration, late(integration.detector, self.timeout))
