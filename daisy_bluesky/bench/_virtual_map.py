"""A virtual specimen of four phases: the map, the rasters it has to stand beside, and what a decision costs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._offline import OfflineMap, map_offline
from daisy_bluesky.bench._trained import COUNTS, virtual_classifier
from daisy_bluesky.classify import PhaseClassifier, SpectrumLabeller
from daisy_bluesky.protocols import Exposure
from daisy_bluesky.report import Acquisition, GroundTruth, equal_electrons, equal_time, flying_raster, run_raster
from daisy_bluesky.sampling import Slads
from daisy_bluesky.specimen import VirtualSpecimen

SHAPE = (256, 256)
FRACTION = 0.2
CURRENT = 100.0
OVERHEAD = 0.005
SEEDS = range(5)
WANTED_DISTORTION = 0.006
WANTED_DECISION = 1e-3


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - the virtual specimen needs no data
    """Measure total distortion and small objects found, beside rasters; and the CPU time of a decision."""
    return compare(SHAPE, SEEDS)


def compare(shape: tuple[int, int], seeds: range) -> Iterator[Gate]:
    """Map specimens of a shape, (rows, columns) pixels, one for each seed."""
    classifier = virtual_classifier()
    runs = [_run(shape, seed, classifier) for seed in seeds]
    figures = [figures for figures, _ in runs]
    decisions = np.concatenate([decisions for _, decisions in runs])
    median = {key: float(np.median([run[key] for run in figures])) for key in figures[0]}
    yield Gate(
        f"virtual, 4 phases, {shape[0]} x {shape[1]}, {FRACTION:.0%} of the pixels at {COUNTS:g} counts, "
        f"median of seeds {seeds[0]}-{seeds[-1]}: total distortion",
        f"{median['adaptive']:.5f} ({', '.join(format(run['adaptive'], '.5f') for run in figures)})",
        f"<= {WANTED_DISTORTION}",
        median["adaptive"] <= WANTED_DISTORTION,
        f"with the spatial prior, {OVERHEAD * 1e3:g} ms overhead a visit: "
        + ", ".join(f"{name} {median[name]:.5f}" for name in ("equal electrons", "equal time", "flying, equal time"))
        + "; small objects found: "
        + ", ".join(f"{key.removesuffix(' small')} {median[key]:.0%}" for key in median if key.endswith(" small"))
        + f"; misclassified spectra {median['misclassified']:.5f}",
        median,
    )
    yield Gate(
        f"decision (classify + ingest + suggest), {shape[0]} x {shape[1]} x {classifier.channels}, "
        f"CPU time, {decisions.size} decisions: median",
        f"{np.median(decisions) * 1e3:.2f} ms",
        f"<= {WANTED_DECISION * 1e3:g} ms",
        bool(np.median(decisions) <= WANTED_DECISION),
        f"mean {decisions.mean() * 1e3:.2f} ms, 99% below {np.quantile(decisions, 0.99) * 1e3:.2f} ms",
        {"median": float(np.median(decisions)), "mean": float(decisions.mean())},
    )


def _run(
    shape: tuple[int, int], seed: int, classifier: PhaseClassifier
) -> tuple[dict[str, float], NDArray[np.float64]]:
    specimen = VirtualSpecimen.demo(shape, seed=seed)
    truth = GroundTruth(specimen.labels, specimen.ill)
    spent = Acquisition(
        shape, round(FRACTION * specimen.labels.size), specimen.eds_dwell(COUNTS, CURRENT), CURRENT, OVERHEAD
    )
    adaptive = _map(specimen, spent, Slads(shape, phases=len(specimen.phases), seed=seed), classifier)
    found, total = truth.small_objects(adaptive.phase_map)
    figures = {
        "adaptive": truth.total_distortion(adaptive.phase_map),
        "misclassified": truth.misclassified(adaptive.positions, adaptive.labels),
        "adaptive small": found / max(total, 1),
    }
    return figures | _rasters(specimen, spent, classifier, truth), adaptive.decisions


def _map(specimen: VirtualSpecimen, spent: Acquisition, policy: Slads, classifier: PhaseClassifier) -> OfflineMap:
    def spectrum(row: int, column: int, visit: int) -> NDArray[np.generic]:
        exposure = Exposure(visit, row, column, start=0.0, dwell=spent.dwell, current=spent.current, visit=0)
        counted: NDArray[np.generic] = specimen.eds(exposure)["spectrum"]
        return counted

    return map_offline(policy, SpectrumLabeller(classifier, classifier.channels), spectrum, spent.visits)


def _rasters(
    specimen: VirtualSpecimen, spent: Acquisition, classifier: PhaseClassifier, truth: GroundTruth
) -> dict[str, float]:
    def spectra(rows: NDArray[np.int64], columns: NDArray[np.int64], dwell: float) -> NDArray[np.unsignedinteger]:
        return specimen.eds_bulk(rows, columns, dwell=dwell, current=spent.current, visit=1)

    flying = flying_raster(spent)
    rivals = {
        "equal electrons": [equal_electrons(spent)],
        "equal time": equal_time(spent),
        "flying, equal time": [] if flying is None else [flying],
    }
    figures: dict[str, float] = {}
    for name, plans in rivals.items():
        outcomes = [run_raster(plan, spectra, classifier, truth) for plan in plans]
        best = min(outcomes, key=lambda outcome: outcome.total_distortion or 0.0)
        found, total = best.small_objects or (0, 0)
        figures |= {name: best.total_distortion or 0.0, f"{name} small": found / max(total, 1)}
    return figures
