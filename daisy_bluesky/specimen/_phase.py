"""A phase of a specimen: what it is made of and how thick it lies under the beam."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import xraydb

AVOGADRO = 6.02214076e23


@dataclass(frozen=True)
class Phase:
    """A homogeneous material of known composition.

    Attributes
    ----------
    name : str
        Name shown to the user.
    composition : mapping of str to float
        Atomic fractions by element symbol; any positive amounts, normalised to a sum of one.
    density : float
        Mass density, g/cm3.
    thickness : float
        Thickness along the beam, nm.

    Raises
    ------
    ValueError
        If an element is unknown, or an amount, the density or the thickness is not positive.
    """

    name: str
    composition: Mapping[str, float]
    density: float
    thickness: float

    def __post_init__(self) -> None:
        if not self.composition:
            raise ValueError(f"phase {self.name!r} has no elements: give atomic fractions such as {{'Fe': 1.0}}")
        for element, amount in self.composition.items():
            _atomic_mass(element)
            if not amount > 0:
                raise ValueError(f"phase {self.name!r}: the amount of {element} is {amount}, but must be positive")
        if not (self.density > 0 and self.thickness > 0):
            raise ValueError(f"phase {self.name!r}: density and thickness must be positive")
        total = sum(self.composition.values())
        normalised = {element: float(amount) / total for element, amount in self.composition.items()}
        object.__setattr__(self, "composition", MappingProxyType(normalised))

    @classmethod
    def from_weight_fractions(
        cls, name: str, fractions: Mapping[str, float], density: float, thickness: float
    ) -> "Phase":
        """Make a phase from weight fractions (any positive amounts) by element symbol; other arguments as the class."""
        moles = {element: weight / _atomic_mass(element) for element, weight in fractions.items()}
        return cls(name, moles, density, thickness)

    @cached_property
    def weight_fractions(self) -> Mapping[str, float]:
        """Weight fractions by element symbol, summing to one."""
        masses = {element: amount * _atomic_mass(element) for element, amount in self.composition.items()}
        total = sum(masses.values())
        return MappingProxyType({element: mass / total for element, mass in masses.items()})

    @cached_property
    def atomic_mass(self) -> float:
        """Mean atomic mass, g/mol."""
        return sum(amount * _atomic_mass(element) for element, amount in self.composition.items())

    @property
    def atoms_per_area(self) -> float:
        """Atoms of all elements in the beam's path, atoms/cm2."""
        return self.density / self.atomic_mass * AVOGADRO * self.thickness * 1e-7


def _atomic_mass(element: str) -> float:
    try:
        return float(xraydb.atomic_mass(element))
    except ValueError:
        raise ValueError(f"unknown element {element!r}: use a symbol such as 'Fe'") from None
