"""A scan of a list of positions: one message for many visits."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from bluesky.protocols import Movable, Readable, Status
from bluesky.utils import NoReplayAllowed
from event_model.documents import PartialEventPage
from numpy.typing import NDArray
from ophyd.utils import WaitTimeoutError

from daisy_bluesky.devices._account import DoseLimitExceeded
from daisy_bluesky.devices._status import ExposureStatus, FinishedStatus

VISIT = np.dtype([("row", np.float64), ("column", np.float64), ("dwell", np.float64)])


class ListScan:
    """Visits a list of positions on its own, all detectors in one exposure at each, and gives the events as pages.

    For dwell times too short for a message to the RunEngine at every step. What was measured before something failed,
    or before a limit of the beam ended the scan, is kept and collected. A pause lets the visit in progress end.

    Parameters
    ----------
    detectors : sequence of Readable
        What is triggered and read.
    probe : Movable
        Takes ``(row, column)`` in pixels.
    also_read : sequence of Readable
        Read, not triggered: the beam.
    timeout : float
        Longest wait for one move and for one exposure beside its dwell time, s.
    name : str
        Name of the device; its data keys are those of what it reads.

    Attributes
    ----------
    limit : DoseLimitExceeded or None
        The limit of the beam that has ended the latest scan.
    """

    parent = None

    def __init__(
        self,
        detectors: Sequence[Readable[Any]],
        probe: Movable[Any],
        also_read: Sequence[Readable[Any]],
        *,
        timeout: float,
        name: str = "list_scan",
    ) -> None:
        self.name = name
        self.limit: DoseLimitExceeded | None = None
        self._detectors = tuple(cast(Any, detector) for detector in detectors)
        self._probe = cast(Any, probe)
        self._readables = tuple(cast(Any, readable) for readable in (probe, *detectors, *also_read))
        self._timeout = timeout
        self._visits: NDArray[np.void] = np.empty(0, VISIT)
        self._readings: list[tuple[float, dict[str, Any]]] = []
        self._status: Any = FinishedStatus()
        self._worker: ThreadPoolExecutor | None = None  # one thread for all scans between two stops
        self._work: Future[None] | None = None
        self._going_on = threading.Event()
        self._between_visits = threading.Lock()
        self._ended = False

    def prepare(self, visits: NDArray[np.void]) -> Status:
        """Set the list.

        Parameters
        ----------
        visits : (n,) structured ndarray
            Fields row, column (pixels) and dwell (s; NaN leaves the detectors' own).
        """
        self._visits = visits
        return FinishedStatus()

    def kickoff(self) -> Status:
        """Start visiting; `complete` says when it is done."""
        self._ended, self.limit = False, None
        self._going_on.set()
        self._status = ExposureStatus(None)
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix=self.name)
        self._work = self._worker.submit(self._scan, self._visits, self._status)
        return FinishedStatus()

    def complete(self) -> Status:
        """Return the status of the scan: finished when every position was visited, or a limit of the beam was met."""
        return cast("Status", self._status)

    def describe_collect(self) -> dict[str, Any]:
        """Return the data keys of the pages."""
        return self._merged("describe")

    def read_configuration(self) -> dict[str, Any]:
        """Return the configuration of everything that is read."""
        return self._merged("read_configuration")

    def describe_configuration(self) -> dict[str, Any]:
        """Return the data keys of the configuration."""
        return self._merged("describe_configuration")

    @property
    def hints(self) -> dict[str, Any]:
        """What to show: what the devices show that it reads."""
        return {"fields": [key for readable in self._readables for key in readable.hints.get("fields", [])]}

    def collect_pages(self) -> Iterator[PartialEventPage]:
        """Yield one page with the visits that have not been collected yet, none where there are none."""
        readings, self._readings = self._readings, []
        if readings:
            keys = list(readings[0][1])
            yield PartialEventPage(
                time=[at for at, _ in readings],
                data={key: [reading[key]["value"] for _, reading in readings] for key in keys},
                timestamps={key: [reading[key]["timestamp"] for _, reading in readings] for key in keys},
            )

    def pause(self) -> None:
        """Let the visit in progress come to its end, and wait.

        Raises
        ------
        NoReplayAllowed
            Always: the specimen has had its dose, and what it gave waits to be collected.
        TimeoutError
            The visit does not end in time.
        """
        self._going_on.clear()
        longest = self._timeout + float(np.nansum(self._visits["dwell"][:1])) if len(self._visits) else self._timeout
        if not self._between_visits.acquire(timeout=2 * longest):
            raise TimeoutError(f"{self.name}: the visit in progress did not end within {2 * longest:g} s")
        self._between_visits.release()
        raise NoReplayAllowed

    def resume(self) -> None:
        """Go on after `pause`."""
        self._going_on.set()

    def stage(self) -> list[object]:
        """Nothing to prepare: the devices it uses are staged themselves."""
        return [self]

    def unstage(self) -> list[object]:
        """End the scan after the visit in progress."""
        self.stop()
        return [self]

    def stop(self, *, success: bool = True) -> None:  # noqa: ARG002 - whatever the reason, the visit in progress ends
        """End the scan after the visit in progress.

        Raises
        ------
        TimeoutError
            The visit in progress does not end in time.
        """
        self._ended = True
        self._going_on.set()
        self._let_go()
        if self._worker is not None and self._work is not None:
            if wait([self._work], 2 * self._timeout).not_done:
                raise TimeoutError(f"{self.name}: the visit in progress did not end within {2 * self._timeout:g} s")
            self._worker.shutdown()
            self._worker = None

    def _let_go(self) -> None:
        """Let a visit end that waits because its devices were paused too."""
        for device in self._readables:
            if hasattr(device, "resume"):
                device.resume()

    def _scan(self, visits: NDArray[np.void], status: ExposureStatus) -> None:
        try:
            for visit in visits:
                with self._permission():
                    if self._ended:
                        break
                    self._readings.append((time.time(), self._measure(*visit.tolist())))
        except DoseLimitExceeded as limit:
            self.limit = limit
        except WaitTimeoutError:
            places = (visit["row"], visit["column"])
            status.set_exception(TimeoutError(f"{self.name}: the visit to {places} did not end in time"))
            return
        except Exception as error:  # noqa: BLE001 - whatever a device raises belongs to the status
            status.set_exception(error)
            return
        status.set_finished()

    @contextmanager
    def _permission(self) -> Iterator[None]:
        """Wait until nobody has paused the scan; while the context lasts, `pause` waits."""
        while True:
            self._going_on.wait()
            with self._between_visits:
                if self._going_on.is_set():
                    yield
                    return

    def _measure(self, row: float, column: float, dwell: float) -> dict[str, Any]:
        self._probe.set((row, column)).wait(self._timeout)
        longest = self._timeout
        if dwell == dwell:
            longest += dwell
            for detector in self._detectors:
                if (signal := getattr(detector, "dwell_time", None)) is not None:
                    signal.put(dwell)
        exposures = [detector.trigger() for detector in self._detectors]
        for exposure in exposures:
            exposure.wait(longest)
        readings: dict[str, Any] = {}
        for readable in self._readables:
            readings.update(readable.read())
        return readings

    def _merged(self, what: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for readable in self._readables:
            merged.update(getattr(readable, what)())
        return merged
