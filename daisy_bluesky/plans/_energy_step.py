"""The drift tube, stepped from frame to frame."""

from dataclasses import dataclass
from typing import Any

from bluesky import Msg
from bluesky.protocols import Locatable, Movable
from bluesky.utils import MsgGenerator

SHIFTING = "shifting energies"


@dataclass(frozen=True)
class EnergyStep:
    """Moves the spectrum along the camera between frames, so that the gains of its channels average out.

    Attributes
    ----------
    energy_offset : Movable
        The drift tube, eV.
    first : float
        Its energy offset in the first frame of an area, eV.
    step : float
        What is added from frame to frame, eV.

    References
    ----------
    M. Bosman, V. J. Keast, Ultramicroscopy 108 (2008) 837 (binned gain averaging).
    """

    energy_offset: Movable[Any]
    first: float
    step: float

    def to(self, frame: int) -> MsgGenerator[None]:
        """Set the drift tube for a frame of an area, from 0."""
        yield Msg("set", self.energy_offset, self.first + frame * self.step, group=SHIFTING)
        yield Msg("wait", None, group=SHIFTING)


def energy_step(energy_offset: Movable[Any] | None, step: float, first: float | None) -> EnergyStep | None:
    """Return how the drift tube is stepped, from where it is unless `first` says otherwise; None where it is not.

    Raises
    ------
    ValueError
        There is a step, but no device to take it.
    """
    if not step:
        return None
    if energy_offset is None:
        raise ValueError(f"energy_offset_step: {step:g} eV need the drift tube; give energy_offset, the device")
    if first is None:
        first = energy_offset.locate()["setpoint"] if isinstance(energy_offset, Locatable) else 0.0  # type: ignore[index]
    return EnergyStep(energy_offset, float(first), float(step))
