"""The account of the charge that a specimen has received, and its hard limits."""

import math
import uuid

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ophyd.utils import LimitError

from daisy_bluesky.devices._area import Area

ELECTRONS_PER_PICOCOULOMB = 1e-12 / 1.602176634e-19
_ROUNDING = 1.0 + 1e-9


class DoseLimitExceeded(LimitError):  # noqa: N818 - it reads as the fact it states
    """An exposure was refused because it would exceed a dose or charge limit."""


class DoseAccount:
    """Charge and dose per pixel of one field.

    Parameters
    ----------
    shape : tuple of int
        The field, (rows, columns), pixels.
    pixel_size : float
        Distance between pixel centres, nm.
    max_pixel_dose : float, optional
        Largest dose that a pixel may receive, e-/A^2; unlimited when None.
    max_charge : float, optional
        Largest charge that the field may receive, pC; unlimited when None.

    Attributes
    ----------
    uid : str
        Names the account; another one after `reset`.
    charge : float
        Charge the field has received, pC.
    frames : int
        Frames the field has received.
    visits : ndarray of int32, (rows, columns)
        Exposures that each pixel has received.
    dwell_map : ndarray of float64, (rows, columns)
        Seconds that each pixel has been exposed.
    charge_map : ndarray of float64, (rows, columns)
        Charge that each pixel has received, pC.

    References
    ----------
    Jones et al., "Managing dose-, damage- and data-rates in multi-frame spectrum-imaging" (2018), Methods: dose in
    e-/A^2 is the charge on an area divided by that area; the pixel charge is the beam current times the dwell time.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        pixel_size: float,
        *,
        max_pixel_dose: float | None = None,
        max_charge: float | None = None,
    ) -> None:
        self.max_pixel_dose = _limit("max_pixel_dose", max_pixel_dose)
        self.max_charge = _limit("max_charge", max_charge)
        self._dose_per_picocoulomb = ELECTRONS_PER_PICOCOULOMB / (10.0 * pixel_size) ** 2
        self._shape = shape
        self.reset()

    def reset(self) -> None:
        """Forget everything: a fresh field is under the beam."""
        self.uid = str(uuid.uuid4())
        self.charge = 0.0
        self.frames = 0
        self.visits: NDArray[np.int32] = np.zeros(self._shape, np.int32)
        self.dwell_map: NDArray[np.float64] = np.zeros(self._shape)
        self.charge_map: NDArray[np.float64] = np.zeros(self._shape)

    def restore(self, dwell_map: ArrayLike, visits: ArrayLike, charge_map: ArrayLike) -> None:
        """Take over what an earlier run has done to the field, in place of what is in the account.

        Parameters
        ----------
        dwell_map : array_like, (rows, columns)
            Seconds that each pixel had been exposed.
        visits : array_like of int, (rows, columns)
            Exposures that each pixel had received.
        charge_map : array_like, (rows, columns)
            Charge that each pixel had received, pC.

        Raises
        ------
        ValueError
            If an array has not the shape of the field or holds a negative or undefined number.
        """
        seconds, counts = np.array(dwell_map, np.float64), np.array(visits, np.int32)
        charges = np.array(charge_map, np.float64)
        for name, values in (("dwell_map", seconds), ("visits", counts), ("charge_map", charges)):
            if values.shape != self._shape:
                raise ValueError(f"{name}: shape {values.shape} is not that of the field, {self._shape}")
            if not np.all(values >= 0):
                raise ValueError(f"{name}: holds negative or undefined numbers")
        self.visits, self.dwell_map, self.charge_map = counts, seconds, charges
        self.charge = float(charges.sum())

    def check(self, pixel: tuple[int, int], charge: float) -> None:
        """Refuse a charge that would break a limit.

        Parameters
        ----------
        pixel : tuple of int
            The pixel about to be exposed, (row, column).
        charge : float
            The charge it is about to receive, pC.

        Raises
        ------
        DoseLimitExceeded
            If the charge would break the limit of the pixel or of the field.
        """
        if self.charge + charge > self.max_charge * _ROUNDING:
            raise DoseLimitExceeded(
                f"max_charge: {charge:.4g} pC more would make {self.charge + charge:.6g} pC, "
                f"over the limit of {self.max_charge:.6g} pC; raise the limit or end here"
            )
        dose = (self.charge_map.item(pixel) + charge) * self._dose_per_picocoulomb
        if dose > self.max_pixel_dose * _ROUNDING:
            raise DoseLimitExceeded(
                f"max_pixel_dose: pixel {pixel} would receive {dose:.6g} e-/A^2, "
                f"over the limit of {self.max_pixel_dose:.6g} e-/A^2; raise the limit or expose it for less time"
            )

    def check_area(self, area: Area, charge: float) -> None:
        """Refuse a charge on an area that would break a limit; raises as `check` does."""
        if self.charge + charge > self.max_charge * _ROUNDING:
            self.check((0, 0), charge)
        dose = (self.charge_map[area.box] + charge * area.shares) * self._dose_per_picocoulomb
        if dose.max() > self.max_pixel_dose * _ROUNDING:
            raise DoseLimitExceeded(
                f"max_pixel_dose: the area would receive {dose.max():.6g} e-/A^2, "
                f"over the limit of {self.max_pixel_dose:.6g} e-/A^2; raise the limit or expose it for less time"
            )

    def visit_area(self, area: Area) -> None:
        """Count an exposure of every pixel of an area."""
        self.visits[area.box] += 1

    def add_area(self, area: Area, seconds: float, current: float) -> None:
        """Book `seconds` of a beam of `current` pA on an area."""
        charge = seconds * current
        self.charge += charge
        self.dwell_map[area.box] += seconds * area.shares
        self.charge_map[area.box] += charge * area.shares

    def add(self, pixel: tuple[int, int], seconds: float, current: float) -> None:
        """Book `seconds` of a beam of `current` pA on a pixel."""
        charge = seconds * current
        self.charge += charge
        self.dwell_map[pixel] += seconds
        self.charge_map[pixel] += charge

    @property
    def dose(self) -> NDArray[np.float64]:
        """Dose per pixel, (rows, columns) float64, e-/A^2."""
        return self.charge_map * self._dose_per_picocoulomb

    @property
    def total_dose(self) -> float:
        """Charge the field has received over the area of the field, e-/A^2."""
        return self.charge * self._dose_per_picocoulomb / math.prod(self._shape)


def _limit(name: str, value: float | None) -> float:
    if value is None:
        return math.inf
    if not value > 0:
        raise ValueError(f"{name}: {value} is not a positive number")
    return float(value)
