"""The signals that the devices are made of."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from ophyd import Signal
from ophyd.signal import SignalRO


class PositiveQuantity(Signal):
    """A setting with a unit that must be positive and finite.

    Parameters
    ----------
    units : str
        Unit, stored with every run.
    **kwargs
        As for `ophyd.Signal`.
    """

    def __init__(self, *, units: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._units = units

    def check_value(self, value: float) -> None:
        """Refuse a value that is not positive and finite.

        Raises
        ------
        ValueError
            If it is not.
        """
        if not 0 < value < math.inf:
            raise ValueError(f"{self.name}: {value} is not a positive number of {self._units}")

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the data key, with its unit."""
        return {self.name: {**super().describe()[self.name], "units": self._units}}


class ReadBack(SignalRO):
    """A read-only signal that shows what its device knows at that moment.

    Parameters
    ----------
    get : callable
        Takes the device and returns the value.
    units : str, optional
        Unit, stored with every run.
    timestamp : callable, optional
        Takes the device and returns the moment of the value, seconds of the epoch; the present when None.
    **kwargs
        As for `ophyd.Signal`.
    """

    def __init__(
        self,
        *,
        get: Callable[[Any], Any],
        units: str | None = None,
        timestamp: Callable[[Any], float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._get = get
        self._units = units
        self._moment = timestamp

    def get(self, **_: Any) -> Any:
        """Return the present value."""
        return self._get(self.parent)

    @property
    def source_name(self) -> str:
        """Where the value comes from."""
        return f"{self.parent.source}"

    @property
    def timestamp(self) -> float:
        """Moment of the present value, seconds of the epoch."""
        return time.time() if self._moment is None else self._moment(self.parent)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the data key: type, shape and unit of the present value."""
        value = np.asarray(self.get())
        kinds = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}
        key: dict[str, Any] = {
            "source": self.source_name,
            "dtype": "array" if value.shape else kinds[value.dtype.kind],
            "shape": list(value.shape),
            "dtype_numpy": value.dtype.str,
        }
        if self._units is not None:
            key["units"] = self._units
        return {self.name: key}
