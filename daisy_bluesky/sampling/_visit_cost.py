"""What a visit costs: the dwell time, and what comes on top of it."""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from daisy_bluesky.sampling._argument_checks import is_number


@dataclass(frozen=True)
class VisitCost:
    """The cost of visiting a pixel, in seconds or in electrons.

    Attributes
    ----------
    settling : float
        Time for the probe to settle at its new place, s.
    read_out : float
        Time to read the detectors out, s.
    fly_back : float
        Time to steer the probe to a place that is not the next one on a line, s.
    minimum_dwell : float
        Shortest dwell time the detectors or the scan generator can do, s; above 0.
    read_noise : float
        Dwell time, s, within which as much noise comes from the beam as from one read-out; 0 for counting detectors.
    scarce : {"seconds", "electrons"}
        What is saved: time, or dose. With electrons, only what passes while the beam is on the specimen counts.
    blanked : bool
        Whether the beam is off the specimen while it settles and is read out.

    Raises
    ------
    ValueError
        If a time is negative or not finite, the minimum dwell is not positive, or what is scarce is neither.
    """

    settling: float = 0.0
    read_out: float = 0.0
    fly_back: float = 0.0
    minimum_dwell: float = 1e-3
    read_noise: float = 0.0
    scarce: Literal["seconds", "electrons"] = "seconds"
    blanked: bool = True

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.type is float):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value < np.inf:
                raise ValueError(f"{name}: {value!r} s is not a time from 0 up")
        if self.minimum_dwell == 0:
            raise ValueError("minimum_dwell must be above 0 s")
        if self.scarce not in ("seconds", "electrons"):
            raise ValueError(f"scarce: {self.scarce!r} is neither 'seconds' nor 'electrons'")
        if not isinstance(self.blanked, bool):
            raise ValueError(f"blanked: {self.blanked!r} is neither True nor False")

    @property
    def overhead(self) -> float:
        """What a visit costs beside its dwell time, s (or the electrons of so many seconds)."""
        if self.scarce == "electrons" and self.blanked:
            return 0.0
        return self.settling + self.read_out + self.fly_back

    def of(self, dwell: float) -> float:
        """Return the cost of one visit of a dwell time, s."""
        return self.overhead + dwell
