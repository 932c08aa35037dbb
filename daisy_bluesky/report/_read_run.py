"""Reads a run once and keeps what a report needs."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from event_model import unpack_event_page
from numpy.typing import NDArray

from daisy_bluesky.report._phase_spectra import MeasuredSpectra
from daisy_bluesky.report._run import Document, RunSummary, documents_of
from daisy_bluesky.sampling import reconstruct
from daisy_bluesky.spectra import EnergyAxis

POSITION = ("probe_row", "probe_column")
UNKNOWN = -1


def read_run(run: Iterable[Document] | Any) -> RunSummary:
    """Gather what a report needs from the documents of a run.

    Parameters
    ----------
    run : iterable of (name, document), or an object with a method ``documents`` that returns one
        Payloads inline, read once. The runs that a run continues may be put before it, oldest first.

    Returns
    -------
    RunSummary

    Raises
    ------
    ValueError
        The documents hold no map: no start, no shape, or no event with a probe position.

    Notes
    -----
    Only the filled channels of each spectrum are held, because an early spectrum may get its label late. Where a run
    thought again about earlier spectra, those that are not ill take the labels that the final map has at their pixels.
    """
    reader = _RunReader()
    for name, document in documents_of(run):
        reader.take(name, document)
    return reader.summary()


class _RunReader:
    def __init__(self) -> None:
        self._start: Mapping[str, Any] = {}
        self._stop: Mapping[str, Any] = {}
        self._streams: dict[str, Mapping[str, Any]] = {}
        self._spectra = MeasuredSpectra()
        self._pixels: dict[int, tuple[int, int]] = {}
        self._haadf: dict[int, float] = {}
        self._beam: dict[int, tuple[float, float, float]] = {}
        self._relabelled = 0
        self._found: dict[int, int] = {}
        self._latencies: dict[int, float] = {}
        self._models: dict[str, bytes] = {}
        self._map: NDArray[np.int64] | None = None
        self._axis: EnergyAxis | None = None
        self._final_labels: NDArray[np.int64] = np.array([], dtype=np.int64)
        self._offset = 0
        self._seconds = 0.0
        self._dense_bytes = 0

    def take(self, name: str, document: Mapping[str, Any]) -> None:
        if name == "start":
            self._begin(document)
        elif name == "stop":
            self._stop = document
        elif name == "descriptor":
            self._describe(document)
        elif name == "event":
            self._event(document)
        elif name == "event_page":
            for event in unpack_event_page(document):  # type: ignore[arg-type]
                self._event(event)

    def _begin(self, start: Mapping[str, Any]) -> None:
        self._seconds = self._elapsed()
        self._offset = max(self._pixels, default=0)
        self._start, self._stop = start, {}

    def _describe(self, descriptor: Mapping[str, Any]) -> None:
        self._streams[descriptor["uid"]] = descriptor
        key = self._spectrum_key(descriptor["data_keys"])
        for configuration in descriptor.get("configuration", {}).values():
            axis = _energy_axis(configuration["data"], descriptor["data_keys"], key)
            self._axis = axis or self._axis

    def _event(self, event: Mapping[str, Any]) -> None:
        stream = self._streams[event["descriptor"]]
        data = event["data"]
        if stream["name"] == "primary":
            self._visit(self._offset + int(event["seq_num"]), data, stream["data_keys"])
        elif stream["name"] == "decisions":
            visit = int(data["visit"])
            self._found[visit] = int(data["found"])
            self._relabelled += int(data["relabelled"])
            self._latencies[visit] = float(data["latency"])
        elif stream["name"] == "models":
            self._models = {key: np.asarray(data[key], dtype=np.uint8).tobytes() for key in data}
        elif stream["name"] == "result" and "phase_map" in data:
            self._map = np.asarray(data["phase_map"], dtype=np.int64)
            self._final_labels = np.asarray(data.get("visit_labels", ()), dtype=np.int64)

    def _visit(self, visit: int, data: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        row, column = self._start.get("recommender", {}).get("position", POSITION)
        if row not in data or column not in data:
            raise ValueError(f"run {self._start['uid']}: its events carry no {row}, {column}; it is no map")
        self._pixels[visit] = round(data[row]), round(data[column])
        self._haadf[visit] = float(next((data[key] for key in data if key.endswith("_intensity")), np.nan))
        if "beam_charge" in data:
            account = data["beam_charge"], data["beam_time"], data["beam_dwell_time"]
            self._beam[visit] = float(account[0]), float(account[1]), float(account[2])
        spectrum = self._spectrum_key(keys)
        if spectrum in data:
            self._spectra.add(visit, data[spectrum])
            itemsize = np.dtype(keys[spectrum].get("dtype_numpy") or np.uint32).itemsize
            self._dense_bytes = len(self._pixels) * self._spectra.channels * itemsize

    def _spectrum_key(self, keys: Mapping[str, Any]) -> str:
        named = self._start.get("recommender", {}).get("spectrum")
        return str(named or next((key for key in keys if key.endswith("_spectrum")), ""))

    def _elapsed(self) -> float:
        account = [self._beam[visit] for visit in self._pixels if visit > self._offset and visit in self._beam]
        if not account:
            return self._seconds
        return self._seconds + max(began + dwell for _, began, dwell in account) - min(a[1] for a in account)

    def summary(self) -> RunSummary:
        visits = sorted(self._pixels)
        if not visits:
            raise ValueError(f"run {self._start.get('uid', '')}: it holds no event with a probe position")
        positions = np.array([self._pixels[visit] for visit in visits], dtype=np.int64)
        shape = self._shape(positions)
        labels, phase_map = self._final(visits, positions, shape)
        phases = max(int(labels.max()), 0 if phase_map is None else int(phase_map.max()))
        return RunSummary(
            start=self._start,
            stop=self._stop,
            shape=shape,
            positions=positions,
            haadf=np.array([self._haadf[visit] for visit in visits]),
            labels=labels,
            counts=self._spectra.totals(visits),
            mean_spectra=self._spectra.means(visits, labels, max(phases, 0)),
            phase_map=phase_map,
            charge=sum(charge for charge, _, _ in self._beam.values()),
            exposed=sum(dwell for _, _, dwell in self._beam.values()),
            seconds=self._elapsed(),
            latencies=np.array([self._latencies[visit] for visit in sorted(self._latencies)]),
            models=self._models,
            energy_axis=self._axis,
            dense_bytes=self._dense_bytes,
        )

    def _shape(self, positions: NDArray[np.int64]) -> tuple[int, int]:
        rows, columns = self._start.get("shape", positions.max(axis=0) + 1)
        return int(rows), int(columns)

    def _final(
        self, visits: list[int], positions: NDArray[np.int64], shape: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        labels = np.array([self._found.get(visit, UNKNOWN) for visit in visits], dtype=np.int64)
        phase_map = self._map
        if phase_map is None and np.any(labels > 0):
            phase_map = np.asarray(reconstruct(shape, positions, labels), dtype=np.int64)
        if self._final_labels.size >= labels.size:  # those of the runs it continues stand before its own
            labels = self._final_labels[-labels.size :]
        elif phase_map is not None and self._relabelled:
            labels = np.where(labels == 0, 0, phase_map[tuple(positions.T)])
        return labels, phase_map


def _energy_axis(configuration: Mapping[str, Any], data_keys: Mapping[str, Any], spectrum: str) -> EnergyAxis | None:
    detector = spectrum.removesuffix("_spectrum")
    offset, dispersion = f"{detector}_energy_offset", f"{detector}_dispersion"
    if not spectrum or offset not in configuration or dispersion not in configuration:
        return None
    channels = int(data_keys[spectrum]["shape"][0])
    return EnergyAxis(float(configuration[offset]), float(configuration[dispersion]), channels)
