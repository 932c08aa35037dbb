"""Real micrographs and real spectra: a two-phase dendrite of which every pixel's truth is known."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._offline import OfflineMap, map_offline
from daisy_bluesky.classify import PhaseClassifier, SpectrumLabeller
from daisy_bluesky.report import GroundTruth
from daisy_bluesky.sampling import Slads, SladsModel, patterns, potts_posterior, reconstruct, train

OBJECT = "PbSn/dendrite2_test_128"
TRAINING_MAPS = ("dendrite2_train2_128", "dendrite2_train3_128")
FRACTION = 0.15
TRAINING = 24
COUNTS = 7500.0
SEEDS = range(5)
WANTED_DISTORTION = 0.009
WANTED_ERRORS = 0.0005
STATIC = ("raster", "jittered", "sobol", "random")
STRENGTHS = (None, 0.0, 0.5, 1.0, 2.0)


def measure(data: Path) -> Iterator[Gate]:
    """Measure total distortion and misclassified spectra, beside static patterns and the raster of equal electrons."""
    what = f"{OBJECT}, {FRACTION:.0%} of the pixels at {COUNTS:g} counts, median of seeds {SEEDS[0]}-{SEEDS[-1]}"
    if not (data / "objects.py").is_file():
        yield Gate(what, f"skipped: no measurements in {data}")
        return
    load = load_objects(data).load
    model = train(_training_maps(data), seed=SEEDS[0])
    classifier = _train_classifier(load(OBJECT))
    rows = [_compare(load(OBJECT, seed=seed), model, classifier, seed) for seed in SEEDS]
    median = {key: float(np.median([row[key] for row in rows])) for key in rows[0]}
    static = min(median[name] for name in STATIC)
    beside = ", ".join(f"{name} {median[name]:.4f}" for name in STATIC)
    yield Gate(
        f"{what}: total distortion",
        f"{median['adaptive']:.4f} ({', '.join(format(row['adaptive'], '.4f') for row in rows)})",
        f"<= {WANTED_DISTORTION}, below all static patterns",
        median["adaptive"] <= WANTED_DISTORTION and median["adaptive"] < static,
        f"equal points: {beside}; raster of equal electrons {median['equal_electrons']:.5f}",
        median,
    )
    yield Gate(
        f"{what}: misclassified spectra",
        f"{median['misclassified']:.5f}",
        f"<= {WANTED_ERRORS}",
        median["misclassified"] <= WANTED_ERRORS,
        f"good spectra set aside as ill: {median['false_alarms']:.4f}",
        {"misclassified": median["misclassified"], "false_alarms": median["false_alarms"]},
    )


def _train_classifier(sample: Any) -> PhaseClassifier:
    spectra, labels = sample.training_set(TRAINING, counts=COUNTS)
    return PhaseClassifier.fit(spectra[labels > 0], labels[labels > 0], seed=SEEDS[0])


def _compare(sample: Any, model: SladsModel, classifier: PhaseClassifier, seed: int) -> dict[str, float]:
    truth = GroundTruth(sample.labels, sample.ill)
    visits = round(FRACTION * sample.labels.size)
    adaptive = _map(sample, Slads(sample.labels.shape, phases=2, model=model, seed=seed), classifier, visits)
    figures = {
        "adaptive": truth.total_distortion(adaptive.phase_map),
        "misclassified": truth.misclassified(adaptive.positions, adaptive.labels),
        "false_alarms": truth.false_alarms(adaptive.positions, adaptive.labels),
        "equal_electrons": _equal_electrons(sample, classifier, truth),
    }
    for name in STATIC:
        positions = getattr(patterns, name)(sample.labels.shape, FRACTION, seed=seed)
        found = classifier.predict(np.array([sample.spectrum(r, c, COUNTS) for r, c in positions]))
        figures[name] = truth.total_distortion(reconstruct(sample.labels.shape, positions, found))
    return figures


def _map(sample: Any, policy: Slads, classifier: PhaseClassifier, visits: int) -> OfflineMap:
    def spectrum(row: int, column: int, visit: int) -> NDArray[np.generic]:  # noqa: ARG001 - one visit a pixel
        counted: NDArray[np.generic] = sample.spectrum(row, column, COUNTS)
        return counted

    return map_offline(policy, SpectrumLabeller(classifier, classifier.channels), spectrum, visits)


def _equal_electrons(sample: Any, classifier: PhaseClassifier, truth: GroundTruth) -> float:
    rows, columns = sample.labels.shape
    spectra = np.array([sample.spectrum(r, c, FRACTION * COUNTS) for r in range(rows) for c in range(columns)])
    likelihood = classifier.log_likelihood(spectra)
    likelihood[classifier.predict(spectra) == 0] = 0.0
    evidence = likelihood.reshape(rows, columns, -1)
    maps = (potts_posterior(evidence, strength).argmax(axis=2) + 1 for strength in STRENGTHS)
    return min(truth.total_distortion(labels) for labels in maps)


def _training_maps(data: Path) -> list[NDArray[np.integer]]:
    with np.load(data / "phase_maps.npz", allow_pickle=False) as maps:
        return [maps[f"{name}__labels"] + 1 for name in TRAINING_MAPS]


def load_objects(data: Path) -> Any:
    spec = importlib.util.spec_from_file_location("objects", data / "objects.py")
    if spec is None or spec.loader is None:
        raise ValueError(f"{data / 'objects.py'} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
