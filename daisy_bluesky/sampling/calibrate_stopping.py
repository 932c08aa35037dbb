"""Calibrate estimates of what remains: ``python -m daisy_bluesky.sampling.calibrate_stopping``, ten minutes.

Prints the constants of `DoseAllocator` and `Objectives`. Maps are generated, and none of their seeds is a test's.
"""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._dose_allocator import DoseAllocator
from daisy_bluesky.sampling._dose_doubt import LEAST, signs
from daisy_bluesky.sampling._metrics import total_distortion
from daisy_bluesky.sampling._noisy_values import reconstruct_noisy
from daisy_bluesky.sampling._objectives import Objectives
from daisy_bluesky.sampling._prediction_errors import LEAST_ERROR
from daisy_bluesky.sampling._rehearsed_maps import PaperField
from daisy_bluesky.sampling._training_images import training_images
from daisy_bluesky.sampling._visit_cost import VisitCost

Floats = NDArray[np.float64]
LabelMap = NDArray[np.int64]
Told = tuple[Floats, float]
DOSE_SIDE, VALUE_SIDE = 64, 48
DOSE_RUNS = ((101, 0.0), (103, 0.0), (104, 0.0), (105, 3.0), (106, 3.0), (102, 10.0))
"""Seed of maps, and overhead of a visit, dwells of one count."""
SEPARATIONS = (0.3, 0.7)
CHANNELS = 64
SHORTEST = 0.2
DOUBTLESS = 2e-4
VALUE_SEEDS = (311, 312)
NOISES = (0.03, 0.2, 0.5, 1.0)
PARTS = (0.05, 0.1, 0.2, 0.35, 0.6)
QUANTILES = (0.04, 0.96)
"""A little wider than 90%: slopes are fitted to the same runs."""


def label_map(image: LabelMap) -> LabelMap:
    """Return a map whose labels are 1... without gaps, (rows, columns) int64."""
    return np.unique(image, return_inverse=True)[1].reshape(image.shape).astype(np.int64) + 1


def spectra(phases: int, separation: float, rng: np.random.Generator) -> Floats:
    """Return mean spectra, (phases, channels), that share all but a part of their counts."""
    common = rng.dirichlet(np.full(CHANNELS, 2.0))
    own = [rng.dirichlet(np.full(CHANNELS, 0.5)) for _ in range(phases)]
    return np.array([(1 - separation) * common + separation * each for each in own])


def dose_states(
    truth: LabelMap, seed: int, separation: float, overhead: float
) -> Iterator[tuple[DoseAllocator, float]]:
    """Yield an allocator at rising costs, and the total distortion of its map then."""
    rng = np.random.default_rng([seed, 77])
    phases, cost = int(truth.max()), VisitCost(settling=overhead, minimum_dwell=SHORTEST)
    field = PaperField(truth, spectra(phases, separation, rng), 1.0, cost, seed)
    allocator, spent = DoseAllocator(truth.shape, phases=phases, seed=seed, cost=cost), 0.0
    first, last = (0.6, 12.0) if overhead < 2 else (0.15, 4.0)
    for level in np.geomspace(first, last, 9) / separation**1.5 * (1 + overhead):
        while spent < level * truth.size and len(visits := allocator.suggest(16 if overhead else 64)):
            positions = np.stack([visits["row"], visits["column"]], axis=1)
            allocator.ingest(positions, field.measure(positions, visits["dwell"]), dwell=visits["dwell"])
            spent += float(visits["dwell"].sum()) + overhead * len(visits)
        distortion = total_distortion(allocator.reconstruct(), truth)
        yield allocator, distortion
        if distortion < DOUBTLESS:
            break


def dose_told() -> Iterator[Told]:
    """Yield the signs of `DoseAllocator` and the total distortion, of all calibration runs."""
    for seed, overhead in DOSE_RUNS:
        for image in training_images(DOSE_SIDE, seed):
            for separation in SEPARATIONS:
                for allocator, distortion in dose_states(label_map(image), seed, separation, overhead):
                    yield signs(allocator._known.field), distortion


def value_states(
    truth: Floats, seed: int, noise: float, rng: np.random.Generator
) -> Iterator[tuple[Objectives, float]]:
    """Yield the sampler of a map of values at rising parts of visits, and the error of its map over the span then."""
    sampler, deviation = Objectives(truth.shape, {"A": 1.0}, seed=seed), noise * float(np.ptp(truth))
    marks = [round(part * truth.size) for part in PARTS]
    for number in range(1, max(marks) + 1):
        visit = sampler.suggest()[0]
        place = int(visit["row"]), int(visit["column"])
        found = truth[place] + deviation * rng.normal()
        sampler.ingest([place], [[(found, deviation**2)]], dwell=[1.0])
        if number in marks:
            image, _ = reconstruct_noisy(truth.shape, *sampler.measurements("A"))
            yield sampler, float(np.sqrt(((image - truth) ** 2).mean())) / sampler.scales["A"]


def value_told() -> Iterator[Told]:
    """Yield the signs of `Objectives` and the error, of all calibration runs."""
    for seed in VALUE_SEEDS:
        for kind, image in enumerate(training_images(VALUE_SIDE, seed)):
            rng = np.random.default_rng([seed, kind, 9])
            truth = (rng.permutation(5) / 4.0)[image % 5]
            for noise in NOISES:
                for sampler, error in value_states(truth, seed, noise, rng):
                    if (told := sampler._errors.signs()) is not None:
                        yield told, error


def fitted(runs: list[Told], least: float) -> tuple[Floats, Floats, Floats]:
    """Return slopes (signs,), quantiles of what is left (2,), and the least and largest signs (2, signs)."""
    told, true = np.array([signs for signs, _ in runs]), np.array([truth for _, truth in runs])
    off = np.log(true + least) - told[:, 1]
    slopes = np.linalg.lstsq(told, off, rcond=None)[0]
    left = off - told @ slopes
    slopes[0] += np.median(left)
    return slopes, np.quantile(left, QUANTILES) - np.median(left), np.array([told.min(axis=0), told.max(axis=0)])


def main() -> None:
    """Print the constants."""
    for name, runs, least, most in (
        ("_dose_doubt", list(dose_told()), LEAST, 0.1),
        ("_prediction_errors", list(value_told()), LEAST_ERROR, 1.0),
    ):
        useful = [run for run in runs if np.log(1.3 * least) < run[0][1] < np.log(most + least)]
        slopes, interval, ends = fitted(useful, least)
        sys.stdout.write(f"{name}: {len(runs)} moments\nSLOPES = {_written(slopes)}\nINTERVAL = {_written(interval)}\n")
        sys.stdout.write(f"LEAST_SIGNS, LARGEST_SIGNS = {_written(ends[0])}, {_written(ends[1])}\n")


def _written(numbers: Floats) -> str:
    return f"({', '.join(f'{number:.3f}' for number in numbers)})"


if __name__ == "__main__":
    main()
