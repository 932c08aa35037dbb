"""Calibrate estimates of what remains: ``python -m daisy_bluesky.sampling.calibrate_stopping``, ten minutes.

Prints the constants of `DoseAllocator` and `Objectives`. Maps are generated, and none of their seeds is a test's.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

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
QUANTILES = (0.05, 0.95)


class Moment(NamedTuple):
    """The signs of a run at one moment, the truth then, and the kind of its map."""

    signs: Floats
    true: float
    kind: int


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


def dose_moments() -> Iterator[Moment]:
    """Yield the signs of `DoseAllocator` and the total distortion, of all calibration runs."""
    for seed, overhead in DOSE_RUNS:
        for kind, image in enumerate(training_images(DOSE_SIDE, seed)):
            for separation in SEPARATIONS:
                for allocator, distortion in dose_states(label_map(image), seed, separation, overhead):
                    yield Moment(signs(allocator._known.field), distortion, kind)


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


def value_moments() -> Iterator[Moment]:
    """Yield the signs of `Objectives` and the error, of all calibration runs."""
    for seed in VALUE_SEEDS:
        for kind, image in enumerate(training_images(VALUE_SIDE, seed)):
            rng = np.random.default_rng([seed, kind, 9])
            truth = (rng.permutation(5) / 4.0)[image % 5]
            for noise in NOISES:
                for sampler, error in value_states(truth, seed, noise, rng):
                    if (told := sampler._errors.signs()) is not None:
                        yield Moment(told, error, kind)


def fitted(moments: list[Moment], least: float) -> tuple[Floats, Floats, Floats]:
    """Return slopes (signs,), interval (2,), and the least and largest signs (2, signs).

    The interval is that of what slopes leave which were fitted to maps of all other kinds: nobody knows what kind the
    next map will be.
    """
    told = np.array([moment.signs for moment in moments])
    kinds = np.array([moment.kind for moment in moments])
    off = np.log(np.array([moment.true for moment in moments]) + least) - told[:, 1]
    left = np.empty(len(moments))
    for kind in np.unique(kinds):
        out = kinds == kind
        left[out] = off[out] - told[out] @ _slopes(told[~out], off[~out])
    return _slopes(told, off), np.quantile(left, QUANTILES), np.array([told.min(axis=0), told.max(axis=0)])


def _slopes(told: Floats, off: Floats) -> Floats:
    """Return the slopes by least squares, what they leave centred on its median."""
    slopes: Floats = np.asarray(np.linalg.lstsq(told, off, rcond=None)[0], np.float64)
    slopes[0] += np.median(off - told @ slopes)
    return slopes


def main() -> None:
    """Print the constants."""
    # of maps without doubt nothing can be learned, and nobody stops one that is all doubt
    useful = [moment for moment in dose_moments() if np.log(1.3 * LEAST) < moment.signs[1] < np.log(0.1 + LEAST)]
    for name, moments, least in (
        ("_dose_doubt", useful, LEAST),
        ("_prediction_errors", list(value_moments()), LEAST_ERROR),
    ):
        slopes, interval, ends = fitted(moments, least)
        sys.stdout.write(
            f"{name}: {len(moments)} moments\nSLOPES = {_written(slopes)}\nINTERVAL = {_written(interval)}\n"
        )
        sys.stdout.write(f"LEAST_SIGNS, LARGEST_SIGNS = {_written(ends[0])}, {_written(ends[1])}\n")


def _written(numbers: Floats) -> str:
    return f"({', '.join(f'{number:.3f}' for number in numbers)})"


if __name__ == "__main__":
    main()
