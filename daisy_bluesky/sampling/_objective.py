"""What a map is measured for: the objectives by name, and what each asks of a visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from daisy_bluesky.sampling._argument_checks import is_number

PHASES = "phases"
"""The field of labels: what classifies spectra."""
LARGEST_WEIGHT = 1e9

Kind = Literal["map", "poor", "rich", "phases", "boundaries", "rare"]
_OF_PHASES: Mapping[str, Kind] = {PHASES: "phases", "boundaries": "boundaries", "rare phases": "rare"}
_OF_VALUES: Mapping[str, Kind] = {"poor in ": "poor", "rich in ": "rich"}


@dataclass(frozen=True)
class Objective:
    """One thing that a map is to show.

    Attributes
    ----------
    name : str
        As the user gives it: ``"phases"``, ``"boundaries"`` between them, ``"rare phases"``; or the name of a measured
        quantity such as ``"Ti Ka"`` or ``"B K"`` for its map; or ``"poor in Ti Ka"``, ``"rich in Ti Ka"`` for the
        regions where there is little or much of it.
    field : str
        What is measured for it: ``"phases"``, or the quantity.
    kind : str
        What matters of that: ``"map"``, ``"poor"``, ``"rich"``, ``"phases"``, ``"boundaries"`` or ``"rare"``.
    """

    name: str
    field: str
    kind: Kind

    @classmethod
    def named(cls, name: str) -> "Objective":
        """Return the objective of a name."""
        if name in _OF_PHASES:
            return cls(name, PHASES, _OF_PHASES[name])
        for start, kind in _OF_VALUES.items():
            if name.startswith(start):
                return cls(name, name.removeprefix(start).strip(), kind)
        return cls(name, name, "map")

    @property
    def categorical(self) -> bool:
        """Whether it looks at labels."""
        return self.field == PHASES


def checked_weights(weights: Mapping[str, float], names: tuple[str, ...] | None = None) -> dict[str, float]:
    """Return weights by name, those of `names` that are left out as 0.

    Raises
    ------
    ValueError
        A name is unknown, a weight is negative or too large, or all are 0.
    """
    if not isinstance(weights, Mapping) or not weights:
        raise ValueError(f"objectives: {weights!r} is not a mapping of names to weights, such as {{'Ti Ka': 1.0}}")
    for name, weight in weights.items():
        if not isinstance(name, str):
            raise ValueError(f"objectives: {name!r} is no name; give one such as 'Ti Ka'")
        if name not in _OF_PHASES and Objective.named(name).field in _OF_PHASES:
            raise ValueError(
                f"objectives: {name!r}: there is no amount of that; name a line or an edge, as 'poor in Ti Ka'"
            )
        if names is not None and name not in names:
            raise ValueError(f"objectives: {name!r} is none of {', '.join(names)}, which the run was begun with")
        if not is_number(weight) or not 0 <= weight <= LARGEST_WEIGHT:
            raise ValueError(
                f"objectives: the weight of {name!r} is {weight!r}, not a number from 0 to {LARGEST_WEIGHT:g}"
            )
    if not any(weights.values()):
        raise ValueError("objectives: all weights are 0; give one of them more")
    return {name: float(weights.get(name, 0.0)) for name in names or weights}
