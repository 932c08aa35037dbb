"""Rasters of a specimen whose truth is known, with the best inference a raster can have."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.report._acquisition import Acquisition
from daisy_bluesky.report._outcome import GroundTruth, MapOutcome
from daisy_bluesky.report._raster_plans import (
    LINE_RETRACE,
    RasterPlan,
    equal_electrons,
    equal_time,
    flying_raster,
    full_raster,
)
from daisy_bluesky.sampling import potts_posterior, reconstruct

PRIOR_STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.5, 4.0)
BLOCK = 4096
"""Spectra held at a time: 2,048 channels of them are 32 MiB."""


class SpectrumSource(Protocol):
    """Where the spectra of a raster come from."""

    def __call__(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64], dwell: float
    ) -> NDArray[np.unsignedinteger]:
        """Return the spectra, (n, channels) counts, of pixels (n,), exposed for `dwell` seconds."""
        ...


class Classifier(Protocol):
    """Names spectra; e.g. `daisy_bluesky.classify.PhaseClassifier`."""

    def predict(self, spectra: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
        """Return labels (n,): 0 for an ill spectrum."""
        ...

    def log_likelihood(self, spectra: NDArray[np.unsignedinteger]) -> NDArray[np.float64]:
        """Return log-likelihoods, (n, phases), nats."""
        ...


@dataclass(frozen=True)
class Evidence:
    """What the spectra of a raster say, before neighbours are asked.

    Attributes
    ----------
    log_likelihood : ndarray
        (rows, columns, phases) float64 on the measured grid, nats; zero where the spectrum is ill.
    ill : ndarray
        (rows, columns) bool, called ill by the classifier.
    counts : float
        Mean counts of a spectrum.
    """

    log_likelihood: NDArray[np.float64]
    ill: NDArray[np.bool_]
    counts: float


def raster_rivals(
    spent: Acquisition,
    measure: SpectrumSource,
    classifier: Classifier,
    truth: GroundTruth,
    *,
    line_retrace: float = LINE_RETRACE,
) -> list[MapOutcome]:
    """Measure a specimen by the rasters a map has to stand beside.

    A full raster with the dwell of a visit; rasters with equal electrons and with equal time, the time between two
    exposures included; and one of equal time whose beam flies along the lines without stopping. Ill spectra are
    found by the same classifier as for the map. Labels come from the classifier's likelihood with a Potts prior.

    Parameters
    ----------
    spent : Acquisition
        What the map they stand beside has spent.
    measure : SpectrumSource
        Gives the spectra of the specimen.
    classifier : Classifier
        The classifier of the map they stand beside.
    truth : GroundTruth
        What is there. It also picks the strength of the prior: no raster can do better with this inference.
    line_retrace : float
        Time a flying beam takes between two lines, s.

    Returns
    -------
    list of MapOutcome
        Each with the prior strength that is best against the truth (`total_distortion`) and with the strength
        estimated from the data alone (`blind_distortion`).
    """
    outcomes = [run_raster(plan, measure, classifier, truth) for plan in (full_raster(spent), equal_electrons(spent))]
    timed = [run_raster(plan, measure, classifier, truth) for plan in equal_time(spent)]
    outcomes.append(min(timed, key=_distortion))
    flying = flying_raster(spent, line_retrace)
    return outcomes if flying is None else [*outcomes, run_raster(flying, measure, classifier, truth)]


def run_raster(plan: RasterPlan, measure: SpectrumSource, classifier: Classifier, truth: GroundTruth) -> MapOutcome:
    """Measure a specimen by a raster and judge the map; parameters as for `raster_rivals`."""
    evidence = gather_evidence(plan, measure, classifier)
    blind = _judge(plan, evidence, None, truth)
    aided = [_judge(plan, evidence, strength, truth) for strength in PRIOR_STRENGTHS]
    return replace(min([blind, *aided], key=_distortion), blind_distortion=blind.total_distortion)


def gather_evidence(plan: RasterPlan, measure: SpectrumSource, classifier: Classifier) -> Evidence:
    """Measure and classify the pixels of a raster, a block of rows at a time."""
    rows, columns = (axis.ravel() for axis in np.meshgrid(plan.rows, plan.columns, indexing="ij"))
    likelihoods, ill, counts = [], [], 0.0
    for first in range(0, rows.size, BLOCK):
        block = slice(first, first + BLOCK)
        spectra = measure(rows[block], columns[block], plan.dwell)
        failed = classifier.predict(spectra) == 0
        likelihoods.append(np.where(failed[:, None], 0.0, classifier.log_likelihood(spectra)))
        ill.append(failed)
        counts += float(spectra.sum(dtype=np.float64))
    grid = plan.rows.size, plan.columns.size
    log_likelihood = np.concatenate(likelihoods).reshape(*grid, -1)
    return Evidence(log_likelihood, np.concatenate(ill).reshape(grid), counts / rows.size)


def _judge(plan: RasterPlan, evidence: Evidence, strength: float | None, truth: GroundTruth) -> MapOutcome:
    labels = 1 + np.argmax(potts_posterior(evidence.log_likelihood, strength), axis=-1)
    positions = np.argwhere(np.ones(labels.shape, dtype=np.bool_))
    positions = np.column_stack([plan.rows[positions[:, 0]], plan.columns[positions[:, 1]]])
    phase_map = labels if plan.pitch == 1 else reconstruct(plan.shape, positions, labels.ravel())
    found = np.where(evidence.ill, 0, labels).ravel()
    outcome = MapOutcome(
        name=plan.name if plan.pitch == 1 else f"{plan.name} (every {_ordinal(plan.pitch)} pixel)",
        phase_map=np.asarray(phase_map, dtype=np.int64),
        sampled_fraction=plan.visits / (plan.shape[0] * plan.shape[1]),
        counts_per_spectrum=evidence.counts,
        electrons=plan.electrons,
        seconds=plan.seconds,
    )
    return truth.judge(outcome, positions, found)


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _distortion(outcome: MapOutcome) -> float:
    return float("inf") if outcome.total_distortion is None else outcome.total_distortion
