"""What all detectors have in common: they are exposed by the one beam."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from bluesky.protocols import Status
from bluesky.utils import NoReplayAllowed
from numpy.typing import NDArray
from ophyd import Component, Device

from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._signals import PositiveQuantity, ReadBack
from daisy_bluesky.devices._status import FinishedStatus
from daisy_bluesky.protocols import Instrument


def measured(key: str, units: str | None = None, kind: str = "normal") -> Component[ReadBack]:
    """Return a component that shows one value of a detector's latest read-out."""
    return Component(
        ReadBack,
        get=lambda detector: detector.values[key],
        units=units,
        timestamp=lambda detector: detector.read_out_at,
        kind=kind,
    )


class BeamDetector(Device):
    """A detector that integrates while the beam is on the specimen.

    Parameters
    ----------
    instrument : Instrument
        The back end.
    beam : Beam
        The beam that exposes it.
    name : str
        Name of the device and first part of its data keys.
    dwell_time : float
        How long it integrates in an exposure, s.
    minimum_dwell : float, optional
        Shortest dwell time it can do, s; what the instrument tells when None, which may be nothing.
    read_out_time : float, optional
        How long its read-out keeps the next exposure waiting, s; what the instrument tells when None.

    Attributes
    ----------
    minimum_dwell, read_out_time : float or None
        What a visit costs at least, from which `adaptive_map` decides where and how long; None where nobody knows.

    Raises
    ------
    ValueError
        If the instrument has no such detector, the dwell time is not positive, or the beam is another instrument's.
    """

    instrument_key: ClassVar[str]
    dwell_time = Component(PositiveQuantity, value=0.01, units="s", kind="config")

    def __init__(
        self,
        instrument: Instrument,
        beam: Beam,
        *,
        name: str,
        dwell_time: float = 0.01,
        minimum_dwell: float | None = None,
        read_out_time: float | None = None,
        **kwargs: Any,
    ) -> None:
        if self.instrument_key not in instrument.detectors:
            raise ValueError(f"{name}: the instrument {instrument.name} has no {self.instrument_key} detector")
        if beam.instrument is not instrument:
            raise ValueError(f"{name}: the beam belongs to another instrument, {beam.instrument.name}")
        self.beam = beam
        self.fixed = dict(instrument.describe(self.instrument_key))
        self.minimum_dwell = _told(name, "minimum_dwell", minimum_dwell, self.fixed)
        self.read_out_time = _told(name, "read_out_time", read_out_time, self.fixed)
        self.values = self._initial()
        self.read_out_at = 0.0
        super().__init__(name=name, **kwargs)
        self.dwell_time.put(dwell_time)

    def __repr__(self) -> str:  # short, because the RunEngine asks for it with every message
        return f"{type(self).__name__}(name={self.name!r})"

    @property
    def source(self) -> str:
        """Where the readings come from."""
        return f"{self.beam.instrument.name}:{self.instrument_key}"

    @abstractmethod
    def _initial(self) -> dict[str, Any]:
        """Return the values before the first exposure."""

    @abstractmethod
    def _convert(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a read-out, checked."""

    def trigger(self) -> Status:
        """Expose for the dwell time, together with what else joins the exposure.

        Raises
        ------
        DoseLimitExceeded
            If the exposure would break a limit of the beam.
        """
        return self.beam.expose(self, self.dwell_time.get())

    def prepare(self, dwell_time: float) -> Status:
        """Set the dwell time of the exposures to come, s."""
        self.dwell_time.put(dwell_time)
        return FinishedStatus()

    def receive(self, values: Mapping[str, Any], timestamp: float) -> None:
        """Take in a read-out, made at `timestamp`, seconds of the epoch.

        Raises
        ------
        ValueError
            If it is not what such a detector measures.
        """
        self.values = self._convert(values)
        self.read_out_at = timestamp

    def stop(self, *, success: bool = False) -> None:
        """Blank the beam: at once, or when the open exposure has ended if `success`."""
        self.beam.stop(success=success)

    def pause(self) -> None:
        """Let the open exposure come to its end, and blank.

        Raises
        ------
        NoReplayAllowed
            Always: the specimen has had its dose, and what it gave waits to be read.
        """
        self.beam.pause()
        raise NoReplayAllowed

    def resume(self) -> None:
        """Go on after `pause`."""
        self.beam.resume()

    def read(self) -> dict[str, dict[str, Any]]:
        """Return what the latest exposure gave, once it has been read out."""
        self.beam.await_detector(self)
        reading: dict[str, dict[str, Any]] = super().read()
        return reading

    def stage(self) -> list[object]:
        """Blank; what is triggered next starts a new exposure."""
        self.beam.interrupt()
        staged: list[object] = super().stage()
        self.beam.expect(self)
        return staged

    def unstage(self) -> list[object]:
        """Blank at once."""
        self.beam.release(self)
        self.beam.interrupt()
        unstaged: list[object] = super().unstage()
        return unstaged

    def _spectrum(self, spectrum: Any, like: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a spectrum of the announced type, or refuse one of another length."""
        array = np.asarray(spectrum, like.dtype)
        if array.shape != like.shape:
            raise ValueError(f"{self.name}: a spectrum of shape {array.shape} came where {like.shape} was announced")
        return array


def _told(detector: str, name: str, given: float | None, fixed: Mapping[str, Any]) -> float | None:
    """Return a time, s, that is given, else told by the instrument, else unknown."""
    seconds = fixed.get(name) if given is None else given
    if seconds is None:
        return None
    if not (0 <= seconds < math.inf) or (name == "minimum_dwell" and seconds == 0):
        raise ValueError(f"{detector}: a {name} of {seconds} s is not possible; give a time")
    return float(seconds)
