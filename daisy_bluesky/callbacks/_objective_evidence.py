"""What the events of a run say of its objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling import PHASES
from daisy_bluesky.spectra import ElementSignal, EnergyAxis, element_signal

DWELL = "beam_dwell_time"


@dataclass(frozen=True)
class _Field:
    """Where a field comes from: the data keys of spectrum and seconds, and the signal in it; None for the phases."""

    signal: ElementSignal | None
    spectrum: str = ""
    seconds: str = ""


class ObjectiveEvidence:
    """Turns events into evidence for `daisy_bluesky.sampling.Objectives`.

    Parameters
    ----------
    fields : sequence of mapping
        For each field ``name``; and where it is not ``"phases"`` the data keys ``spectrum`` and ``seconds`` (empty for
        one second each), ``axis`` (offset, dispersion, channels, unit), and ``camera`` with its noise.
    """

    def __init__(self, fields: Sequence[Mapping[str, Any]]) -> None:
        self._fields = tuple(_field(field) for field in fields)
        self.names = tuple(str(field["name"]) for field in fields)
        self.keys = {field.spectrum for field in self._fields if field.spectrum}

    def __call__(self, data: Mapping[str, Any], label: int) -> NDArray[np.float64]:
        """Return the evidence of an event with a label for its phase, (1, fields, 2) float64: rates and variances.

        All nan where the label says that the spectrum has failed.
        """
        found = [
            (float(label), 0.0)
            if field.signal is None
            else field.signal.rate(np.asarray(data[field.spectrum]), self._seconds(field, data))
            for field in self._fields
        ]
        return np.full((1, len(found), 2), np.nan) if label == 0 else np.array([found])

    def relabelled(self, evidence: NDArray[np.float64], label: int) -> NDArray[np.float64]:
        """Return evidence with another label for the phase."""
        changed = evidence.copy()
        if PHASES in self.names:
            changed[0, self.names.index(PHASES)] = label, 0.0
        return changed

    @staticmethod
    def _seconds(field: _Field, data: Mapping[str, Any]) -> float:
        seconds = float(data.get(field.seconds, data.get(DWELL, 1.0)))
        return seconds if seconds > 0 else 1.0


def _field(description: Mapping[str, Any]) -> _Field:
    if description["name"] == PHASES:
        return _Field(None)
    offset, dispersion, channels, unit = description["axis"]
    axis = EnergyAxis(float(offset), float(dispersion), int(channels), str(unit))
    signal = element_signal(description["name"], {axis.unit: axis}, description.get("camera"))
    return _Field(signal, str(description["spectrum"]), str(description.get("seconds", "")))
