"""The frames of a stored multi-frame run, read one by one from its journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi import SeriesFrames
from daisy_bluesky.spectra import EnergyAxis
from daisy_bluesky.storage._inline import payload_value
from daisy_bluesky.storage._payload import Payload, inline_descriptor
from daisy_bluesky.storage._payload_reader import PayloadReader
from daisy_bluesky.storage._read_journal import documents_path, final_events, read_journal

IMAGE, SPECTRA = "_image", "_frame"
AXIS = {"offset": "energy_offset", "dispersion": "dispersion"}
UNITS = {"eds": "keV", "eels": "eV"}
ELECTRONS = 1e-12 / 1.602176634e-19  # in a picocoulomb
SQUARE_ANGSTROMS = 100.0  # in a square nanometre


@dataclass(frozen=True)
class PayloadOfFrame:
    """Reads a payload by the number of its frame; it can be sent to other processes that see the files.

    Attributes
    ----------
    folder : tuple of Path
        The folder of the run of each frame.
    payload : Payload
        What is in its file.
    seq_nums : tuple of int
        The event of each frame.
    """

    folders: tuple[Path, ...]
    payload: Payload
    seq_nums: tuple[int, ...]

    def __call__(self, number: int) -> NDArray[Any]:
        """Return what a frame recorded, as its device gave it."""
        reader = _reader(self.folders[number] / self.payload.file_name)
        value: NDArray[Any] = payload_value(reader, self.payload, self.seq_nums[number])
        return value


def run_frames(folder: Path | str) -> SeriesFrames:
    """Return the frames of a multi-frame run and of those it continues; it may still be written.

    Parameters
    ----------
    folder : path-like
        The run's folder, as its journal keeps it; the runs it continues lie beside it.

    Returns
    -------
    SeriesFrames

    Raises
    ------
    FileNotFoundError
        If there is no such journal.
    ValueError
        If it is damaged, or the run has no frames.
    """
    last = documents_path(folder).parent
    reading = _Reading()
    _, start = next(read_journal(last))
    for uid in (*start.get("continues", ()), last.name):
        reading.read(last.parent / uid)
    return reading.series()


class _Reading:
    """What the runs of a series say about its frames."""

    def __init__(self) -> None:
        self._start: Mapping[str, Any] = {}
        self._descriptor: Mapping[str, Any] = {}
        self._payloads: dict[str, Payload] = {}
        self._events: list[tuple[Path, Mapping[str, Any]]] = []

    def read(self, folder: Path) -> None:
        for name, document in final_events(folder):
            if name == "start":
                self._start = document
            elif name == "descriptor" and document["name"] == "primary":
                self._descriptor, self._payloads = inline_descriptor(dict(document))
            elif name == "event" and document["descriptor"] == self._descriptor.get("uid"):
                self._events.append((folder, document))

    def series(self) -> SeriesFrames:
        images = [key for key in self._payloads if key.endswith(IMAGE)]
        if not images or not self._events:
            raise ValueError(f"run {self._start.get('uid', '')} holds no frames; it is no multi-frame run")
        shape = self._payloads[images[0]].shape
        spectra = {key.removesuffix(SPECTRA): key for key in self._payloads if key.endswith(SPECTRA)}
        about = self._start.get("multiframe", {})
        eels = self._axis("eels", spectra.get("eels"))
        return SeriesFrames(
            len(self._events),
            self._of(images[0]),
            events=self._of(spectra["eds"]) if "eds" in spectra else None,
            eds_axis=self._axis("eds", spectra.get("eds")),
            spectra=self._of(spectra["eels"]) if "eels" in spectra else None,
            eels_axis=eels,
            energy_offsets=() if eels is None else self._each("eels_energy_offset"),
            areas=tuple(int(area) for area in self._each("area")),
            pixel_size=about.get("pixel_size"),
            dose_per_frame=self._dose(about.get("pixel_size"), shape),
            scan_fraction=self._scan_fraction(shape),
        )

    def _of(self, key: str) -> PayloadOfFrame:
        folders = tuple(folder for folder, _ in self._events)
        return PayloadOfFrame(folders, self._payloads[key], tuple(int(event["seq_num"]) for _, event in self._events))

    def _each(self, key: str) -> tuple[float, ...]:
        """Return a number of each frame, or nothing where not every frame has it."""
        found = [event["data"][key] for _, event in self._events if key in event["data"]]
        return tuple(float(value) for value in found) if len(found) == len(self._events) else ()

    def _axis(self, name: str, key: str | None) -> EnergyAxis | None:
        if key is None:
            return None
        offset, dispersion = f"{name}_energy_offset", f"{name}_dispersion"
        told = self._start.get("multiframe", {}).get("spectra", {}).get(key, {})
        configured = {f"{name}_{place}": told[part] for part, place in AXIS.items() if part in told}
        for configuration in self._descriptor.get("configuration", {}).values():
            configured |= configuration["data"]
        offsets = self._each(offset)
        if dispersion not in configured or not (offsets or offset in configured):
            raise ValueError(f"run {self._start.get('uid', '')}: its {name} detector does not say its energy axis")
        first = offsets[0] if offsets else float(configured[offset])
        return EnergyAxis(first, float(configured[dispersion]), self._payloads[key].shape[-1], UNITS[name])

    def _dose(self, pixel_size: float | None, shape: tuple[int, ...]) -> float | None:
        charges = self._each("frame_charge")
        if not charges or not pixel_size:
            return None
        return float(np.mean(charges)) * ELECTRONS / (shape[0] * shape[1] * pixel_size**2 * SQUARE_ANGSTROMS)

    def _scan_fraction(self, shape: tuple[int, ...]) -> float:
        times, dwells = self._each("frame_time"), self._each("frame_dwell_time")
        if len(times) < 2 or not dwells:
            return 1.0
        between = float(np.median(np.diff(times)))
        return float(np.clip(dwells[0] * shape[0] * shape[1] / between, 1e-3, 1.0)) if between > 0 else 1.0


@lru_cache(maxsize=16)
def _reader(path: Path) -> PayloadReader:
    return PayloadReader(path)
