"""Reading detectors out, each with a deadline."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from daisy_bluesky.devices._exposer import Exposed, late
from daisy_bluesky.devices._status import ExposureStatus
from daisy_bluesky.devices._timer import Timer
from daisy_bluesky.protocols import Exposure, Instrument


@dataclass(eq=False)
class Integration:
    """One detector in one exposure, until its status is finished."""

    detector: Exposed
    window: Exposure
    status: ExposureStatus


class ReadOuts:
    """Reads every detector out in a thread of its own, so that one which hangs holds up no other.

    Parameters
    ----------
    instrument : Instrument
        The back end.
    timer : Timer
        Keeps the deadlines.
    timeout : float
        Longest wait for a detector, s.
    """

    def __init__(self, instrument: Instrument, timer: Timer, timeout: float) -> None:
        self._instrument = instrument
        self._timer = timer
        self._timeout = timeout
        self._lock = threading.RLock()
        self._pending: list[Integration] = []

    @property
    def pending(self) -> list[Integration]:
        """The read-outs under way."""
        with self._lock:
            return list(self._pending)

    def start(self, integration: Integration) -> None:
        """Read out a detector; its status finishes then, or fails."""
        with self._lock:
            self._pending.append(integration)
        error = late(integration.detector, self._timeout)
        self._timer.at(self._instrument.clock.now() + self._timeout, partial(self._fail, integration, error))
        threading.Thread(target=self._read_out, args=(integration,), name="read-out", daemon=True).start()

    def _read_out(self, integration: Integration) -> None:
        try:
            values = self._instrument.read_out(integration.detector.instrument_key, integration.window)
        except Exception as error:  # noqa: BLE001 - whatever a detector raises belongs to its status
            self._fail(integration, error)
        else:
            self._deliver(integration, values)

    def _deliver(self, integration: Integration, values: Mapping[str, Any]) -> None:
        with self._lock:
            if integration not in self._pending:  # too late: its status has failed already
                return
            try:
                integration.detector.receive(values, time.time())
            except Exception as error:  # noqa: BLE001 - whatever a detector raises belongs to its status
                self._fail(integration, error)
            else:
                self._pending.remove(integration)
                integration.status.set_finished()

    def _fail(self, integration: Integration, error: Exception) -> None:
        with self._lock:
            if integration in self._pending:
                self._pending.remove(integration)
                integration.status.set_exception(error)
