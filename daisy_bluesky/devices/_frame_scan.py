"""A scan of a whole frame: one event for all its pixels."""

import math
import threading
import time
from collections.abc import Sequence
from typing import Any

from bluesky.protocols import Status

from daisy_bluesky.devices._account import DoseLimitExceeded
from daisy_bluesky.devices._detector import BeamDetector
from daisy_bluesky.devices._eels import EELSDetector
from daisy_bluesky.devices._frame_grid import FrameGrid
from daisy_bluesky.devices._frame_measurements import FrameMeasurement, PixelByPixel, WholeFrame
from daisy_bluesky.devices._frame_signals import frame_signals
from daisy_bluesky.devices._line_gate import FrameStopped, LineGate
from daisy_bluesky.devices._number_key import number_key
from daisy_bluesky.devices._probe import ProbePositioner
from daisy_bluesky.devices._status import ExposureStatus, FinishedStatus

_SPENT = {"charge": "pC", "dwell_time": "s", "time": "s", "seconds": "s"}


class FrameScan:
    """Scans all pixels of a field line by line, all detectors in one exposure at each, and gives one event.

    An instrument that scans frames itself does so, and the beam stays on from line to line; another is led from pixel
    to pixel, and the beam is blanked between them. It is blanked at the end and on every fault, and everything is
    booked on its account. A pause lets the pixel, or the line, in progress end, and the scan goes on with the next when
    it is resumed. A frame that failed,
    was stopped, or met a limit of the beam gives no event; what it exposed is on the account.

    Parameters
    ----------
    detectors : sequence of BeamDetector
        What is measured: an image from a scalar detector, a list of counts from an EDS detector, spectra of all pixels
        from an EELS detector.
    probe : ProbePositioner
        What moves the beam.
    shape : tuple of int, optional
        Rows and columns, pixels of the field from its first; the whole field when None.
    grid : FrameGrid, optional
        Where the pixels lie, in place of `shape`.
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
        grid: FrameGrid | None = None,
        dwell_time: float = 1e-5,
        timeout: float = 60.0,
        name: str = "frame",
    ) -> None:
        if not detectors or not all(isinstance(detector, BeamDetector) for detector in detectors):
            raise ValueError("detectors: give a list of detectors of the beam that measure the frame, as [haadf, eds]")
        if not (isinstance(timeout, int | float) and 0 < timeout < math.inf):
            raise ValueError(f"timeout: {timeout!r} is not a positive number of seconds")
        self.name = name
        self._grid = FrameGrid(_within(probe.shape, shape), probe.pixel_size) if grid is None else grid
        self._grid.check(probe.shape, probe.pixel_size)
        self._detectors, self._probe, self._beam = tuple(detectors), probe, probe.beam
        self._timeout = timeout
        number = "<f4" if self._beam.scans_frames else "<f8"
        self._signals = frame_signals(self._detectors, self._grid.shape, number)
        self._measurement: FrameMeasurement = (
            WholeFrame(self._detectors, self._beam, self._signals)
            if self._beam.scans_frames
            else PixelByPixel(self._detectors, probe, self._signals, timeout, name)
        )
        self._measurement.check(self._grid)
        self._gate = LineGate()
        self._stopped = False
        self._reading: dict[str, dict[str, Any]] = {}
        self._status = ExposureStatus(None)
        self._worker: threading.Thread | None = None
        self.prepare(dwell_time)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, pixels."""
        return self._grid.shape

    @property
    def limit(self) -> DoseLimitExceeded | None:
        """The limit of the beam that has ended the latest frame."""
        return self._measurement.limit

    @property
    def hints(self) -> dict[str, Any]:
        """What to show: the charge of the frame."""
        return {"fields": [f"{self.name}_charge"]}

    def prepare(self, value: float | FrameGrid) -> Status:
        """Set the dwell time of every pixel, s, or where the pixels lie.

        Raises
        ------
        ValueError
            If the dwell time is not positive, or the pixels are others in number or outside the field.
        """
        if isinstance(value, FrameGrid):
            if value.shape != self.shape:
                raise ValueError(f"grid: frames of {self.shape} pixels cannot become {value.shape}; make another scan")
            value.check(self._probe.shape, self._probe.pixel_size)
            self._grid = value
        elif isinstance(value, int | float) and 0 < value < math.inf:
            self.dwell_time = float(value)
        else:
            raise ValueError(f"dwell_time: {value!r} s is not a positive time")
        return FinishedStatus()

    def trigger(self) -> Status:
        """Scan the frame; the status finishes when it can be read or was stopped, or fails with what went wrong."""
        self._stopped = False
        self._gate.begin()
        self._reading = {}  # one frame in memory at a time
        status = self._status = ExposureStatus(None)
        own = [(detector, detector.dwell_time.get()) for detector in self._detectors]
        self._worker = threading.Thread(target=self._scan, args=(status, own), name=self.name, daemon=True)
        self._worker.start()
        return status

    def _scan(self, status: ExposureStatus, own: list[tuple[BeamDetector, float]]) -> None:
        error: Exception | None = None
        try:
            with self._beam.expecting(self._detectors):
                self._reading = self._measured()
        except Exception as raised:  # noqa: BLE001 - whatever a device raises belongs to the status
            error = raised
        finally:
            self._beam.interrupt()
            for detector, dwell_time in own:
                detector.dwell_time.put(dwell_time)
        if error is None or (self._stopped and isinstance(error, FrameStopped)):
            status.set_finished()  # who has stopped it knows; `read` tells everybody else
        else:
            status.set_exception(error)

    def _measured(self) -> dict[str, dict[str, Any]]:
        values = self._measurement.measure(self._grid, self.dwell_time, self._gate) | {"dwell_time": self.dwell_time}
        named = {f"{self.name}_{key}": values.pop(key) for key in _SPENT}
        named |= {f"{eels.name}_energy_offset": eels.first_energy for eels in self._spectrometers}
        now = time.time()
        return {key: {"value": value, "timestamp": now} for key, value in (values | named).items()}

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
        if not self._reading and self._stopped:
            raise RuntimeError(f"{self.name}: the frame was stopped before its end; scan the frame again")
        if not self._reading:
            raise RuntimeError(f"{self.name}: no frame has been measured; trigger it first")
        return self._reading

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the data keys of a frame: images, lists and spectra of the detectors, and what it spent."""
        source = self._beam.source
        spent = {f"{self.name}_{key}": number_key(source, unit) for key, unit in _SPENT.items()}
        offsets = {
            key: described for eels in self._spectrometers for key, described in eels.energy_offset.describe().items()
        }
        return {**{key: dict(signal.data_key) for key, signal in self._signals.items()}, **offsets, **spent}

    def read_configuration(self) -> dict[str, Any]:
        """Return the configuration of the detectors, the probe and the beam."""
        return self._merged("read_configuration")

    def describe_configuration(self) -> dict[str, Any]:
        """Return the data keys of the configuration."""
        return self._merged("describe_configuration")

    def pause(self) -> None:
        """Let the pixel in progress end, or the line where the instrument scans them, and wait.

        Raises
        ------
        NoReplayAllowed
            Always: the specimen has had its dose, and what it gave waits to be read.
        """
        self._gate.pause()
        self._measurement.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._measurement.resume()
        self._gate.resume()

    def stop(self, *, success: bool = True) -> None:  # noqa: ARG002 - whatever the reason, nothing more is exposed
        """End the scan after the pixel in progress; a frame that is not complete gives no event."""
        if self._worker is not None and self._worker.is_alive():
            self._stopped = True
            self._gate.end()
            self._measurement.stop()
            self._worker.join(2 * self._timeout)

    def stage(self) -> list[object]:
        """Nothing to prepare: the devices it uses are staged themselves."""
        return [self]

    def unstage(self) -> list[object]:
        """End the scan, and blank."""
        self.stop()
        self._beam.interrupt()
        return [self]

    @property
    def _spectrometers(self) -> list[EELSDetector]:
        return [detector for detector in self._detectors if isinstance(detector, EELSDetector)]

    def _merged(self, what: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for device in (self._probe, *self._detectors, self._beam):
            merged.update(getattr(device, what)())
        return merged


def _within(field: tuple[int, int], shape: Sequence[int] | None) -> tuple[int, int]:
    """Return the shape of a frame, the whole field where none is given."""
    try:
        rows, columns = map(int, field if shape is None else shape)
    except (TypeError, ValueError):
        raise ValueError(f"shape: {shape!r} is not (rows, columns) in pixels") from None
    if not (0 < rows <= field[0] and 0 < columns <= field[1]):
        raise ValueError(f"shape: {(rows, columns)} does not lie in the field of {field} pixels")
    return rows, columns
