"""The probe: where the beam is on the specimen."""

import time
from collections.abc import Sequence
from typing import Any

from bluesky.protocols import Status
from ophyd import Component, Device

from daisy_bluesky.devices._beam import Beam
from daisy_bluesky.devices._identified import Identified
from daisy_bluesky.devices._probe_axis import ProbeAxis
from daisy_bluesky.devices._signals import ReadBack
from daisy_bluesky.protocols import Instrument


class ProbePositioner(Device):
    """Moves the probe over the field, both axes at once; `row` and `column` move on their own too.

    Parameters
    ----------
    instrument : Instrument
        The back end.
    beam : Beam
        The beam to place.
    name : str
        Name of the device and first part of its data keys.
    settle_time : float
        How long the probe takes to settle after a move, s.

    Raises
    ------
    ValueError
        If the settle time is negative, or the beam belongs to another instrument.
    """

    row = Component(ProbeAxis, axis=0, kind="hinted")
    column = Component(ProbeAxis, axis=1, kind="hinted")
    x = Component(ReadBack, get=lambda probe: probe.coordinates[0], units="nm", timestamp=lambda probe: probe.moved_at)
    y = Component(ReadBack, get=lambda probe: probe.coordinates[1], units="nm", timestamp=lambda probe: probe.moved_at)

    def __init__(
        self, instrument: Instrument, beam: Beam, *, name: str = "probe", settle_time: float = 0.0, **kwargs: Any
    ) -> None:
        if not settle_time >= 0:
            raise ValueError(f"settle_time: {settle_time} is not a number of seconds from 0 up")
        if beam.instrument is not instrument:
            raise ValueError(f"{name}: the beam belongs to another instrument, {beam.instrument.name}")
        self.beam = beam
        self.settle_time = settle_time
        self.moved_at = time.time()
        super().__init__(name=name, **kwargs)

    def __repr__(self) -> str:  # short, because the RunEngine asks for it with every message
        return f"{type(self).__name__}(name={self.name!r})"

    @property
    def source(self) -> str:
        """Where the readings come from."""
        return f"{self.beam.instrument.name}:probe"

    @property
    def shape(self) -> tuple[int, int]:
        """The field, (rows, columns), pixels."""
        return self.beam.instrument.shape

    @property
    def pixel_size(self) -> float:
        """Distance between pixel centres, nm."""
        return self.beam.instrument.pixel_size

    @property
    def field(self) -> dict[str, Any]:
        """What tells this field from others: instrument, shape, pixel size (nm), and the specimen where it is known."""
        instrument = self.beam.instrument
        known = {"specimen": instrument.specimen_identity} if isinstance(instrument, Identified) else {}
        return {
            "instrument": instrument.name,
            "shape": list(instrument.shape),
            "pixel_size": instrument.pixel_size,
            **known,
        }

    @property
    def position(self) -> tuple[float, float]:
        """Where the probe is, (row, column), pixels."""
        return self.beam.position

    @property
    def coordinates(self) -> tuple[float, float]:
        """Where the probe is, (x, y), nm; x runs along a row."""
        row, column = self.beam.position
        size = self.beam.instrument.pixel_size
        return column * size, row * size

    @property
    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The field: first and last row, first and last column."""
        rows, columns = self.beam.instrument.shape
        return (0.0, rows - 1.0), (0.0, columns - 1.0)

    def check_value(self, value: Sequence[float]) -> None:
        """Refuse a point outside the field.

        Raises
        ------
        LimitError
            If it is.
        ValueError
            If it is not a (row, column).
        """
        self.beam.check_position(*_point(value))

    def set(self, value: Sequence[float]) -> Status:
        """Move the probe to (row, column), pixels.

        Returns
        -------
        Status
            Finished when the probe has settled.

        Raises
        ------
        LimitError
            If the point lies outside the field.
        ValueError
            If `value` is not a (row, column).
        """
        row, column = _point(value)
        status = self.beam.place(row, column, self.settle_time)
        self.moved_at = time.time()
        return status

    def locate(self) -> dict[str, tuple[float, float]]:
        """Return where the probe was sent and where it is, (row, column), pixels."""
        return {"setpoint": self.position, "readback": self.position}

    def stop(self, *, success: bool = False) -> None:
        """Blank the beam: at once, or when the open exposure has ended if `success`."""
        self.beam.stop(success=success)

    def pause(self) -> None:
        """Let the open exposure come to its end, and blank."""
        self.beam.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self.beam.resume()

    def unstage(self) -> list[object]:
        """Blank at once."""
        self.beam.interrupt()
        unstaged: list[object] = super().unstage()
        return unstaged


def _point(value: Sequence[float]) -> tuple[float, float]:
    try:
        row, column = value
        return float(row), float(column)
    except (TypeError, ValueError) as error:
        raise ValueError(f"probe: {value!r} is not a (row, column) in pixels") from error
