"""What the beam does to a specimen: models of damage fixed before any frame is taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class DamageDriver(Enum):
    """What makes a given dose do more harm: nothing else, the dose rate, or the charge each pixel gets at once."""

    DOSE = "dose"
    DOSE_RATE = "dose rate"
    PIXEL_CHARGE = "pixel charge"


@dataclass(frozen=True)
class Exposing:
    """How a series exposes its specimen, by the definitions of the reference.

    Attributes
    ----------
    dose : float
        Dose per frame, e-/A^2.
    dose_rate : float
        Dose per frame divided by the frame time, e-/(A^2 s).
    pixel_charge : float
        Beam current times dwell time, electrons.

    References
    ----------
    L. Jones et al., Microscopy (2018), dfx125, Methods.
    """

    dose: float
    dose_rate: float
    pixel_charge: float


@dataclass(frozen=True)
class Damage:
    """Exponential decay and growth with an effective dose.

    The effective dose of a frame is its dose times ``(driver / reference) ** exponent``, and just its dose with the
    driver `DOSE`.

    Attributes
    ----------
    mass_loss : mapping of str to float
        Elements that leave the specimen, with the effective dose after which 1/e of them is left, e-/A^2.
    fading : mapping of str to float
        Elements whose EELS edges fade while their atoms stay, with the same dose of each.
    contamination : float
        Carbon that grows on the field per effective dose, in parts of one column's brightness per e-/A^2.
    driver : DamageDriver
        What makes the dose do more harm.
    reference : float
        Dose rate or pixel charge at which the effective dose is the dose.
    exponent : float
        How steeply harm grows with the driver.
    """

    mass_loss: Mapping[str, float] = field(default_factory=dict)
    fading: Mapping[str, float] = field(default_factory=dict)
    contamination: float = 0.0
    driver: DamageDriver = DamageDriver.DOSE
    reference: float = 1.0
    exponent: float = 1.0

    def effective_dose(self, exposing: Exposing, frames: float) -> float:
        """Return the effective dose of a number of frames, e-/A^2."""
        driven = {
            DamageDriver.DOSE: self.reference,
            DamageDriver.DOSE_RATE: exposing.dose_rate,
            DamageDriver.PIXEL_CHARGE: exposing.pixel_charge,
        }[self.driver]
        return float(exposing.dose * frames * (driven / self.reference) ** self.exponent)

    def remaining(self, elements: tuple[str, ...], dose: float) -> NDArray[np.float64]:
        """Return the part of each element that is left after an effective dose, (elements,) float64."""
        return _decay(self.mass_loss, elements, dose)

    def edge_strength(self, elements: tuple[str, ...], dose: float) -> NDArray[np.float64]:
        """Return the part of each element's edge that is left after an effective dose, (elements,) float64."""
        return _decay(self.fading, elements, dose)

    def carbon(self, dose: float) -> float:
        """Return the carbon grown after an effective dose, in parts of one column's brightness."""
        return self.contamination * dose


def _decay(doses: Mapping[str, float], elements: tuple[str, ...], dose: float) -> NDArray[np.float64]:
    return np.array([np.exp(-dose / doses[name]) if name in doses else 1.0 for name in elements])
