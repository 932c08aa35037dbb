"""The one beam that all detectors share."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from bluesky.protocols import Status
from numpy.typing import ArrayLike, NDArray
from ophyd import Component, Device
from ophyd.utils import LimitError

from daisy_bluesky.devices._account import DoseAccount
from daisy_bluesky.devices._area import Area, FrameCover
from daisy_bluesky.devices._exhaustible import Exhaustible, Limited
from daisy_bluesky.devices._exposer import Exposed, Exposer
from daisy_bluesky.devices._frame_exposer import FrameExposer
from daisy_bluesky.devices._frame_grid import FrameGrid
from daisy_bluesky.devices._line_gate import LineGate
from daisy_bluesky.devices._number_key import number_key
from daisy_bluesky.devices._signals import PositiveQuantity, ReadBack
from daisy_bluesky.devices._simulated_exposer import SimulatedExposer
from daisy_bluesky.devices._wall_exposer import WallExposer
from daisy_bluesky.protocols import FrameExposure, FrameInstrument, Instrument

_READING = {"charge": "pC", "dwell_time": "s", "total_charge": "pC", "time": "s"}


class Beam(Device):
    """The electron beam: on the specimen only while an exposure is open, and every electron accounted for.

    A detector's trigger joins the open exposure; a detector already in it, or a move of the probe, starts the next.
    The beam is blanked in `stop`, `pause` and `unstage`, when anything raises, and at the end of every exposure.

    Parameters
    ----------
    instrument : Instrument
        The back end.
    name : str
        Name of the device and first part of its data keys.
    current : float
        Beam current, pA.
    max_pixel_dose : float, optional
        Largest dose that a pixel may receive, e-/A^2; unlimited when None.
    max_charge : float, optional
        Largest charge that the field may receive, pC; unlimited when None.
    timeout : float
        Longest wait for a detector after its exposure has ended, s.

    Attributes
    ----------
    current : Signal
        Beam current, pA.
    blanked : Signal
        Whether the beam is off the specimen; read-only.

    Raises
    ------
    ValueError
        If a number is not positive.

    References
    ----------
    Jones et al., "Managing dose-, damage- and data-rates in multi-frame spectrum-imaging" (2018), Methods: the
    definitions of dose.
    """

    current = Component(PositiveQuantity, value=100.0, units="pA", kind="config")
    blanked = Component(ReadBack, get=lambda beam: beam._exposer.blanked, kind="omitted")

    def __init__(
        self,
        instrument: Instrument,
        *,
        name: str = "beam",
        current: float = 100.0,
        max_pixel_dose: float | None = None,
        max_charge: float | None = None,
        timeout: float = 10.0,
        **kwargs: Any,
    ) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout: {timeout} is not a positive number of seconds")
        super().__init__(name=name, **kwargs)
        self.instrument = instrument
        self.current.put(current)
        self._account = DoseAccount(
            instrument.shape, instrument.pixel_size, max_pixel_dose=max_pixel_dose, max_charge=max_charge
        )
        kind = SimulatedExposer if instrument.clock.simulated else WallExposer
        self._exposer: Exposer = kind(instrument, self._account, timeout)
        self._frame: FrameExposer | None = None

    def expose(self, detector: Exposed, dwell: float) -> Status:
        """Expose the specimen for a detector.

        Parameters
        ----------
        detector : Exposed
            The detector to integrate.
        dwell : float
            How long, s.

        Returns
        -------
        Status
            Finished when the detector has been read out; failed with what it raised.

        Raises
        ------
        DoseLimitExceeded
            If the exposure would break a limit; nothing more is exposed.
        """
        try:
            return self._exposer.expose(detector, dwell, self.current.get())
        except BaseException:
            self._exposer.interrupt()
            raise

    @property
    def scans_frames(self) -> bool:
        """Whether the instrument scans whole frames itself."""
        return isinstance(self.instrument, FrameInstrument)

    def begin_frame(self, detectors: Sequence[str], grid: FrameGrid, dwell: float, gate: LineGate) -> FrameExposer:
        """Begin a frame of an instrument that scans them itself; its lines are then exposed one by one.

        Parameters
        ----------
        detectors : sequence of str
            What the instrument calls the detectors to integrate.
        grid : FrameGrid
            The pixels.
        dwell : float
            Dwell time of a pixel, s.
        gate : LineGate
            What lets it go from line to line.

        Raises
        ------
        DoseLimitExceeded
            If the frame would break a limit; nothing is exposed.
        TypeError
            If the instrument scans no frames.
        """
        if not isinstance(self.instrument, FrameInstrument):
            raise TypeError(f"the instrument {self.instrument.name} scans no frames itself; scan line by line")
        self._exposer.finish()
        current = float(self.current.get())
        frame = FrameExposer(self.instrument, self._exposer, self._account, grid, dwell, current, gate)
        frame.begin(detectors)
        self._frame = frame
        return frame

    @property
    def max_pixel_dose(self) -> float | None:
        """Largest dose that a pixel may receive, e-/A^2; None for no limit."""
        return self._account.max_pixel_dose if math.isfinite(self._account.max_pixel_dose) else None

    @property
    def max_charge(self) -> float | None:
        """Largest charge that the field may receive, pC; None for no limit."""
        return self._account.max_charge if math.isfinite(self._account.max_charge) else None

    def book_frame(self, grid: FrameGrid, charge: float, seconds: float) -> None:
        """Book a frame that an earlier run has scanned: its charge, pC, and unblanked seconds."""
        area = self._cover(grid)
        self._account.visit_area(area)
        self._account.frames += 1
        self._account.add_area(area, seconds, charge / seconds)

    def dose_of(self, grid: FrameGrid) -> float:
        """Return the largest dose that a pixel of the field under a frame has received, e-/A^2."""
        return float(self._account.dose[self._cover(grid).box].max())

    def place(self, row: float, column: float, settle_time: float = 0.0) -> Status:
        """Move the probe, in pixels; the status finishes when it has settled.

        Raises
        ------
        LimitError
            If the point lies outside the field.
        """
        self.check_position(row, column)
        try:
            return self._exposer.place(row, column, settle_time)
        except BaseException:
            self._exposer.interrupt()
            raise

    def check_position(self, row: float, column: float) -> None:
        """Refuse a point outside the field.

        Raises
        ------
        LimitError
            If the point lies outside the field.
        """
        rows, columns = self.instrument.shape
        if not (0 <= row <= rows - 1 and 0 <= column <= columns - 1):
            raise LimitError(
                f"probe: (row, column) = ({row}, {column}) lies outside the field of {rows} x {columns} pixels "
                f"(rows 0 to {rows - 1}, columns 0 to {columns - 1})"
            )

    def _cover(self, grid: FrameGrid) -> Area:
        frame = FrameExposure(0, grid.shape, grid.pixel_size, grid.origin, 0.0, 0.0, 0.0)
        return FrameCover(frame, self.instrument.shape, self.instrument.pixel_size).whole()

    def __repr__(self) -> str:  # short, because the RunEngine asks for it with every message
        return f"{type(self).__name__}(name={self.name!r})"

    @property
    def source(self) -> str:
        """Where the readings come from."""
        return f"{self.instrument.name}:beam"

    @property
    def position(self) -> tuple[float, float]:
        """Where the probe is, (row, column), pixels."""
        return self._exposer.position

    @property
    def exposures(self) -> int:
        """How many exposures there have been."""
        return self._exposer.exposures

    @property
    def charge(self) -> float:
        """Charge the field has received, pC."""
        return self._account.charge

    @property
    def visits(self) -> NDArray[np.int32]:
        """Exposures that each pixel has received, (rows, columns) int32."""
        return self._account.visits

    @property
    def dwell_map(self) -> NDArray[np.float64]:
        """Seconds that each pixel has been exposed, (rows, columns) float64."""
        return self._account.dwell_map

    @property
    def charge_map(self) -> NDArray[np.float64]:
        """Charge that each pixel has received, (rows, columns) float64, pC."""
        return self._account.charge_map

    @property
    def dose(self) -> NDArray[np.float64]:
        """Dose per pixel: its charge over its area, (rows, columns) float64, e-/A^2."""
        return self._account.dose

    @property
    def room(self) -> NDArray[np.float64]:
        """How long each pixel may still be exposed at the present current, (rows, columns) float64, s.

        As far as the limit of the dose of a pixel allows, and what is left of a specimen that wears out; infinite where
        neither is known.
        """
        room = self._account.room(self.current.get())
        return np.minimum(room, self.instrument.room()) if isinstance(self.instrument, Limited) else room

    @property
    def total_dose(self) -> float:
        """Charge the field has received over the area of the field, e-/A^2."""
        return self._account.total_dose

    @property
    def account_uid(self) -> str:
        """Names the account: another one after `reset`, and in another process."""
        return self._account.uid

    def restore(
        self,
        dwell_map: ArrayLike,
        visits: ArrayLike,
        charge_map: ArrayLike | None = None,
        *,
        used: ArrayLike | None = None,
    ) -> None:
        """Take over what an earlier run has done to the field, in place of what is in the account.

        Parameters
        ----------
        dwell_map : array_like, (rows, columns)
            Seconds that each pixel had been exposed.
        visits : array_like of int, (rows, columns)
            Exposures that each pixel had received.
        charge_map : array_like, (rows, columns), optional
            Charge that each pixel had received, pC; that of the present current when None.
        used : array_like, (rows, columns), optional
            How much of a specimen that wears out was used up, s; all of `dwell_map` when None.

        Raises
        ------
        ValueError
            If an array has not the shape of the field or holds a negative or undefined number.
        """
        if charge_map is None:
            charge_map = np.asarray(dwell_map, np.float64) * self.current.get()
        self._account.restore(dwell_map, visits, charge_map)
        if isinstance(self.instrument, Exhaustible):
            self.instrument.restore(self.dwell_map if used is None else np.asarray(used, np.float64))

    def reset(self) -> None:
        """Forget charge, dose and visits: a fresh field is under the beam; a recording begins anew."""
        self._account.reset()
        if isinstance(self.instrument, Exhaustible):
            self.instrument.restore(self.dwell_map)

    def read(self) -> dict[str, dict[str, Any]]:
        """Return charge (pC), dwell time (s) and start (s) of the latest exposure, and the field's charge (pC)."""
        latest, now = self._exposer.latest, time.time()
        charge, seconds, start = (0.0, 0.0, 0.0) if latest is None else (latest.charge, latest.seconds, latest.start)
        values = (charge, seconds, self._account.charge, start)
        return {
            f"{self.name}_{key}": {"value": value, "timestamp": now}
            for key, value in zip(_READING, values, strict=True)
        }

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the data keys of `read`."""
        return {f"{self.name}_{key}": number_key(self.source, units) for key, units in _READING.items()}

    @property
    def hints(self) -> dict[str, list[str]]:
        """The charge the field has received is what to show."""
        return {"fields": [f"{self.name}_total_charge"]}

    def finish(self) -> None:
        """Let the open exposure and its read-outs come to their end, and blank.

        Raises
        ------
        TimeoutError
            If they do not end in time; the beam is blanked.
        """
        self._exposer.finish()

    def interrupt(self) -> None:
        """End the open exposure or frame now, and blank; detectors of an exposure are read out with what they have."""
        if self._frame is not None:
            self._frame.interrupt()
        self._exposer.interrupt()

    def await_detector(self, detector: Exposed) -> None:
        """Wait until a detector has been read out, where its exposure is still open."""
        self._exposer.await_detector(detector)

    def expect(self, detector: Exposed) -> None:
        """Have every exposure wait, for a moment, until this detector has been triggered too."""
        self._exposer.expected.add(detector)

    @contextmanager
    def expecting(self, detectors: Iterable[Exposed]) -> Iterator[None]:
        """Have exposures wait for these detectors and no others, as long as the context lasts."""
        before, self._exposer.expected = self._exposer.expected, set(detectors)
        try:
            yield
        finally:
            self._exposer.expected = before

    def release(self, detector: Exposed) -> None:
        """Take back `expect`."""
        self._exposer.expected.discard(detector)

    def stop(self, *, success: bool = False) -> None:
        """Blank: at once, or when the open exposure has ended if `success` (so the RunEngine asks before a pause)."""
        if success:
            self.pause()
        else:
            self.interrupt()

    def pause(self) -> None:
        """Let the open exposure come to its end, and blank; one that waits for its detectors begins after `resume`."""
        if self._frame is not None:
            self._frame.hold()
        self._exposer.hold()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._frame is not None:
            self._frame.resume()
        self._exposer.resume()

    def stage(self) -> list[object]:
        """Blank; what is triggered next starts a new exposure."""
        self.interrupt()
        staged: list[object] = super().stage()
        return staged

    def unstage(self) -> list[object]:
        """Blank at once."""
        self.interrupt()
        unstaged: list[object] = super().unstage()
        return unstaged
