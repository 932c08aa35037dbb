"""What a map has cost so far: electrons and seconds, over all the runs it was measured in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class _Scan:
    shape: tuple[int, int]
    charge: float
    dwell: float
    measures: bool

    def on(self, whole: NDArray[Any]) -> NDArray[Any]:
        """Return the pixels of a map that were scanned."""
        return whole[: self.shape[0], : self.shape[1]]


@dataclass(frozen=True)
class _Visit:
    pixel: tuple[int, int]
    charge: float
    dwell: float


class Spending:
    """Adds up the charge and the time of the visits it is shown; a visit shown twice replaces itself.

    Attributes
    ----------
    charge : float
        Charge sent through the specimen, pC.
    dwell : float
        Dwell time of all visits, s; without that of survey frames, which no spectrum has come from.
    """

    def __init__(self) -> None:
        self.charge = 0.0
        self.dwell = 0.0
        self._visits: dict[int, _Visit] = {}
        self._scans: list[_Scan] = []
        self._earlier = 0.0
        self._first: float | None = None
        self._last = 0.0

    def begin(self) -> None:
        """Begin a run: its clock has nothing to do with that of the runs before it."""
        self._earlier = self.seconds
        self._first = None
        self._last = 0.0

    def add(self, visits: Sequence[int], pixels: Sequence[tuple[int, int]], data: Mapping[str, Sequence[Any]]) -> None:
        """Take in the beam's readings of visits to pixels, when the events carry them."""
        if "beam_charge" not in data:
            return
        readings = zip(data["beam_charge"], data["beam_dwell_time"], data["beam_time"], strict=True)
        for visit, pixel, (charge, dwell, began) in zip(visits, pixels, readings, strict=True):
            before = self._visits.get(visit)
            now = _Visit(pixel, float(charge), float(dwell))
            self.charge += now.charge - (before.charge if before else 0.0)
            self.dwell += now.dwell - (before.dwell if before else 0.0)
            self._visits[visit] = now
            self._pass(float(began), now.dwell)

    def add_scan(self, name: str, shape: tuple[int, ...], data: Mapping[str, Any], *, measures: bool) -> None:
        """Take in the reading of a frame, which has spent the same on each pixel.

        Parameters
        ----------
        name : str
            First part of its data keys.
        shape : tuple of int
            Rows and columns.
        data : mapping of str to Any
            What the event tells; an image that was there before has spent nothing.
        measures : bool
            Whether spectra have come from it, so that its dwell time counts as the map's.
        """
        rows, columns = shape
        dwell = float(data[f"{name}_dwell_time"])
        scan = _Scan((rows, columns), float(data[f"{name}_charge"]), dwell, measures)
        if scan.charge == 0:
            return
        self._scans.append(scan)
        self.charge += scan.charge
        self.dwell += scan.dwell * rows * columns if measures else 0.0
        self._pass(float(data[f"{name}_time"]), float(data[f"{name}_seconds"]))

    def _pass(self, began: float, seconds: float) -> None:
        if self._first is None:
            self._first = began
        self._last = began + seconds

    @property
    def seconds(self) -> float:
        """Time on the instrument's clock between the first exposure and the end of the last, s."""
        return self._earlier + (0.0 if self._first is None else self._last - self._first)

    def dwell_map(self, shape: tuple[int, int], *, surveys: bool = True) -> NDArray[np.float64]:
        """Return how long each pixel was exposed, (rows, columns) float64, s; for survey frames too, or not."""
        dwell = np.zeros(shape)
        for visit in self._visits.values():
            dwell[visit.pixel] += visit.dwell
        for scan in self._scans:
            part = scan.on(dwell)
            part += scan.dwell if surveys or scan.measures else 0.0
        return dwell

    def charge_map(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return the charge each pixel received, (rows, columns) float64, pC."""
        charge = np.zeros(shape)
        for visit in self._visits.values():
            charge[visit.pixel] += visit.charge
        for scan in self._scans:
            part = scan.on(charge)
            part += scan.charge / (scan.shape[0] * scan.shape[1])
        return charge

    def visit_map(self, shape: tuple[int, int]) -> NDArray[np.int32]:
        """Return how often each pixel was exposed, (rows, columns) int32."""
        visits = np.zeros(shape, dtype=np.int32)
        for visit in self._visits.values():
            visits[visit.pixel] += 1
        for scan in self._scans:
            part = scan.on(visits)
            part += 1
        return visits
