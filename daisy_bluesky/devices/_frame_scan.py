"""A scan of a whole frame: one event for all its pixels."""

import math
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from bluesky.protocols import Status

from daisy_bluesky.devices._account import DoseLimitExceeded
from daisy_bluesky.devices._detector import BeamDetector
from daisy_bluesky.devices._frame_signals import frame_signals
from daisy_bluesky.devices._list_scan import VISIT, ListScan
from daisy_bluesky.devices._probe import ProbePositioner
from daisy_bluesky.devices._status import ExposureStatus, FinishedStatus


class FrameScan:
    """Scans all pixels of a field line by line, all detectors in one exposure at each, and gives one event.

    Every pixel is booked on the beam's account, and the beam is blanked between pixels, at the end and on every fault.
    A pause lets the pixel in progress end, and the scan goes on with the next when it is resumed. A frame that failed,
    was stopped, or met a limit of the beam gives no event; what it exposed is on the account.

    Parameters
    ----------
    detectors : sequence of BeamDetector
        What is measured: an image from a scalar detector, a list of counts from an EDS detector, spectra of all pixels
        from an EELS detector.
    probe : ProbePositioner
        What moves the beam.
    shape : tuple of int, optional
        Rows and columns, pixels; the whole field when None.
    dwell_time : float
        Dwell time of every pixel, s.
    timeout : float
        Longest wait for one move and for one exposure beside its dwell time, s.
    name : str
        Name of the device and first part of the data keys of the frame itself.

    Attributes
    ----------
    limit : DoseLimitExceeded or None
        The limit of the beam that has ended the latest frame.

    Raises
    ------
    ValueError
        If there is no detector, the shape does not lie in the field, or a time is not positive.
    """

    parent = None

    def __init__(
        self,
        detectors: Sequence[BeamDetector],
        probe: ProbePositioner,
        *,
        shape: tuple[int, int] | None = None,
        dwell_time: float = 1e-5,
        timeout: float = 60.0,
        name: str = "frame",
    ) -> None:
        if not detectors or not all(isinstance(detector, BeamDetector) for detector in detectors):
            raise ValueError("detectors: give a list of detectors of the beam that measure the frame, as [haadf, eds]")
        if not (isinstance(timeout, int | float) and 0 < timeout < math.inf):
            raise ValueError(f"timeout: {timeout!r} is not a positive number of seconds")
        self.name = name
        self.shape = _within(probe.shape, shape)
        self._detectors = tuple(detectors)
        self._beam = probe.beam
        self._list = ListScan(detectors, probe, [self._beam], timeout=timeout, name=f"{name}_pixels")
        self._timeout = timeout
        self._signals = frame_signals(self._detectors, self.shape)
        self._reading: dict[str, dict[str, Any]] = {}
        self._status = ExposureStatus(None)
        self._worker: threading.Thread | None = None
        self._going_on = threading.Event()
        self._between_lines = threading.Lock()
        self._ended = False
        self.prepare(dwell_time)

    @property
    def limit(self) -> DoseLimitExceeded | None:
        """The limit of the beam that has ended the latest frame."""
        return self._list.limit

    @property
    def hints(self) -> dict[str, Any]:
        """What to show: the charge of the frame."""
        return {"fields": [f"{self.name}_charge"]}

    def prepare(self, dwell_time: float) -> Status:
        """Set the dwell time of every pixel, s.

        Raises
        ------
        ValueError
            If it is not positive.
        """
        if not (isinstance(dwell_time, int | float) and 0 < dwell_time < math.inf):
            raise ValueError(f"dwell_time: {dwell_time!r} s is not a positive time")
        self.dwell_time = float(dwell_time)
        return FinishedStatus()

    def trigger(self) -> Status:
        """Scan the frame; the status finishes when it can be read or was stopped, or fails with what went wrong."""
        self._ended = False
        self._going_on.set()
        status = self._status = ExposureStatus(None)
        own = [(detector, detector.dwell_time.get()) for detector in self._detectors]
        self._worker = threading.Thread(target=self._scan, args=(status, own), name=self.name, daemon=True)
        self._worker.start()
        return status

    def _scan(self, status: ExposureStatus, own: list[tuple[BeamDetector, float]]) -> None:
        error: Exception | None = None
        self._reading = {}
        try:
            with self._beam.expecting(self._detectors):
                self._reading = self._read_lines()
        except Exception as raised:  # noqa: BLE001 - whatever a device raises belongs to the status
            error = raised
            self._discard()
        finally:
            self._beam.interrupt()
            for detector, dwell_time in own:
                detector.dwell_time.put(dwell_time)
        if error is None or self._ended:  # who has stopped it knows; `read` tells everybody else
            status.set_finished()
        else:
            status.set_exception(error)

    def _read_lines(self) -> dict[str, dict[str, Any]]:
        parts: dict[str, list[Any]] = {key: [] for key in self._signals}
        charge, times = 0.0, []
        for row in range(self.shape[0]):
            data = self._measured_line(row)
            for key, signal in self._signals.items():
                parts[key].append(signal.of_line(row, data))
            charge += float(np.sum(data[f"{self._beam.name}_charge"]))
            times += [data[f"{self._beam.name}_time"][0], data[f"{self._beam.name}_time"][-1]]
        values: dict[str, Any] = {key: signal.joined(parts[key]) for key, signal in self._signals.items()}
        spent = {"charge": charge, "dwell_time": self.dwell_time, "time": float(times[0])}
        spent["seconds"] = float(times[-1] - times[0]) + self.dwell_time
        values |= {f"{self.name}_{key}": value for key, value in spent.items()}
        now = time.time()
        return {key: {"value": value, "timestamp": now} for key, value in values.items()}

    def _measured_line(self, row: int) -> dict[str, Any]:
        line = np.empty(self.shape[1], VISIT)
        line["row"], line["column"], line["dwell"] = row, np.arange(self.shape[1]), self.dwell_time
        self._list.prepare(line)
        self._start_line()
        self._list.complete().wait(None)  # type: ignore[attr-defined]
        if self.limit is not None:
            raise self.limit
        pages = list(self._list.collect_pages())
        if self._ended or not pages or len(pages[0]["time"]) < len(line):
            raise RuntimeError(f"{self.name}: stopped in line {row} of {self.shape[0]}")
        return dict(pages[0]["data"])

    def _start_line(self) -> None:
        """Start a line when nobody has paused the scan; a pause finds it either not begun or under way."""
        while True:
            self._going_on.wait()
            with self._between_lines:
                if self._going_on.is_set():
                    if not self._ended:
                        self._list.kickoff()
                    return

    def _discard(self) -> None:
        for _ in self._list.collect_pages():
            pass

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the frame triggered last, once it has been measured: a pause cuts the waiting short, not the scan.

        Raises
        ------
        RuntimeError
            If none was measured yet, or the last one was stopped.
        Exception
            What made the frame fail.
        """
        if self._worker is not None:
            self._status.wait(None)
        if not self._reading and self._ended:
            raise RuntimeError(f"{self.name}: the frame was stopped before its end; scan the frame again")
        if not self._reading:
            raise RuntimeError(f"{self.name}: no frame has been measured; trigger it first")
        return self._reading

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the data keys of a frame: images, lists and spectra of the detectors, and what it spent."""
        source = self._beam.source
        units = {"charge": "pC", "dwell_time": "s", "time": "s", "seconds": "s"}
        spent = {
            f"{self.name}_{key}": {
                "source": source,
                "dtype": "number",
                "shape": [],
                "dtype_numpy": "<f8",
                "units": unit,
            }
            for key, unit in units.items()
        }
        return {**{key: dict(signal.data_key) for key, signal in self._signals.items()}, **spent}

    def read_configuration(self) -> dict[str, Any]:
        """Return the configuration of the detectors."""
        return self._list.read_configuration()

    def describe_configuration(self) -> dict[str, Any]:
        """Return the data keys of the configuration."""
        return self._list.describe_configuration()

    def pause(self) -> None:
        """Let the pixel in progress end, and wait.

        Raises
        ------
        NoReplayAllowed
            Always: the specimen has had its dose, and what it gave waits to be read.
        """
        with self._between_lines:
            self._going_on.clear()
        self._list.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._list.resume()
        self._going_on.set()

    def stop(self, *, success: bool = True) -> None:
        """End the scan after the pixel in progress; a frame that is not complete gives no event."""
        with self._between_lines:
            self._ended = True
        self._list.stop(success=success)
        self._going_on.set()
        if self._worker is not None:
            self._worker.join(2 * self._timeout)

    def stage(self) -> list[object]:
        """Nothing to prepare: the devices it uses are staged themselves."""
        return [self]

    def unstage(self) -> list[object]:
        """End the scan, and blank."""
        self.stop()
        self._beam.interrupt()
        return [self]


def _within(field: tuple[int, int], shape: Sequence[int] | None) -> tuple[int, int]:
    """Return the shape of a frame, the whole field where none is given."""
    try:
        rows, columns = map(int, field if shape is None else shape)
    except (TypeError, ValueError):
        raise ValueError(f"shape: {shape!r} is not (rows, columns) in pixels") from None
    if not (0 < rows <= field[0] and 0 < columns <= field[1]):
        raise ValueError(f"shape: {(rows, columns)} does not lie in the field of {field} pixels")
    return rows, columns
