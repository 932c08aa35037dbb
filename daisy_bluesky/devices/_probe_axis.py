"""One axis of the probe."""

from typing import Any

from bluesky.protocols import Status
from ophyd import Signal

from daisy_bluesky.devices._number_key import number_key


class ProbeAxis(Signal):
    """One axis of the probe, movable on its own.

    Parameters
    ----------
    axis : int
        0 for rows, 1 for columns.
    **kwargs
        As for `ophyd.Signal`.
    """

    def __init__(self, *, axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._axis = axis

    def __repr__(self) -> str:  # short, because the RunEngine asks for it with every message
        return f"{type(self).__name__}(name={self.name!r})"

    @property
    def position(self) -> float:
        """Where the probe is along this axis, pixels."""
        position: tuple[float, float] = self.parent.position
        return position[self._axis]

    @property
    def limits(self) -> tuple[float, float]:
        """The first and the last pixel."""
        limits: tuple[tuple[float, float], tuple[float, float]] = self.parent.limits
        return limits[self._axis]

    @property
    def egu(self) -> str:
        """Unit of the position."""
        return "px"

    @property
    def timestamp(self) -> float:
        """When the probe was last moved, seconds of the epoch."""
        moved_at: float = self.parent.moved_at
        return moved_at

    def get(self, **_: Any) -> float:
        """Return where the probe is along this axis, pixels."""
        return self.position

    def check_value(self, value: float) -> None:
        """Refuse a position outside the field.

        Raises
        ------
        LimitError
            If it is.
        """
        self.parent.check_value(self._target(value))

    def set(self, value: float, **_: Any) -> Status:
        """Move along this axis, in pixels; the other stays where it is."""
        status: Status = self.parent.set(self._target(value))
        return status

    def put(self, value: float, **_: Any) -> None:
        """Move along this axis, in pixels, and wait until the probe has settled."""
        self.parent.set(self._target(value)).wait()

    def locate(self) -> dict[str, float]:
        """Return where the probe was sent and where it is, pixels."""
        return {"setpoint": self.position, "readback": self.position}

    def stop(self, *, success: bool = False) -> None:
        """Blank the beam, as `ProbePositioner.stop` does."""
        self.parent.stop(success=success)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the data key, with the limits of the field."""
        low, high = self.limits
        key = number_key(self.parent.source, "px")
        return {self.name: {**key, "lower_ctrl_limit": low, "upper_ctrl_limit": high}}

    def _target(self, value: float) -> tuple[float, float]:
        row, column = self.parent.position
        return (float(value), column) if self._axis == 0 else (row, float(value))
