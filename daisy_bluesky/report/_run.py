"""What a run measured, found and cost, from its documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.report._acquisition import ELECTRONS_PER_PICOCOULOMB, Acquisition
from daisy_bluesky.report._outcome import GroundTruth, MapOutcome
from daisy_bluesky.spectra import EnergyAxis

Document = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class RunSummary:
    """What is left of a run when its spectra are taken together.

    Attributes
    ----------
    start, stop : mapping
        The run's start and stop documents; `stop` is empty where the run was cut short.
    shape : tuple of int
        (rows, columns) of the map, pixels.
    positions : ndarray
        (visits, 2) int64, row and column of every visit, pixels.
    haadf : ndarray
        (visits,) float64, HAADF intensity; NaN where none was measured.
    labels : ndarray
        (visits,) int64, final labels: 0 ill, 1..L, -1 unknown; all -1 where nobody classified.
    counts : ndarray
        (visits,) float64, counts of every spectrum; NaN where none was measured.
    mean_spectra : ndarray
        (phases, channels) float64, counts, mean over the visits with each label.
    phase_map : ndarray or None
        (rows, columns) int64, the map stored with the run.
    charge : float
        Charge through the specimen, pC.
    exposed : float
        Time of all exposures, s.
    seconds : float
        Clock time from the first exposure to the end of the last, s.
    latencies : ndarray
        (decisions,) float64, time from an event to the decision it led to, s.
    models : mapping of str to bytes
        The serialised models the run stored.
    energy_axis : EnergyAxis or None
        Of the spectra, keV.
    dense_bytes : int
        What all spectra take as one dense array.
    """

    start: Mapping[str, Any]
    stop: Mapping[str, Any]
    shape: tuple[int, int]
    positions: NDArray[np.int64]
    haadf: NDArray[np.float64]
    labels: NDArray[np.int64]
    counts: NDArray[np.float64]
    mean_spectra: NDArray[np.float64]
    phase_map: NDArray[np.int64] | None
    charge: float
    exposed: float
    seconds: float
    latencies: NDArray[np.float64]
    models: Mapping[str, bytes]
    energy_axis: EnergyAxis | None
    dense_bytes: int

    @property
    def visits(self) -> int:
        """Number of visits."""
        return len(self.positions)

    @property
    def sampled(self) -> NDArray[np.bool_]:
        """Measured pixels, (rows, columns) bool."""
        mask = np.zeros(self.shape, dtype=np.bool_)
        mask[tuple(self.positions.T)] = True
        return mask

    @property
    def sampled_fraction(self) -> float:
        """Measured pixels as a fraction of all."""
        return float(self.sampled.mean())

    @property
    def counts_per_spectrum(self) -> float:
        """Mean counts of a measured spectrum; NaN where none was measured."""
        measured = self.counts[np.isfinite(self.counts)]
        return float(measured.mean()) if measured.size else float("nan")

    @property
    def electrons(self) -> float:
        """Electrons sent through the specimen."""
        return self.charge * ELECTRONS_PER_PICOCOULOMB

    @property
    def events_per_second(self) -> float:
        """Visits per second of wall time between start and stop; NaN where the run was cut short."""
        elapsed = float(self.stop["time"] - self.start["time"]) if self.stop else float("nan")
        return self.visits / elapsed if elapsed > 0 else float("nan")

    def latency(self, quantile: float) -> float:
        """Return a quantile of the decision latency, s; NaN for a run without decisions."""
        return float(np.quantile(self.latencies, quantile)) if self.latencies.size else float("nan")

    def outcome(self, name: str, truth: GroundTruth | None = None) -> MapOutcome:
        """Return the map of the run and its price, judged where the truth is known.

        Raises
        ------
        ValueError
            The run has no map: no spectrum was given a phase.
        """
        if self.phase_map is None or not np.any(self.phase_map > 0):
            raise ValueError(f"run {self.start['uid']}: no phase was found; measure longer or more pixels")
        outcome = MapOutcome(
            name=name,
            phase_map=self.phase_map,
            sampled_fraction=self.sampled_fraction,
            counts_per_spectrum=self.counts_per_spectrum,
            electrons=self.electrons,
            seconds=self.seconds,
        )
        return outcome if truth is None else truth.judge(outcome, self.positions, self.labels)

    def acquisition(self) -> Acquisition:
        """Return what the run spent, as one visit after another.

        Raises
        ------
        ValueError
            The events carry no account of the beam.
        """
        if not self.exposed > 0:
            raise ValueError(f"run {self.start['uid']}: its events carry no beam account; read the beam with them")
        between = max(0.0, self.seconds - self.exposed) / max(1, self.visits - 1)
        dwell = self.exposed / self.visits
        return Acquisition(self.shape, self.visits, dwell, self.charge / self.exposed, between)


def documents_of(run: Any) -> Iterable[Document]:
    """Return the documents of a run that has a method ``documents``, or of an iterable of them as it is."""
    documents: Iterable[Document] = run.documents() if hasattr(run, "documents") else run
    return documents
