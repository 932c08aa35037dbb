"""Maps and grey images from scattered points: against the vote of the neighbours, and against SciPy's interpolation."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import KDTree

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._sampling_maps import LabelMap, four_phases, smooth_field, two_phases
from daisy_bluesky.sampling import patterns, reconstruct, reconstruct_values, vote

SIDE = 256
SEEDS = range(10)
FRACTION = 0.1
# SciPy's local interpolation from as many neighbours as ours.
SUPPORT = 16
VOTERS = 10
WANTED_SPEED = 10.0
Points = NDArray[np.int64]
Image = NDArray[np.float64]


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - generated maps
    """Reconstruct generated maps from jittered points."""
    for name, make in (("two-phase fields", two_phases), ("four-phase grains", four_phases)):
        yield from labels(name, [make(SIDE, seed) for seed in SEEDS])
    yield values([smooth_field(SIDE, seed) for seed in SEEDS])


def labels(name: str, maps: list[LabelMap]) -> Iterator[Gate]:
    """Yield the quality and the speed of the reconstruction of phase maps."""
    ours, voted = [], []
    for seed, truth in enumerate(maps):
        places, found = _scattered(truth, seed)
        ours.append(float((reconstruct(_shape(truth), places, found) != truth).mean()))
        voted.append(float((vote(_shape(truth), places, found) != truth).mean()))
    low, middle, high = np.quantile(ours, (0.25, 0.5, 0.75))
    where = f"{name} {len(maps[0])} x {len(maps[0])} from {FRACTION:.0%} jittered, map seeds 0-{len(maps) - 1}"
    yield Gate(
        f"{where}: total distortion of the reconstruction",
        f"{middle:.4f} ({low:.4f}-{high:.4f})",
        "below the vote's",
        bool(middle < np.median(voted)),
        f"vote of ten neighbours {np.median(voted):.4f}",
        {"ours": float(middle), "vote": float(np.median(voted))},
    )
    yield _speed(where, maps[0])


def _speed(where: str, truth: LabelMap) -> Gate:
    """Return the row on the time of one reconstruction."""
    places, found = _scattered(truth, 0)
    member = (found[:, None] == np.unique(found)).astype(float)
    spent, _ = timed(lambda: reconstruct(_shape(truth), places, found))
    other, indicators = timed(lambda: interpolated(_shape(truth), places, member))
    beside = (np.unique(found)[np.argmax(indicators, axis=1)].reshape(truth.shape) != truth).mean()
    return Gate(
        f"{where}: CPU time of one reconstruction",
        f"{spent:.2f} s, {other / spent:.0f} times faster than SciPy's radial basis functions",
        f">= {WANTED_SPEED:g} times faster",
        other >= WANTED_SPEED * spent,
        f"RBFInterpolator, linear, {SUPPORT} neighbours, on each label's indicator: {other:.1f} s, total distortion of "
        f"map seed 0 {beside:.4f}",
        {"seconds": spent, "SciPy": other},
    )


def values(images: list[Image]) -> Gate:
    """Return the row on grey images."""
    errors, voted = [], []
    for seed, image in enumerate(images):
        places, found = _scattered(image, seed)
        errors.append(float(np.abs(reconstruct_values(_shape(image), places, found) - image).mean()))
        voted.append(float(np.abs(_nearest_mean(image, places, found) - image).mean()))
    places, found = _scattered(images[0], 0)
    spent, _ = timed(lambda: reconstruct_values(_shape(images[0]), places, found))
    other, same = timed(lambda: interpolated(_shape(images[0]), places, found[:, None]))
    low, middle, high = np.quantile(errors, (0.25, 0.5, 0.75))
    beside = np.abs(same.reshape(images[0].shape) - images[0]).mean()
    return Gate(
        f"smooth grey images {SIDE} x {SIDE} of unit variance from {FRACTION:.0%} jittered, seeds 0-{len(images) - 1}: "
        "mean absolute error; CPU time",
        f"{middle:.4f} ({low:.4f}-{high:.4f}); {spent:.2f} s, {other / spent:.0f} times faster than SciPy's",
        "below the neighbours' mean",
        bool(middle < np.median(voted)),
        f"inverse-square mean of ten neighbours {np.median(voted):.4f}; RBFInterpolator, linear, {SUPPORT} neighbours "
        f"{beside:.4f} on seed 0 in {other:.1f} s",
        {"ours": float(middle), "mean of neighbours": float(np.median(voted)), "seconds": spent, "SciPy": other},
    )


def timed(task: Callable[[], NDArray[Any]]) -> tuple[float, NDArray[Any]]:
    """Return the CPU time of a task, s, and what it gives."""
    began = process_time()
    result = task()
    return process_time() - began, result


def interpolated(shape: tuple[int, int], places: Points, found: Image) -> Image:
    """Return SciPy's local linear radial basis functions of values, (n, components), as (pixels, components)."""
    grid = np.indices(shape).reshape(2, -1).T
    return np.asarray(RBFInterpolator(places, found, neighbors=SUPPORT, kernel="linear")(grid))


def _scattered(truth: LabelMap | Image, seed: int) -> tuple[Points, Any]:
    """Return jittered positions and what is there."""
    places = patterns.jittered(_shape(truth), FRACTION, seed)
    return places, truth[tuple(places.T)]


def _nearest_mean(image: Image, places: Points, found: Image) -> Image:
    """Return the inverse-square-distance weighted mean of the ten nearest values, (rows, columns)."""
    distance, nearest = KDTree(places).query(np.indices(image.shape).reshape(2, -1).T, VOTERS)
    weights = 1.0 / np.maximum(distance, 1e-6) ** 2
    return np.asarray((weights * found[nearest]).sum(axis=1) / weights.sum(axis=1)).reshape(image.shape)


def _shape(image: LabelMap | Image) -> tuple[int, int]:
    return image.shape[0], image.shape[1]
