"""How many electrons a map needs when it is chosen where they go, and for how long, beside the best fast raster."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.bench._dosed_map import SHORTEST, Checkpoint, dosed_map, raster_map
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._measured_object import load_objects
from daisy_bluesky.sampling import small_objects_found

OBJECTS = {"PbSn/dendrite2_test_128": 6.0, "minerals/ebc_a_4_128": 4.0}
SEEDS = range(10)
LEVELS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
RASTERS = (4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 40.0)
WANTED = (0.01, 0.002)
MEAN_COUNTS = 4.0
SMALLEST, LARGEST = 5, 30
WANTED_BIAS = 0.02


def measure(data: Path) -> Iterator[Gate]:
    """Measure the electrons for two levels of distortion, and what a map of 4 counts a pixel is worth."""
    if not (data / "objects.py").is_file():
        yield Gate("electrons for a map", f"skipped: no measurements in {data}")
        return
    objects = load_objects(data)
    for name, times in OBJECTS.items():
        sample = CountedObject.load(objects, name)
        dosed = [dosed_map(sample, LEVELS, seed=seed) for seed in SEEDS]
        rasters = [[raster_map(sample, dwell, seed=seed) for dwell in RASTERS] for seed in SEEDS]
        yield from _electrons(name, times, dosed, rasters)
        at = LEVELS.index(MEAN_COUNTS)
        pairs = ([run[at] for run in dosed], [run[RASTERS.index(MEAN_COUNTS)] for run in rasters])
        yield _at_few_counts(name, *pairs)
        yield _objects_found(sample, *pairs)
        yield _fractions(sample, *pairs)
        yield _coverage(name, dosed)


def _seeds(name: str) -> str:
    return f"{name}, seeds {SEEDS[0]}-{SEEDS[-1]}"


def _electrons(
    name: str, times: float, dosed: Sequence[Sequence[Checkpoint]], rasters: Sequence[Sequence[Checkpoint]]
) -> Iterator[Gate]:
    curve = ", ".join(
        f"{level:g}: {np.median([run[at].distortion for run in dosed]):.4f}" for at, level in enumerate(LEVELS)
    )
    for wanted in WANTED:
        ours = np.array([counts_for(run, wanted) for run in dosed])
        other = float(np.median([counts_for(run, wanted) for run in rasters]))
        low, middle, high = np.quantile(ours, (0.25, 0.5, 0.75), method="inverted_cdf")
        yield Gate(
            f"{_seeds(name)}: counts a pixel for a total distortion of {wanted}",
            f"{middle:.2f} ({low:.2f}-{high:.2f}), {other / middle:.1f} times fewer",
            f">= {times:g} times fewer",
            other / middle >= times,
            f"best raster with the same inference {other:.1f}; visits of {SHORTEST} counts or more; curve {curve}",
            {"counts": float(middle), "raster": other},
        )


def counts_for(run: Sequence[Checkpoint], wanted: float) -> float:
    """Return the cost at which a run's distortion falls to a value, between its checkpoints on logarithmic scales."""
    distortion = np.maximum([point.distortion for point in run], 1e-5)
    below = np.flatnonzero(distortion <= wanted)
    if len(below) == 0:
        return float("inf")
    last = max(int(below[0]), 1)
    costs = np.log([run[last - 1].cost, run[last].cost])
    return float(np.exp(np.interp(-np.log(wanted), -np.log(distortion[last - 1 : last + 1]), costs)))


def _at_few_counts(name: str, ours: Sequence[Checkpoint], rasters: Sequence[Checkpoint]) -> Gate:
    low, middle, high = np.quantile([point.distortion for point in ours], (0.25, 0.5, 0.75))
    raster = float(np.median([point.distortion for point in rasters]))
    return Gate(
        f"{_seeds(name)}: total distortion at {MEAN_COUNTS:g} counts a pixel",
        f"{middle:.4f} ({low:.4f}-{high:.4f})",
        "<= 0.002",
        middle <= 0.002,
        f"raster {raster:.4f}",
        {"distortion": float(middle), "raster": raster},
    )


def _recall(sample: CountedObject, points: Sequence[Checkpoint]) -> tuple[float, int]:
    found = total = 0
    for point in points:
        labels = np.where(sample.ill, sample.labels, point.labels)
        upper = small_objects_found(labels, sample.labels, LARGEST)
        lower = small_objects_found(labels, sample.labels, SMALLEST - 1)
        found, total = found + upper[0] - lower[0], total + upper[1] - lower[1]
    return found / max(total, 1), total // len(points)


def _objects_found(sample: CountedObject, ours: Sequence[Checkpoint], rasters: Sequence[Checkpoint]) -> Gate:
    (recall, count), (raster, _) = _recall(sample, ours), _recall(sample, rasters)
    return Gate(
        f"{_seeds(sample.name)}: objects of {SMALLEST}-{LARGEST} pixels found at {MEAN_COUNTS:g} counts a pixel",
        f"{recall:.1%} of {count}",
        ">= the raster's",
        recall >= raster,
        f"raster {raster:.1%}",
        {"recall": recall, "raster": raster},
    )


def _fractions(sample: CountedObject, ours: Sequence[Checkpoint], rasters: Sequence[Checkpoint]) -> Gate:
    bias, raster = _bias(sample, ours), _bias(sample, rasters)
    return Gate(
        f"{_seeds(sample.name)}: largest bias of a volume fraction at {MEAN_COUNTS:g} counts a pixel",
        f"{bias:.1%} of the fraction",
        f"<= {WANTED_BIAS:.0%}",
        bias <= WANTED_BIAS,
        f"raster {raster:.1%}",
        {"bias": bias, "raster": raster},
    )


def _bias(sample: CountedObject, points: Sequence[Checkpoint]) -> float:
    """Return the largest relative error of a phase's volume fraction, averaged over the seeds."""
    good = ~sample.ill
    phases = np.arange(1, sample.phases + 1)
    truth = (sample.labels[good][:, None] == phases).mean(axis=0)
    found = np.mean([(point.labels[good][:, None] == phases).mean(axis=0) for point in points], axis=0)
    return float(np.abs(found / truth - 1).max())


def _coverage(name: str, dosed: Sequence[Sequence[Checkpoint]]) -> Gate:
    points = [point for run in dosed for point in run[1:]]
    inside = float(np.mean([point.expected[1] <= point.distortion <= point.expected[2] for point in points]))
    width = float(np.median([point.expected[2] / max(point.expected[1], 1e-6) for point in points]))
    return Gate(
        f"{_seeds(name)}: remaining distortion inside its 90% interval, at {LEVELS[1]:g}-{LEVELS[-1]:g} counts a pixel",
        f"{inside:.0%}",
        "82-98%",
        0.82 <= inside <= 0.98,
        f"upper bound over lower bound {width:.1f}",
        {"inside": inside, "width": width},
    )
