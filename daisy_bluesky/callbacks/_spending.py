"""What a map has cost so far: electrons and seconds, over all the runs it was measured in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

READINGS = ("beam_charge", "beam_dwell_time", "beam_time")


@dataclass(frozen=True)
class _Visit:
    pixel: tuple[int, int]
    charge: float
    dwell: float


@dataclass(frozen=True)
class _Scan:
    shape: tuple[int, int]
    charge: float
    dwell: float

    def on(self, whole: NDArray[Any]) -> NDArray[Any]:
        """Return the pixels of a map that were scanned."""
        return whole[: self.shape[0], : self.shape[1]]


class Spending:
    """Adds up the charge and the time of the visits it is shown; a visit shown twice replaces itself.

    Attributes
    ----------
    charge : float
        Charge sent through the specimen, pC.
    dwell : float
        Dwell time of all visits, s.
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

    def add(self, visit: int, pixel: tuple[int, int], data: Mapping[str, Any]) -> None:
        """Take in the beam's reading of a visit to a pixel, when the event carries one."""
        if "beam_charge" not in data:
            return
        before = self._visits.get(visit)
        now = _Visit(pixel, float(data["beam_charge"]), float(data["beam_dwell_time"]))
        self.charge += now.charge - (before.charge if before else 0.0)
        self.dwell += now.dwell - (before.dwell if before else 0.0)
        self._visits[visit] = now
        began = float(data["beam_time"])
        if self._first is None:
            self._first = began
        self._last = began + now.dwell

    def add_page(
        self, visits: Sequence[int], pixels: Sequence[tuple[int, int]], data: Mapping[str, Sequence[Any]]
    ) -> None:
        """Take in the beam's readings of several visits."""
        for place, (visit, pixel) in enumerate(zip(visits, pixels, strict=True)):
            self.add(visit, pixel, {key: data[key][place] for key in READINGS if key in data})

    def add_scan(self, shape: tuple[int, int], data: Mapping[str, Any]) -> None:
        """Take in the reading of a frame of `shape` pixels, which has spent the same on each."""
        scan = _Scan(shape, float(data["frame_charge"]), float(data["frame_dwell_time"]))
        self._scans.append(scan)
        self.charge += scan.charge
        self.dwell += scan.dwell * shape[0] * shape[1]
        began = float(data["frame_time"])
        if self._first is None:
            self._first = began
        self._last = began + float(data["frame_seconds"])

    @property
    def seconds(self) -> float:
        """Time on the instrument's clock between the first exposure and the end of the last, s."""
        return self._earlier + (0.0 if self._first is None else self._last - self._first)

    def dwell_map(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return how long each pixel was exposed, (rows, columns) float64, s."""
        dwell = np.zeros(shape)
        for visit in self._visits.values():
            dwell[visit.pixel] += visit.dwell
        for scan in self._scans:
            part = scan.on(dwell)
            part += scan.dwell
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
