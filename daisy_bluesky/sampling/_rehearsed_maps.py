"""Maps of a field that exists on paper only, by raster, by sparse visits and by allocated dose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.sampling._counted_spectra import draw_evidence
from daisy_bluesky.sampling._dose_allocator import DoseAllocator
from daisy_bluesky.sampling._metrics import total_distortion
from daisy_bluesky.sampling._reconstruction import reconstruct
from daisy_bluesky.sampling._slads import Slads
from daisy_bluesky.sampling._visit_cost import VisitCost

BATCH = 16


@dataclass(frozen=True)
class Paid:
    """A map and its price, per pixel of the field.

    Attributes
    ----------
    seconds : float
        Time: dwell and overhead, s.
    exposure : float
        Dwell time, s.
    fraction : float
        Visited part of the pixels; above 1 where pixels are visited again.
    distortion : float
        Total distortion.
    """

    seconds: float
    exposure: float
    fraction: float
    distortion: float


class PaperField:
    """A phase map whose spectra are drawn when asked for.

    Parameters
    ----------
    labels : (rows, columns) int64
        Phases, 1...
    means : (phases, channels) float64
        Mean spectra; each sums to 1.
    rate : float
        Mean counts per second of dwell.
    cost : VisitCost
        What a visit costs.
    seed : int
        Seed of the counts.
    """

    def __init__(
        self, labels: NDArray[np.int64], means: NDArray[np.float64], rate: float, cost: VisitCost, seed: int
    ) -> None:
        self.labels, self.rate, self.cost, self.seed = labels, rate, cost, seed
        self.phases = len(means)
        self._cumulative = np.cumsum(means, axis=1)
        self._told = np.log(means.T)
        self._rng = np.random.default_rng([seed, 71])

    def measure(self, positions: NDArray[np.int64], dwell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-likelihoods of visits to positions (n, 2) of dwell times (n,) s, (n, phases) nats."""
        kind = self.labels[positions[:, 0], positions[:, 1]] - 1
        return draw_evidence(kind, self.rate * dwell, self._cumulative, self._told, self._rng)

    def paid(self, visits: int, exposure: float, found: NDArray[np.int64]) -> Paid:
        """Return a map and its price."""
        pixels = self.labels.size
        seconds = exposure + visits * self.cost.overhead
        return Paid(seconds / pixels, exposure / pixels, visits / pixels, total_distortion(found, self.labels))


def raster(field: PaperField, dwell: float, pitch: int = 1) -> Paid:
    """Map a field by one frame over every `pitch`-th pixel of every `pitch`-th line, dwell time in s."""
    rows, columns = (np.arange((pitch - 1) // 2, size, pitch) for size in field.labels.shape)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=2).reshape(-1, 2)
    times = np.full(len(grid), dwell)
    allocator = DoseAllocator((len(rows), len(columns)), phases=field.phases, seed=field.seed)
    where = np.argwhere(np.ones((len(rows), len(columns)), bool))
    allocator.ingest(where, field.measure(grid, times), dwell=times)
    found = allocator.labels
    if pitch > 1:
        found = reconstruct(field.labels.shape, grid, found.ravel())
    return field.paid(len(grid), float(times.sum()), found)


def raster_within(field: PaperField, seconds: float) -> Paid | None:
    """Map a field by the better of two rasters that take so many seconds a pixel; None where there is none.

    The finest one whose dwell time the detectors can do, and, where that spends more time between exposures than
    exposing, the finest one that does not.
    """
    cost, tried = field.cost, []
    for least in (cost.minimum_dwell, max(cost.minimum_dwell, cost.overhead)):
        for pitch in range(1, min(field.labels.shape) // 4 + 1):
            dwell = seconds * pitch**2 - cost.overhead
            if dwell >= least:
                tried.append(raster(field, dwell, pitch))
                break
    return min(tried, key=lambda paid: paid.distortion, default=None)


def sparse(field: PaperField, budgets: Sequence[float], dwell: float) -> list[Paid]:
    """Map a field by sparse dynamic sampling, one visit a pixel; return its state at each budget, s a pixel, rising."""
    policy = Slads(field.labels.shape, phases=field.phases, seed=field.seed, dwell=dwell)
    found: list[Paid] = []
    visits, each = 0, dwell + field.cost.overhead
    for budget in budgets:
        while visits * each < budget * field.labels.size and len(asked := policy.suggest(BATCH // 4)):
            positions = np.stack([asked["row"], asked["column"]], axis=1)
            evidence = field.measure(positions, np.full(len(asked), dwell))
            policy.ingest(positions, 1 + evidence.argmax(axis=1))
            visits += len(asked)
        found.append(field.paid(visits, visits * dwell, policy.reconstruct()))
    return found


def dosed(field: PaperField, budgets: Sequence[float], enough: float) -> list[Paid]:
    """Map a field by allocated dose; return its state at each budget, s a pixel, rising.

    From the budget on at which its distortion is enough, nothing more is measured.
    """
    policy = DoseAllocator(field.labels.shape, phases=field.phases, seed=field.seed, cost=field.cost)
    found: list[Paid] = []
    visits, exposure = 0, 0.0
    batch = BATCH * 4 if field.cost.overhead == 0 else BATCH
    for budget in budgets:
        while exposure + visits * field.cost.overhead < budget * field.labels.size:
            if found and found[-1].distortion <= enough:
                break
            asked = policy.suggest(batch)
            positions = np.stack([asked["row"], asked["column"]], axis=1)
            policy.ingest(positions, field.measure(positions, asked["dwell"]), dwell=asked["dwell"])
            visits, exposure = visits + len(asked), exposure + float(asked["dwell"].sum())
        found.append(field.paid(visits, exposure, policy.reconstruct()))
    return found
