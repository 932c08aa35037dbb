"""When a map is good enough, or has cost enough."""

from dataclasses import dataclass
from typing import Any

from bluesky.protocols import NamedMovable
from scipy.constants import elementary_charge

from daisy_bluesky.callbacks import NextProbe
from daisy_bluesky.plans._grid import visits_of
from daisy_bluesky.plans._numbers import positive

ANGSTROM_PER_NM = 10.0
PICOCOULOMB_PER_ELECTRON = elementary_charge * 1e12


@dataclass(frozen=True)
class StoppingRule:
    """The first limit that is reached ends the map.

    Attributes
    ----------
    visits : int
        Number of visits.
    charge : float or None
        Charge through the specimen, pC.
    seconds : float or None
        Time on the instrument's clock, s.
    distortion : float or None
        Upper bound of the estimated total distortion that remains.
    dwell : float or None
        Dwell time of all visits together, s; takes the place of the number of visits.
    start : int
        Number of visits of the start pattern, before whose end no estimate of the distortion is believed.

    Raises
    ------
    ValueError
        A limit is not a positive number.
    """

    visits: int
    charge: float | None = None
    seconds: float | None = None
    distortion: float | None = None
    start: int = 0
    dwell: float | None = None

    def __post_init__(self) -> None:
        for name, limit in (("max_time", self.seconds), ("convergence", self.distortion)):
            if limit is not None:
                positive(name, limit)

    def enough(self, recommender: NextProbe, visits: int) -> bool:
        """Return whether so many visits are the fraction asked for, by number or by dwell time."""
        return visits >= self.visits if self.dwell is None else recommender.spending.dwell >= self.dwell

    def left(self, visits: int) -> int | None:
        """Return how many more there may be after so many visits; None where their dwell time is what counts."""
        return self.visits - visits if self.dwell is None else None

    def reason(self, recommender: NextProbe, visits: int) -> str | None:
        """Return why to stop after so many visits, or None to go on."""
        spending = recommender.spending
        if self.enough(recommender, visits):
            return "fraction reached"
        if self.charge is not None and spending.charge >= self.charge:
            return "dose reached"
        if self.seconds is not None and spending.seconds >= self.seconds:
            return "time reached"
        if self.distortion is not None and visits >= self.start:
            return "converged" if recommender.remaining_distortion[2] <= self.distortion else None
        return None


def stopping_rule(
    probe: NamedMovable[Any],
    shape: tuple[int, int],
    *,
    pixels: int,
    accounted: bool,
    start_fraction: float,
    fraction: float,
    max_dose: float | None,
    max_time: float | None,
    convergence: float | None,
) -> StoppingRule:
    """Return the rule that the limits of `adaptive_map` make for a map of so many pixels.

    The dose is a mean over all of the field's `shape`; `accounted` where a beam tells charge and time.

    Raises
    ------
    ValueError
        A limit is out of range, or nothing accounts what it limits.
    """
    if not accounted and (max_dose is not None or max_time is not None):
        raise ValueError("max_dose, max_time: these detectors hold no beam that accounts them; stop on fraction")
    charge = charge_of_dose(max_dose, probe, shape)
    return StoppingRule(visits_of(fraction, pixels), charge, max_time, convergence, visits_of(start_fraction, pixels))


def charge_of_dose(dose: float | None, probe: NamedMovable[Any], shape: tuple[int, int]) -> float | None:
    """Return the charge, pC, that makes a mean dose, e-/A^2, over a map of so many pixels.

    Raises
    ------
    ValueError
        The dose is not positive, or the probe does not tell its pixel size.
    """
    if dose is None:
        return None
    pixel_size = getattr(probe, "pixel_size", None)
    if pixel_size is None:
        raise ValueError(f"max_dose: {probe.name} does not tell its pixel size; stop on fraction or time")
    area = shape[0] * shape[1] * (float(pixel_size) * ANGSTROM_PER_NM) ** 2
    return positive("max_dose", dose, "e-/A^2") * area * PICOCOULOMB_PER_ELECTRON
