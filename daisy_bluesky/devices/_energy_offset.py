"""The drift tube of an EELS spectrometer: which energy losses fall on its camera."""

import math
import time
from typing import Any, Protocol, runtime_checkable

from bluesky.protocols import Status
from ophyd import Component, Device

from daisy_bluesky.devices._signals import ReadBack
from daisy_bluesky.devices._status import FinishedStatus


@runtime_checkable
class EnergyShifting(Protocol):
    """An instrument whose spectrometer has a drift tube.

    Attributes
    ----------
    name : str
        Short name of the instrument.
    energy_offset : float
        By how much it raises the energy loss of every channel, eV.
    """

    name: str
    energy_offset: float

    def shift_energy(self, energy_offset: float) -> None:
        """Set it."""
        ...


class EnergyOffset(Device):
    """Raises the energy loss of every channel of the EELS spectrometer, in eV, by the voltage of its drift tube.

    Parameters
    ----------
    instrument : EnergyShifting
        The back end.
    name : str
        Name of the device and of its data key.
    """

    offset = Component(ReadBack, get=lambda device: device.position, units="eV", kind="hinted")

    def __init__(self, instrument: EnergyShifting, *, name: str = "energy_offset", **kwargs: Any) -> None:
        self.instrument = instrument
        self.moved_at = time.time()
        super().__init__(name=name, **kwargs)
        self.offset.name = name

    def __repr__(self) -> str:  # short, because the RunEngine asks for it with every message
        return f"{type(self).__name__}(name={self.name!r})"

    @property
    def source(self) -> str:
        """Where the readings come from."""
        return f"{self.instrument.name}:energy_offset"

    @property
    def position(self) -> float:
        """By how much the energy loss of every channel is raised, eV."""
        return float(self.instrument.energy_offset)

    def set(self, value: float) -> Status:
        """Set it, eV.

        Raises
        ------
        ValueError
            If it is not a finite number.
        """
        if not math.isfinite(value):
            raise ValueError(f"{self.name}: {value} is not a number of eV")
        self.instrument.shift_energy(float(value))
        return FinishedStatus()

    def locate(self) -> dict[str, float]:
        """Return what it was set to and what it is, eV."""
        return {"setpoint": self.position, "readback": self.position}

    def stop(self, *, success: bool = False) -> None:
        """Do nothing: it shifts at once."""
