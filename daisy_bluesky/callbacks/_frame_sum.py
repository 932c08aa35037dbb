"""Registers and sums the frames of a series while they arrive."""

import logging
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from event_model import DocumentRouter
from event_model.documents import Event, EventDescriptor, RunStart
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.callbacks._area_sum import AreaSum
from daisy_bluesky.callbacks._energy_alignment import EnergyAlignment
from daisy_bluesky.callbacks._registered_frame import RegisteredFrame
from daisy_bluesky.mfsi import EelsSum, Registration, SpectrumSum
from daisy_bluesky.spectra import EnergyAxis

_log = logging.getLogger(__name__)
MEMORY_LIMIT = 4 * 2**30


class FrameSum(DocumentRouter):
    """Takes the documents of a series of frames, and can be looked at after every frame.

    Each frame is registered against the mean of those before it, its spectra are moved to where they belong and added;
    nothing else of it is kept. Frames that cannot be used (blank, saturated, not finite, of something else) are left
    out and reported. Live, from the journal and from tiled the same documents give the same sums.

    Parameters
    ----------
    upsample : int
        Output pixels per pixel, 1 to 8.
    spectra : bool
        Whether to sum spectra, too.
    merge_areas : bool
        Whether all areas show the same, as those of one crystal do, and are summed together.
    energy_window : tuple of float, optional
        Range of the EELS spectra with the zero-loss peak, or an edge and some channels around it, eV, by which
        the energies of frames are aligned; by the drift tube alone when not given.
    memory_limit : int
        Most bytes that the spectra may take.

    Attributes
    ----------
    upsample : int
        Output pixels per pixel.
    frames : list of int
        Numbers of the frames in the sums.
    excluded : dict of int to str
        Frames that were left out, with the reason.
    latest : RegisteredFrame or None
        Where the latest frame lies.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods (frames corrected in series into a running sum).
    """

    def __init__(
        self,
        *,
        upsample: int = 1,
        spectra: bool = True,
        merge_areas: bool = False,
        energy_window: tuple[float, float] | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        super().__init__()
        self.upsample = upsample
        self._wanted, self._merged = spectra, merge_areas
        self._window, self._limit = energy_window, memory_limit
        self._lineage: set[str] = set()
        self._forget({})

    def start(self, doc: RunStart) -> None:
        """Begin a series, or go on with it.

        Raises
        ------
        MemoryError
            If the sums would take more than the limit; nothing is allocated then.
        """
        told = cast(Mapping[str, Any], doc)
        self._streams: dict[str, str] = {}
        self._image_key = ""
        if "multiframe" not in told:
            self._settings: Mapping[str, Any] = {}
            return
        if not self._lineage & set(told.get("continues", [])):
            self._forget(told["multiframe"])
            self._lineage = set()
        self._settings = told["multiframe"]
        self._lineage.add(told["uid"])
        if not self._areas:
            self._check_memory(self._area(0))

    def descriptor(self, doc: EventDescriptor) -> None:
        """Note which stream is which, and which image frames are registered by."""
        self._streams[doc["uid"]] = doc.get("name", "")
        if doc.get("name") == "primary":
            images = [key for key, one in doc["data_keys"].items() if _is_image(key, one)]
            self._image_key = images[0] if images else ""

    def event(self, doc: Event) -> Event:
        """Take a frame in; one that is emitted again is the same."""
        if self._settings and self._image_key and self._streams[doc["descriptor"]] == "primary":
            data = doc["data"]
            number, area = int(data["frame_number"]), int(data["area"])
            if number not in self._seen:
                self._seen.add(number)
                self._add(number, area, data)
        return doc

    @property
    def spectra_wanted(self) -> bool:
        """Whether spectra are summed, too."""
        return self._wanted

    @property
    def areas(self) -> list[int]:
        """Areas that have frames; 0 alone where they are summed together."""
        return sorted(self._areas)

    @property
    def registered(self) -> list[RegisteredFrame]:
        """Where the frames lie, those left out among them, by area and as they came."""
        return [frame for area in self.areas for frame in self._areas[area].registered.frames]

    def image(self, area: int = 0) -> NDArray[np.float64]:
        """Return the mean of an area's images, (rows, columns) float64 of output pixels; NaN where no frame looked.

        Raises
        ------
        ValueError
            If the area has no frames.
        """
        return self._known(area).image.image()

    def registration(self, area: int = 0) -> Registration:
        """Return where the frames of an area lie, by their numbers in the series.

        Raises
        ------
        ValueError
            If fewer than two of them could be used.
        """
        return self._known(area).registered.registration()

    def spectra(self, area: int = 0, key: str | None = None) -> SpectrumSum | EelsSum:
        """Return the sum of an area's spectra, to make maps from; of the first detector that has any by default.

        Raises
        ------
        ValueError
            If there is no such sum.
        """
        sums = self._known(area).spectra
        if not sums or (key is not None and key not in sums):
            raise ValueError(f"spectra: {key or 'none'} were summed; there are {', '.join(sums) or 'none'}")
        return sums[next(iter(sums)) if key is None else key]

    def axis(self, key: str | None = None) -> EnergyAxis:
        """Return the energy axis of summed spectra; raises as `spectra` does."""
        if self._axes and key is None:
            return next(iter(self._axes.values()))
        if key not in self._axes:
            raise ValueError(f"axis: {key or 'none'} were summed; there are {', '.join(self._axes) or 'none'}")
        return self._axes[key]

    def maps(
        self, windows: ArrayLike, area: int = 0, key: str | None = None
    ) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the counts within windows of energy.

        Parameters
        ----------
        windows : array_like, (n, 2)
            Lowest and highest energy of each, in the unit of the axis.
        area : int
            The area.
        key : str, optional
            Data key of the spectra; those of the first detector that has any when not given.

        Returns
        -------
        (n, rows, columns) int64, float64 for EELS
            Counts, background included; divide by ``spectra().exposure`` for display only.

        Raises
        ------
        ValueError
            If there is no such sum, or a window is empty or reaches outside of the spectrum.
        """
        axis = self.axis(key)
        channels = np.rint((np.asarray(windows, np.float64) - axis.offset) / axis.dispersion).astype(np.int64)
        return self.spectra(area, key).maps(channels)

    def result(self) -> dict[str, Any]:
        """Return what a run stores at its end, by data key; nothing where no frame could be summed.

        ``image`` and ``image_exposure`` are (areas, rows, columns) float32, ``frames_used`` (areas,), of ``areas``.
        """
        areas = [self._areas[area] for area in self.areas if self._areas[area].registered.used]
        if not areas:
            return {}
        return {
            "image": np.array([one.image.image() for one in areas], np.float32),
            "image_exposure": np.array([one.image.exposure for one in areas], np.float32),
            "frames_used": np.array([one.registered.used for one in areas]),
            "areas": np.array([area for area in self.areas if self._areas[area].registered.used]),
        }

    def _forget(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._areas: dict[int, AreaSum] = {}
        self._axes: dict[str, EnergyAxis] = {
            key: EnergyAxis(fixed["offset"], fixed["dispersion"], int(fixed["channels"]), fixed["unit"])
            for key, fixed in (settings.get("spectra", {}) if self._wanted else {}).items()
        }
        self._seen: set[int] = set()
        self.frames: list[int] = []
        self.excluded: dict[int, str] = {}
        self.latest: RegisteredFrame | None = None

    def _add(self, number: int, area: int, data: Mapping[str, Any]) -> None:
        found = self._area(area).add(number, area, np.asarray(data[self._image_key]), data)
        self.latest = found
        if found.excluded:
            self.excluded[number] = found.excluded
            _log.warning("frame %d is left out: %s", number, found.excluded)
        else:
            self.frames.append(number)

    def _area(self, area: int) -> AreaSum:
        place = 0 if self._merged else area
        if place not in self._areas:
            rows, columns = self._settings["shape"]
            doses = self._settings["doses"]
            sums = {key: self._empty_sum((int(rows), int(columns)), axis) for key, axis in self._axes.items()}
            energies = {key: EnergyAlignment(axis, self._window) for key, axis in self._axes.items()}
            fraction = float(doses["frame_time"] / doses["frame_duration"])
            self._areas[place] = AreaSum((int(rows), int(columns)), sums, energies, self.upsample, fraction)
        return self._areas[place]

    def _empty_sum(self, shape: tuple[int, int], axis: EnergyAxis) -> SpectrumSum | EelsSum:
        kind = SpectrumSum if axis.unit == "keV" else EelsSum
        return kind(shape, axis.channels, upsample=self.upsample, memory_limit=self._limit)

    def _check_memory(self, first: AreaSum) -> None:
        areas = 1 if self._merged else len(self._settings["areas"])
        total = areas * sum(each.nbytes for each in first.spectra.values())
        if total > self._limit:
            self._areas.clear()
            raise MemoryError(
                f"memory_limit: the spectra of {areas} areas would take {total / 2**30:.1f} GiB, over the limit of "
                f"{self._limit / 2**30:.1f}; sum with spectra=False or merge_areas=True"
            )

    def _known(self, area: int) -> AreaSum:
        if area not in self._areas:
            raise ValueError(f"area: there is no area {area} with frames, only {self.areas}")
        return self._areas[area]


def _is_image(key: str, described: Mapping[str, Any]) -> bool:
    return key.endswith("_image") and len(described["shape"]) == 2
