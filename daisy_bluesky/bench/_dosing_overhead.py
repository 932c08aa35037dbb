"""What overhead per visit does to it: from many short visits everywhere to few long ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.bench._dosed_map import SHORTEST, dosed_map, raster_map
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._measured_object import load_objects
from daisy_bluesky.sampling import Slads

OBJECTS = ("PbSn/dendrite2_test_128", "minerals/ebc_a_4_128")
SEEDS = range(10)
# Cost per pixel, in dwells of one count, by overhead per visit.
LEVELS = {0.0: (2.5,), 1.0: (3.0, 6.0), 10.0: (3.0, 9.0, 20.0), 100.0: (15.0, 40.0, 120.0)}
SPARSE_DWELLS = {0.0: 12.0, 1.0: 15.0, 10.0: 30.0, 100.0: 60.0}


def measure(data: Path) -> Iterator[Gate]:
    """Measure distortion at equal total cost beside the raster and sparse sampling, for four overheads per visit."""
    if not (data / "objects.py").is_file():
        yield Gate("overhead per visit", f"skipped: no measurements in {data}")
        return
    objects = load_objects(data)
    for name in OBJECTS:
        sample = CountedObject.load(objects, name)
        for overhead, levels in LEVELS.items():
            yield _compare(sample, overhead, levels)


def _compare(sample: CountedObject, overhead: float, levels: tuple[float, ...]) -> Gate:
    batch = 64 if overhead == 0 else 8
    curves = {
        "ours": [
            [point.distortion for point in dosed_map(sample, levels, seed=seed, overhead=overhead, batch=batch)]
            for seed in SEEDS
        ],
        "raster": [[_raster(sample, level - overhead, seed) for level in levels] for seed in SEEDS],
        "sparse": [_sparse(sample, overhead, levels, seed) for seed in SEEDS],
    }
    median = {key: np.median(curve, axis=0) for key, curve in curves.items()}
    spread = np.quantile(curves["ours"], (0.25, 0.75), axis=0)
    best = np.minimum(median["raster"], median["sparse"])
    return Gate(
        f"{sample.name}, overhead of {overhead:g} dwells a visit, seeds {SEEDS[0]}-{SEEDS[-1]}: total distortion at "
        f"equal total cost of {_list(np.array(levels), 'g')} dwells a pixel",
        f"{_list(median['ours'])} (quartiles {_list(spread[0])} to {_list(spread[1])})",
        "never worse than raster and sparse",
        bool((median["ours"] <= best).all()),
        f"raster {_list(median['raster'])}; sparse, one visit of {SPARSE_DWELLS[overhead]:g} counts a pixel, "
        f"{_list(median['sparse'])}; a dwell is that of one count, the shortest is {SHORTEST}",
        {f"{key} {level:g}": float(value) for key in median for level, value in zip(levels, median[key], strict=True)},
    )


def _list(values: NDArray[np.float64], form: str = ".4f") -> str:
    return " / ".join(format(value, form) for value in values)


def _raster(sample: CountedObject, dwell: float, seed: int) -> float:
    """Return the distortion of a full frame; of everything being one phase where there is no time for one."""
    if dwell > 0:
        return raster_map(sample, dwell, seed=seed).distortion
    return min(sample.distortion(np.full_like(sample.labels, phase)) for phase in range(1, sample.phases + 1))


def _sparse(sample: CountedObject, overhead: float, levels: tuple[float, ...], seed: int) -> list[float]:
    """Return the distortion of sparse dynamic sampling, one visit a pixel, at each level of cost."""
    rng, dwell = np.random.default_rng([seed, 5]), SPARSE_DWELLS[overhead]
    sampler, found, spent = Slads(sample.labels.shape, phases=sample.phases, seed=seed), [], 0.0
    for level in levels:
        while spent < level * sample.labels.size and len(visits := sampler.suggest(8)) > 0:
            positions = np.stack([visits["row"], visits["column"]], axis=1)
            times = np.full(len(visits), dwell)
            sampler.ingest(positions, sample.measure(positions, times, rng))
            spent += (dwell + overhead) * len(visits)
        found.append(sample.distortion(sampler.reconstruct()))
    return found
