"""A phase that nobody announced, one object of 0.2% of the map, at a budget of ten counts a pixel."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._counted_object import ILL_COUNTS, TRAINING, CountedObject
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._measured_object import load_objects
from daisy_bluesky.callbacks import Visits, Weighing
from daisy_bluesky.classify import PhaseClassifier, PooledLabeller
from daisy_bluesky.sampling import DoseAllocator, VisitCost
from daisy_bluesky.specimen import phantom

NAME = "minerals/ebc_a_4_128"
COUNTS = 7500.0
SIDE, AREA = 128, 33
ILL_SHARE = 0.005
SEEDS = range(40)
BUDGET = 10.0
SHORTEST = 1.0
BATCH = 512
WANTED_FOUND, WANTED_FALSE = 0.95, 0.1


class Outcome(NamedTuple):
    """How one map ended: whether the object is shown, when its phase was found, and how many phases are false."""

    found: bool
    counts: float
    false: int
    distortion: float


def measure(data: Path) -> Iterator[Gate]:
    """Measure how often the unannounced phase becomes one, and how often something else does."""
    what = (
        f"unannounced phase, one object of {AREA} of {SIDE * SIDE} pixels, each of the four minerals in turn, ill "
        f"spectra {ILL_SHARE:.1%}, seeds {SEEDS[0]}-{SEEDS[-1]}, {BUDGET:g} counts a pixel"
    )
    if not (data / "objects.py").is_file():
        yield Gate(what, f"skipped: no measurements in {data}")
        return
    minerals = load_objects(data).load(NAME)
    classifiers = _classifiers(minerals)
    outcomes = []
    for seed in SEEDS:
        classifier = classifiers[seed % len(classifiers)]
        outcomes.append(_map(_object(minerals, classifier, seed), classifier, seed))
    found = float(np.mean([outcome.found for outcome in outcomes]))
    false = float(np.mean([outcome.false for outcome in outcomes]))
    counts = float(np.median([outcome.counts for outcome in outcomes]))
    distortion = float(np.median([outcome.distortion for outcome in outcomes]))
    yield Gate(
        f"{what}: found",
        f"{found:.1%}, a phase after {counts:.1f} counts a pixel",
        f">= {WANTED_FOUND:.0%}",
        found >= WANTED_FOUND,
        f"shown in at least half of its pixels; total distortion of the maps {distortion:.4f}",
        {"found": found, "counts": counts, "distortion": distortion},
    )
    yield Gate(
        f"{what}: false phases",
        f"{false:.3f} a map",
        f"<= {WANTED_FALSE:g} a map",
        false <= WANTED_FALSE,
        figures={"false": false},
    )


def _classifiers(minerals: Any) -> list[PhaseClassifier]:
    """Return a classifier of three of the minerals for each that is left out, in the order of `_order`."""
    spectra, labels = minerals.training_set(TRAINING, counts=COUNTS)
    fitted = []
    for left_out in range(len(minerals.mean)):
        order = _order(minerals, left_out)
        known = np.isin(labels, order[:-1] + 1)
        fitted.append(PhaseClassifier.fit(spectra[known], np.argsort(order)[labels[known] - 1] + 1, seed=0))
    return fitted


def _order(minerals: Any, seed: int) -> NDArray[np.int64]:
    """Return the minerals in a turn that leaves each one last, (phases,)."""
    phases = len(minerals.mean)
    return np.roll(np.arange(phases), -(seed % phases) - 1)


def _object(minerals: Any, classifier: PhaseClassifier, seed: int) -> CountedObject:
    """Return grains of three minerals, which the classifier knows, with a disc of the fourth, which is label 4."""
    phases, order = len(minerals.mean), _order(minerals, seed)
    rng = np.random.default_rng([seed, 6])
    truth = phantom("grains", (SIDE, SIDE), seed=1000 + seed, phases=phases - 1).astype(np.int64)
    away = np.hypot(*(np.indices(truth.shape) - rng.uniform(4, SIDE - 4, 2)[:, None, None]))
    truth.ravel()[np.argsort(away, axis=None)[:AREA]] = phases
    channels = minerals.mean.shape[1]
    mean = np.concatenate([minerals.mean[order], np.full((1, channels), 1 / channels)])
    return CountedObject(
        NAME,
        truth,
        rng.random(truth.shape) < ILL_SHARE,
        np.append(np.ones(phases), ILL_COUNTS * channels / COUNTS),
        np.cumsum(mean, axis=1),
        classifier.log_likelihood(np.eye(channels, dtype=np.uint16)),
    )


def _map(sample: CountedObject, classifier: PhaseClassifier, seed: int) -> Outcome:
    rng = np.random.default_rng([seed, 7])
    labeller = PooledLabeller(classifier, sample.labels.shape)
    allocator = DoseAllocator(
        sample.labels.shape, phases=sample.phases, seed=seed, cost=VisitCost(minimum_dwell=SHORTEST)
    )
    weighing = Weighing(allocator, labeller)
    spent, taken, noticed = 0.0, 0, float("inf")
    while spent < BUDGET * sample.labels.size:
        visits = allocator.suggest(BATCH)
        places = np.stack([visits["row"], visits["column"]], axis=1)
        names = list(range(taken, taken + len(visits)))
        spectra = sample.spectra(places, visits["dwell"], rng)
        weighing.take(Visits(names, [*map(tuple, places.tolist())], spectra, visits["dwell"], {}))
        taken, spent = taken + len(visits), spent + float(visits["dwell"].sum())
        if len(labeller.phases) > sample.phases:
            noticed = min(noticed, spent / sample.labels.size)
    return _outcome(sample, allocator.labels, len(labeller.phases) - sample.phases, noticed)


def _outcome(sample: CountedObject, labels: NDArray[np.int64], discovered: int, noticed: float) -> Outcome:
    there = sample.labels == sample.phases + 1
    shown = np.bincount(labels[there].clip(0), minlength=sample.phases + discovered + 1)[sample.phases + 1 :]
    found = bool(shown.max(initial=0) >= np.count_nonzero(there) / 2)
    if found:
        labels = np.where(labels == sample.phases + 1 + shown.argmax(), sample.phases + 1, labels)
    return Outcome(found, noticed, discovered - int(found), sample.distortion(labels))
