"""Maps of one object at growing cost: where and how long chosen visit by visit, and the fast raster beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._counted_object import CountedObject
from daisy_bluesky.sampling import DoseAllocator, Survey, VisitCost

SHORTEST = 0.2


@dataclass(frozen=True)
class Checkpoint:
    """A map and what it has cost.

    Attributes
    ----------
    cost : float
        Cost per pixel of the field, in dwells of one count: dwell time and overhead.
    labels : (rows, columns) int64
        The map.
    distortion : float
        Its total distortion.
    expected : tuple of float
        The distortion as estimated without the truth: (estimate, low, high).
    measured : float
        Fraction of the pixels that were visited.
    """

    cost: float
    labels: NDArray[np.int64]
    distortion: float
    expected: tuple[float, float, float]
    measured: float


def checkpoint(sample: CountedObject, allocator: DoseAllocator, cost: float) -> Checkpoint:
    """Return the state of a map."""
    labels = allocator.reconstruct() if allocator.cost.overhead > 0 else allocator.labels
    return Checkpoint(
        cost, labels, sample.distortion(labels), allocator.remaining_distortion(), float(allocator.measured.mean())
    )


def dosed_map(
    sample: CountedObject,
    levels: Sequence[float],
    *,
    seed: int,
    overhead: float = 0.0,
    batch: int = 64,
    survey: NDArray[np.floating] | None = None,
    enough: float | None = None,
) -> list[Checkpoint]:
    """Map an object with `DoseAllocator` and return its state when each level of cost per pixel is reached.

    Parameters
    ----------
    sample : CountedObject
        The object.
    levels : sequence of float
        Costs per pixel, dwells of one count, rising.
    seed : int
        Seed of the allocator and of the counts.
    overhead : float
        Cost of a visit beside its dwell time, dwells of one count.
    batch : int
        Visits decided at once.
    survey : (rows, columns) ndarray, optional
        A survey image to heed.
    enough : float, optional
        Distortion at which no more is measured.

    Returns
    -------
    list of Checkpoint
    """
    rng = np.random.default_rng([seed, 3])
    cost = VisitCost(settling=overhead, minimum_dwell=SHORTEST)
    allocator = DoseAllocator(sample.labels.shape, phases=sample.phases, seed=seed, cost=cost)
    if survey is not None:
        allocator.heed(Survey(survey))
    spent, found = 0.0, list[Checkpoint]()
    for level in levels:
        while spent < level * sample.labels.size:
            visits = allocator.suggest(batch)
            positions = np.stack([visits["row"], visits["column"]], axis=1)
            allocator.ingest(positions, sample.measure(positions, visits["dwell"], rng), dwell=visits["dwell"])
            spent += float(visits["dwell"].sum()) + overhead * len(visits)
        found.append(checkpoint(sample, allocator, spent / sample.labels.size))
        if enough is not None and found[-1].distortion <= enough:
            break
    return found


def raster_map(sample: CountedObject, dwell: float, *, seed: int, overhead: float = 0.0) -> Checkpoint:
    """Map an object with one frame over all pixels and the same inference, its spatial prior estimated the same way."""
    allocator = DoseAllocator(sample.labels.shape, phases=sample.phases, seed=seed)
    positions = np.argwhere(sample.labels > 0)
    times = np.full(len(positions), dwell)
    evidence = sample.measure(positions, times, np.random.default_rng([seed, 4]))
    allocator.ingest(positions, evidence, dwell=times)
    return checkpoint(sample, allocator, dwell + overhead)
