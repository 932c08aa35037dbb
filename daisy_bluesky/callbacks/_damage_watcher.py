"""Damage, noticed while the frames of a series arrive."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from event_model import DocumentRouter
from event_model.documents import Event, EventDescriptor, RunStart
from numpy.typing import NDArray

from daisy_bluesky.mfsi import Damage, DamageMonitor

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignalWindow:
    """A signal that damage changes.

    Attributes
    ----------
    key : str
        Data key of the spectra: ``"eds_frame"``, ``"eels_frame"``.
    low, high : float
        Lowest and highest energy, in the unit of their axis.
    direction : {"falling", "rising"}
        What damage does to it.
    noise_gain : float
        Variance of its counts over their mean.
    """

    key: str
    low: float
    high: float
    direction: str = "falling"
    noise_gain: float = 1.0


class DamageWatcher(DocumentRouter):
    """Tests, frame by frame and area by area, whether signals fade or grow, and says so when they do.

    Parameters
    ----------
    windows : mapping of str to SignalWindow
        What to watch, by name.
    threshold : float, optional
        Standard deviations that count as a change; that of `daisy_bluesky.mfsi.DamageMonitor` when not given.

    Attributes
    ----------
    damage : dict of (str, int) to Damage
        The first change of each signal in each area, by name and area; its frames are counted within the area.
    """

    def __init__(self, windows: Mapping[str, SignalWindow], *, threshold: float | None = None) -> None:
        super().__init__()
        self.damage: dict[tuple[str, int], Damage] = {}
        self._windows = dict(windows)
        self._shown: dict[str, tuple[float, float]] = {}
        self._options = {} if threshold is None else {"threshold": threshold}
        self._forget({})

    def start(self, doc: RunStart) -> None:
        """Begin a series, or go on with it.

        Raises
        ------
        ValueError
            If it has no such spectra, or a window does not lie in the spectra of all frames.
        """
        told = cast(Mapping[str, Any], doc)
        self._streams: dict[str, str] = {}
        if "multiframe" in told:
            self._begin(told["multiframe"], continues=bool(self._lineage & set(told.get("continues", []))))
        self._measured = "multiframe" in told
        self._lineage.add(told["uid"])

    def _begin(self, series: Mapping[str, Any], *, continues: bool) -> None:
        if not continues:
            self._forget(series["spectra"])
        seen = {key: _always_seen(axis, series) for key, axis in self._axes.items()}
        if seen != self._shown:
            # counts are held against others now, so that those before do not compare
            self._monitors.clear()
            self._shown = seen
        for name, window in self._windows.items():
            if window.key not in self._axes:
                raise ValueError(f"windows: {name} is in {window.key}, but there are {', '.join(self._axes) or 'none'}")
            low, high = seen[window.key]
            if not low <= window.low < window.high <= high:
                raise ValueError(
                    f"windows: {name}, {window.low:g} to {window.high:g}, does not lie within {low:g} to {high:g} "
                    f"{self._axes[window.key]['unit']}, which all frames show"
                )

    def descriptor(self, doc: EventDescriptor) -> None:
        """Note which stream is which."""
        self._streams[doc["uid"]] = doc.get("name", "")

    def event(self, doc: Event) -> Event:
        """Count the signals of a frame; one that is emitted again is the same."""
        if self._measured and self._streams[doc["descriptor"]] == "primary":
            data = doc["data"]
            number, area = int(data["frame_number"]), int(data["area"])
            if number not in self._seen:
                self._seen.add(number)
                for name, window in self._windows.items():
                    self._count(name, window, area, np.asarray(data[window.key]), data)
        return doc

    def _forget(self, axes: Mapping[str, Any]) -> None:
        self._axes, self._measured = axes, False
        self._lineage: set[str] = set()
        self._seen: set[int] = set()
        self._monitors: dict[tuple[str, int], DamageMonitor] = {}
        self._shown = {}
        self.damage.clear()

    def _count(self, name: str, window: SignalWindow, area: int, frame: NDArray[Any], data: Mapping[str, Any]) -> None:
        axis = self._axes[window.key]
        offset = float(data.get(f"{window.key.removesuffix('_frame')}_energy_offset", axis["offset"]))
        first, last, low, high = (
            round((energy - offset) / axis["dispersion"])
            for energy in (*self._shown[window.key], window.low, window.high)
        )
        counts, whole = _counts(frame, low, high), _counts(frame, max(first, 0), last)
        place = (name, area)
        if place not in self._monitors:
            self._monitors[place] = DamageMonitor(
                cast(Any, window.direction), noise_gain=window.noise_gain, **self._options
            )
        found = self._monitors[place].add(counts, exposure=whole)
        if found is not None and place not in self.damage:
            self.damage[place] = found
            _log.warning(
                "%s in area %d is %s: %+.1f%% since its frame %d (%.1f standard deviations, seen in frame %d)",
                name,
                area,
                window.direction,
                100 * found.change,
                found.since,
                found.significance,
                found.frame,
            )


def _always_seen(axis: Mapping[str, Any], series: Mapping[str, Any]) -> tuple[float, float]:
    """Return between which energies all frames have spectra, however the drift tube is stepped."""
    stepped = 0.0
    if axis["unit"] == "eV":
        stepped = float(series.get("energy_offset_step", 0.0)) * (int(series.get("frames", 1)) - 1)
    low, high = axis["offset"], axis["offset"] + axis["dispersion"] * axis["channels"]
    return low + max(stepped, 0.0), high + min(stepped, 0.0)


def _counts(frame: NDArray[Any], low: int, high: int) -> float:
    """Return the counts of a frame in channels from `low` to before `high`."""
    if frame.dtype.names:
        inside = (frame["channel"] >= low) & (frame["channel"] < high)
        return float(frame["count"][inside].sum())
    return max(float(frame[..., low:high].sum(dtype=np.float64)), 0.0)
