"""The two ways to measure a frame: pixel by pixel, or by an instrument that scans frames itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from bluesky.utils import NoReplayAllowed

from daisy_bluesky.devices._account import DoseLimitExceeded
from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._detector import BeamDetector
from daisy_bluesky.devices._frame_exposer import FrameExposer
from daisy_bluesky.devices._frame_grid import FrameGrid
from daisy_bluesky.devices._frame_signals import FrameSignal
from daisy_bluesky.devices._line_gate import LineGate, stopped
from daisy_bluesky.devices._list_scan import VISIT, ListScan
from daisy_bluesky.devices._probe import ProbePositioner


class FrameMeasurement(Protocol):
    """Measures a frame in a thread of its own, and is paused and stopped from others."""

    @property
    def limit(self) -> DoseLimitExceeded | None:
        """The limit of the beam that has ended the latest frame."""
        ...

    def check(self, grid: FrameGrid) -> None:
        """Refuse pixels that cannot be scanned so."""
        ...

    def measure(self, grid: FrameGrid, dwell: float, gate: LineGate) -> dict[str, Any]:
        """Return the values of the signals, and ``charge``, ``time`` and ``seconds`` of the frame."""
        ...

    def pause(self) -> None:
        """Let what is in progress end, and wait; raise NoReplayAllowed."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...

    def stop(self) -> None:
        """End after what is in progress."""
        ...


class PixelByPixel:
    """Visits every pixel of a line, all detectors in one exposure at each.

    Parameters
    ----------
    detectors : sequence of BeamDetector
        What is measured.
    probe : ProbePositioner
        What moves the beam.
    signals : mapping of str to FrameSignal
        What becomes of the measurements, by data key.
    timeout : float
        Longest wait for one move and for one exposure beside its dwell time, s.
    name : str
        Name of the frame.
    """

    def __init__(
        self,
        detectors: Sequence[BeamDetector],
        probe: ProbePositioner,
        signals: Mapping[str, FrameSignal],
        timeout: float,
        name: str,
    ) -> None:
        self._probe, self._beam, self._signals = probe, probe.beam, signals
        self._list = ListScan(detectors, probe, [probe.beam], timeout=timeout, name=f"{name}_pixels")

    @property
    def limit(self) -> DoseLimitExceeded | None:
        """The limit of the beam that has ended the latest frame."""
        return self._list.limit

    def check(self, grid: FrameGrid) -> None:
        """Refuse sub-pixel scanning.

        Raises
        ------
        ValueError
            If it is asked for.
        """
        if grid.sub_pixel > 1:
            raise ValueError("sub_pixel: this instrument is led from pixel to pixel and rests at each; leave it at 1")

    def measure(self, grid: FrameGrid, dwell: float, gate: LineGate) -> dict[str, Any]:
        """Return the values of the signals, and ``charge``, ``time`` and ``seconds`` of the frame."""
        try:
            return self._measured_lines(grid, dwell, gate)
        finally:
            for _ in self._list.collect_pages():
                pass

    def pause(self) -> None:
        """Let the pixel in progress end, and wait; raise NoReplayAllowed."""
        self._list.pause()

    def resume(self) -> None:
        """Go on with the next pixel."""
        self._list.resume()

    def stop(self) -> None:
        """End after the pixel in progress."""
        self._list.stop()

    def _measured_lines(self, grid: FrameGrid, dwell: float, gate: LineGate) -> dict[str, Any]:
        parts: dict[str, list[Any]] = {key: [] for key in self._signals}
        charge, times = 0.0, []
        for row in range(grid.shape[0]):
            data = self._measured_line(row, grid, dwell, gate)
            for key, signal in self._signals.items():
                parts[key].append(signal.of_line(row, data))
            charge += float(np.sum(data[f"{self._beam.name}_charge"]))
            times += [data[f"{self._beam.name}_time"][0], data[f"{self._beam.name}_time"][-1]]
        values: dict[str, Any] = {key: signal.joined(parts[key]) for key, signal in self._signals.items()}
        spent = {"charge": charge, "time": float(times[0]), "seconds": float(times[-1] - times[0]) + dwell}
        return values | spent

    def _measured_line(self, row: int, grid: FrameGrid, dwell: float, gate: LineGate) -> dict[str, Any]:
        line = np.empty(grid.shape[1], VISIT)
        step = grid.pixel_size / self._probe.pixel_size
        line["row"] = grid.origin[0] + row * step
        line["column"] = grid.origin[1] + np.arange(len(line)) * step
        line["dwell"] = dwell
        self._list.prepare(line)
        with gate.line() as permitted:  # a pause finds the line either not begun or under way
            if permitted:
                self._list.kickoff()
        self._list.complete().wait(None)  # type: ignore[attr-defined]
        if self.limit is not None:
            raise self.limit
        pages = list(self._list.collect_pages())
        if gate.ended or not pages or len(pages[0]["time"]) < len(line):
            raise stopped(row, grid.shape[0])
        return dict(pages[0]["data"])


class WholeFrame:
    """Has the instrument scan the frame; line by line, so that it can be paused and stopped in it.

    Parameters
    ----------
    detectors : sequence of BeamDetector
        What is measured.
    beam : Beam
        The beam.
    signals : mapping of str to FrameSignal
        What becomes of the measurements, by data key.
    """

    def __init__(
        self,
        detectors: Sequence[BeamDetector],
        beam: Beam,
        signals: Mapping[str, FrameSignal],
    ) -> None:
        self._beam, self._signals = beam, signals
        self._keys = [detector.instrument_key for detector in detectors]
        self._frame: FrameExposer | None = None
        self.limit: DoseLimitExceeded | None = None

    def check(self, grid: FrameGrid) -> None:
        """Do nothing: the instrument scans whatever lies in the field."""

    def measure(self, grid: FrameGrid, dwell: float, gate: LineGate) -> dict[str, Any]:
        """Return the values of the signals, and ``charge``, ``time`` and ``seconds`` of the frame."""
        self.limit = None
        try:
            frame = self._frame = self._beam.begin_frame(self._keys, grid, dwell, gate)
        except DoseLimitExceeded as limit:
            self.limit = limit
            raise
        clock = self._beam.instrument.clock
        try:
            for row in range(grid.shape[0]):
                frame.scan_line(row)
            frame.interrupt()
            seconds = clock.now() - frame.frame.start
            values = {key: signal.of_frame(frame.read(signal.detector)) for key, signal in self._signals.items()}
        finally:
            frame.end()
        return values | {"charge": frame.charge, "time": frame.frame.start, "seconds": seconds}

    def pause(self) -> None:
        """Blank after the line in progress; raise NoReplayAllowed."""
        if self._frame is not None:
            self._frame.hold()
        raise NoReplayAllowed

    def resume(self) -> None:
        """Go on with the next line."""
        if self._frame is not None:
            self._frame.resume()

    def stop(self) -> None:
        """Blank at once; no line follows."""
        if self._frame is not None:
            self._frame.interrupt()
