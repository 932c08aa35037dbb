"""How a map was paid for: dwell, current, visits and the time between them."""

from dataclasses import dataclass

from scipy.constants import elementary_charge

ELECTRONS_PER_PICOCOULOMB = 1e-12 / elementary_charge


@dataclass(frozen=True)
class Acquisition:
    """What a map of one visit per pixel spent.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns) of the field, pixels.
    visits : int
        Measured pixels.
    dwell : float
        Mean dwell time of a visit, s.
    current : float
        Beam current, pA.
    overhead : float
        Time between two exposures: settling, read-out, deciding, s.
    """

    shape: tuple[int, int]
    visits: int
    dwell: float
    current: float
    overhead: float

    @property
    def pixels(self) -> int:
        """Pixels of the field."""
        return self.shape[0] * self.shape[1]

    @property
    def fraction(self) -> float:
        """Measured fraction of the pixels."""
        return self.visits / self.pixels

    @property
    def electrons(self) -> float:
        """Electrons sent through the specimen."""
        return self.visits * self.dwell * self.electron_rate

    @property
    def seconds(self) -> float:
        """Time of all visits, s."""
        return self.visits * (self.dwell + self.overhead)

    @property
    def electron_rate(self) -> float:
        """Electrons per second of an unblanked beam."""
        return self.current * ELECTRONS_PER_PICOCOULOMB
