"""One row of a gate table."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Gate:
    """What was to be reached, what was reached, and what the alternatives reach.

    Attributes
    ----------
    what : str
        The quantity and the conditions, seeds included.
    reached : str
        What was measured.
    wanted : str
        The gate; empty for figures that stand beside a gate.
    passed : bool or None
        Whether the gate is met; None where there is no gate or the measurement was skipped.
    beside : str
        The best alternatives, measured in the same run.
    figures : mapping of str to float
        The same as data.
    """

    what: str
    reached: str
    wanted: str = ""
    passed: bool | None = None
    beside: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
