"""A microscope that scans whole frames of a computed specimen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.devices.backends._virtual import Specimen, VirtualInstrument
from daisy_bluesky.protocols import Clock, FrameExposure

FLY_BACK_TIME = 1e-4
OVERHEAD_TIME = 0.05
SCAN = "scan"
"""Where `faults` has what happens at the beginning of every line."""


class FrameSpecimen(Specimen, Protocol):
    """What this back end asks of a specimen."""

    def image(self, frame: FrameExposure) -> NDArray[np.float32]:
        """Return the ADF image of a frame, (rows, columns)."""
        ...

    def events(self, frame: FrameExposure) -> NDArray[np.void]:
        """Return the X-rays of a frame, (n,) structured: row, column, channel, count; ascending by row."""
        ...

    def cube(self, frame: FrameExposure, energy_offset: float = 0.0) -> NDArray[np.float32]:
        """Return the EELS spectra of a frame, (rows, columns, channels), their energy losses raised."""
        ...

    def irradiate(self, frame: FrameExposure, lines: int) -> None:
        """Remember the dose of the first lines of a frame."""
        ...


class ScanningInstrument(VirtualInstrument):
    """Exposes a specimen model frame by frame; single exposures are possible, too.

    Parameters
    ----------
    specimen : FrameSpecimen
        What lies under the beam.
    fly_back_time : float
        Time the beam takes to return at the end of each line, on the specimen, s.
    overhead_time : float
        Time between frames, s.
    clock, faults
        As for `VirtualInstrument`; ``faults["scan"]`` is called with the frame when a line begins.

    Attributes
    ----------
    energy_offset : float
        By how much the drift tube raises the energy loss of every channel of the EELS spectrometer, eV.

    Raises
    ------
    ValueError
        If a time is negative.
    """

    name = "scanning"

    def __init__(
        self,
        specimen: FrameSpecimen,
        *,
        fly_back_time: float = FLY_BACK_TIME,
        overhead_time: float = OVERHEAD_TIME,
        clock: Clock | None = None,
        faults: Mapping[str, Callable[[Any], None]] | None = None,
    ) -> None:
        if not (fly_back_time >= 0 and overhead_time >= 0):
            raise ValueError(f"fly_back_time {fly_back_time} s and overhead_time {overhead_time} s must be 0 or more")
        super().__init__(specimen, clock=clock, faults=faults)
        self.fly_back_time, self.overhead_time = float(fly_back_time), float(overhead_time)
        self.energy_offset = 0.0
        self._scanned = specimen

    def shift_energy(self, energy_offset: float) -> None:
        """Set by how much the drift tube raises the energy loss of every channel, eV."""
        self.energy_offset = float(energy_offset)

    def arm_frame(self, detectors: Sequence[str], frame: FrameExposure) -> None:
        """Check that there are such detectors; computed ones need no preparation.

        Raises
        ------
        ValueError
            If the specimen gives no such signal, or the dwell time is not positive.
        """
        for detector in detectors:
            self.arm(detector, frame.dwell)

    def scan_line(self, frame: FrameExposure, row: int) -> None:  # noqa: ARG002 - all lines take the same time
        """Let the time of a line and of the fly-back pass."""
        self._fail(SCAN, frame)
        self.clock.advance(frame.shape[1] * frame.dwell + self.fly_back_time)

    def read_frame(self, detector: str, frame: FrameExposure) -> Mapping[str, Any]:
        """Return what the specimen gives in a frame."""
        self._fail(detector, frame)
        if detector == "haadf":
            return {"image": self._scanned.image(frame)}
        if detector == "eds":
            return {"events": self._scanned.events(frame)}
        return {"spectra": self._scanned.cube(frame, self.energy_offset)}

    def end_frame(self, frame: FrameExposure, lines: int) -> None:
        """Let the specimen remember its dose, and the overhead time pass."""
        self._scanned.irradiate(frame, lines)
        self.clock.advance(self.overhead_time)

    def _fail(self, what: str, frame: FrameExposure) -> None:
        if what in self._faults:
            fault: Callable[[Any], None] = self._faults[what]
            fault(frame)
