"""From what was measured to what counts for each objective."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._argument_checks import is_number
from daisy_bluesky.sampling._objective import Objective
from daisy_bluesky.sampling._objective_scale import membership, scale_of, threshold_of

Floats = NDArray[np.float64]
REGIONS = ("poor", "rich")


class Goals:
    """Turns the values of fields into what counts for objectives, and knows how large their differences are.

    Parameters
    ----------
    objectives : sequence of Objective
        What the map is to show.
    fields : sequence of str
        What is measured, in the order of the values.
    thresholds : mapping of str to float
        Where the regions of some objectives begin, by name; those of others are found from the data.

    Attributes
    ----------
    scales : (objectives,) float64
        Span of the levels of each objective as found so far.

    Raises
    ------
    ValueError
        If a threshold is of no region among the objectives, or is not a finite number.
    """

    def __init__(self, objectives: Sequence[Objective], fields: Sequence[str], thresholds: Mapping[str, float]) -> None:
        regions = {objective.name for objective in objectives if objective.kind in REGIONS}
        if not isinstance(thresholds, Mapping):
            raise ValueError(f"thresholds: {thresholds!r} is no mapping of regions to levels")
        if unknown := thresholds.keys() - regions:
            raise ValueError(f"thresholds: {', '.join(sorted(unknown))} is no region of these objectives")
        for name, threshold in thresholds.items():
            if not is_number(threshold) or not np.isfinite(threshold):
                raise ValueError(f"thresholds: that of {name!r} is {threshold!r}, not a finite number")
        self._objectives = tuple(objectives)
        self._fields = np.array([fields.index(objective.field) for objective in objectives])
        self._given = dict(thresholds)
        self._thresholds = np.zeros(len(objectives))
        self.scales: Floats = np.ones(len(objectives))

    def of(self, values: Floats, noise: Floats) -> tuple[Floats, Floats]:
        """Return what counts for every objective and its variance, (objectives, ...), from those of (fields, ...)."""
        goals, variances = values[self._fields].copy(), noise[self._fields].copy()
        for number, objective in enumerate(self._objectives):
            if objective.kind in REGIONS:
                threshold = self._given.get(objective.name, self._thresholds[number])
                poor = objective.kind == "poor"
                goals[number], variances[number] = membership(goals[number], variances[number], threshold, poor=poor)
        return goals, variances

    def learn(self, values: Floats, noise: Floats) -> None:
        """Find spans and thresholds anew from all that was measured, (fields, n) each, n at least 1."""
        for number, objective in enumerate(self._objectives):
            mine = self._fields[number]
            if objective.kind == "map":
                self.scales[number] = scale_of(values[mine], noise[mine])
            elif objective.kind in REGIONS:
                self._thresholds[number] = threshold_of(values[mine], noise[mine], poor=objective.kind == "poor")
