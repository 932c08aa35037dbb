"""Ill spectra of the virtual detector: how many are caught, and how many a total-count threshold catches."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._trained import virtual_classifier
from daisy_bluesky.specimen import ILL_KINDS, VirtualSpecimen

SEED = 0
SPECTRA = 2000
FALSE_ALARMS = 0.01


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - the virtual detector needs no data
    """Measure the detection rate at 1% false alarms, at 100 and at 1,000 counts."""
    specimen = VirtualSpecimen.demo((64, 64), seed=SEED)
    classifier = virtual_classifier()
    for counts in (100.0, 1000.0):
        good, _ = specimen.training_spectra(SPECTRA // len(specimen.phases), counts, SEED + 1)
        by_kind = {kind: specimen.ill_spectra(SPECTRA // len(ILL_KINDS), counts, SEED + 1, kind) for kind in ILL_KINDS}
        ill = np.concatenate(list(by_kind.values()))
        caught = float(np.mean(classifier.predict(ill) == 0))
        alarms = float(np.mean(classifier.predict(good) == 0))
        regression = float(np.mean(classifier.detector.detect(ill)))
        threshold = _total_count_detection(good.sum(axis=1), ill.sum(axis=1))
        kinds = ", ".join(f"{kind} {np.mean(classifier.predict(some) == 0):.2f}" for kind, some in by_kind.items())
        yield Gate(
            f"ill spectra at {counts:g} counts, {FALSE_ALARMS:.0%} false alarms (seed {SEED}): detection rate",
            f"{caught:.3f} ({alarms:.3%} false alarms)",
            "above a total-count threshold",
            caught > threshold,
            f"total-count threshold {threshold:.3f}; neural regression alone {regression:.3f}; {kinds}",
            {"detected": caught, "false_alarms": alarms, "total_count_threshold": threshold, "regression": regression},
        )


def _total_count_detection(good: NDArray[np.integer], ill: NDArray[np.integer]) -> float:
    low, high = np.quantile(good, [FALSE_ALARMS / 2, 1 - FALSE_ALARMS / 2])
    return float(np.mean((ill < low) | (ill > high)))
