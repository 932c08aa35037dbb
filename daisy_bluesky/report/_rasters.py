"""Rasters of a specimen whose truth is known, with the best inference a raster can have."""

from dataclasses import dataclass, replace
from itertools import product
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

PRIOR_STRENGTHS = (1.0, 0.5, 1.5, 0.0, 2.5, 4.0)
"""Tried on rasters of known truth, the likeliest first, nats per neighbour."""
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
    plan : RasterPlan
        The raster.
    log_likelihood : ndarray
        (rows, columns, phases) float64 on the measured grid, nats.
    ill : ndarray
        (rows, columns) bool, called ill by the classifier.
    counts : float
        Mean counts of a spectrum.
    """

    plan: RasterPlan
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
    exposures included; and one of equal time whose beam flies along the lines without stopping. Labels come from the
    classifier's likelihood with a Potts prior. Spectra that the classifier calls ill, as it does for the map, say
    nothing about their pixel.

    Parameters
    ----------
    spent : Acquisition
        What the map they stand beside has spent.
    measure : SpectrumSource
        Gives the spectra of the specimen.
    classifier : Classifier
        The classifier of the map they stand beside.
    truth : GroundTruth
        What is there. It also picks the strength of the prior, and whether spectra called ill are better believed
        after all, as at few counts they are: no raster can do better with this inference.
    line_retrace : float
        Time a flying beam takes between two lines, s.

    Returns
    -------
    list of MapOutcome
        Each as good as the truth can make it (`total_distortion`), and beside it what it reaches with the prior
        strength that the data tell (`blind_distortion`).
    """
    outcomes = [run_raster(plan, measure, classifier, truth) for plan in (full_raster(spent), equal_electrons(spent))]
    timed = [run_raster(plan, measure, classifier, truth) for plan in equal_time(spent)]
    outcomes.append(min(timed, key=_distortion))
    flying = flying_raster(spent, line_retrace)
    return outcomes if flying is None else [*outcomes, run_raster(flying, measure, classifier, truth)]


def run_raster(plan: RasterPlan, measure: SpectrumSource, classifier: Classifier, truth: GroundTruth) -> MapOutcome:
    """Measure a specimen by a raster and judge the map; parameters as for `raster_rivals`."""
    evidence = gather_evidence(plan, measure, classifier)
    blind = _judge(evidence, None, truth, heed_ill=True)
    return replace(min(blind, best_outcome(evidence, truth), key=_distortion), blind_distortion=blind.total_distortion)


def best_outcome(evidence: Evidence, truth: GroundTruth) -> MapOutcome:
    """Return the outcome of a raster with the inference that is best against the truth."""
    outcomes: list[MapOutcome] = []
    for strength, heed in product(PRIOR_STRENGTHS, (True, False)):
        outcomes.append(_judge(evidence, strength, truth, heed_ill=heed))
        if outcomes[-1].total_distortion == 0:
            break
    return min(outcomes, key=_distortion)


def gather_evidence(plan: RasterPlan, measure: SpectrumSource, classifier: Classifier) -> Evidence:
    """Measure and classify the pixels of a raster, a block of rows at a time."""
    rows, columns = (axis.ravel() for axis in np.meshgrid(plan.rows, plan.columns, indexing="ij"))
    likelihoods, ill, counts = [], [], 0.0
    for first in range(0, rows.size, BLOCK):
        block = slice(first, first + BLOCK)
        spectra = measure(rows[block], columns[block], plan.dwell)
        likelihoods.append(classifier.log_likelihood(spectra))
        ill.append(classifier.predict(spectra) == 0)
        counts += float(spectra.sum(dtype=np.float64))
    grid = plan.rows.size, plan.columns.size
    log_likelihood = np.concatenate(likelihoods).reshape(*grid, -1)
    return Evidence(plan, log_likelihood, np.concatenate(ill).reshape(grid), counts / rows.size)


def _judge(evidence: Evidence, strength: float | None, truth: GroundTruth, *, heed_ill: bool) -> MapOutcome:
    plan, silent = evidence.plan, evidence.ill & heed_ill
    likelihood = np.where(silent[..., None], 0.0, evidence.log_likelihood)
    labels = 1 + np.argmax(potts_posterior(likelihood, strength), axis=-1)
    positions = np.argwhere(np.ones(labels.shape, dtype=np.bool_))
    positions = np.column_stack([plan.rows[positions[:, 0]], plan.columns[positions[:, 1]]])
    phase_map = labels if plan.pitch == 1 else reconstruct(plan.shape, positions, labels.ravel())
    found = np.where(silent, 0, labels).ravel()
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
