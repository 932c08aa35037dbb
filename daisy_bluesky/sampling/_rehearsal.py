"""What a map will be worth, by raster, sparse visits and allocated dose, before its first electron."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._argument_checks import check_seed
from daisy_bluesky.sampling._break_even import break_even_dwell, break_even_overhead
from daisy_bluesky.sampling._forecast import Forecast, between, joined, order_of, reaching
from daisy_bluesky.sampling._rehearsed_maps import Paid, PaperField, dosed, raster, raster_within, sparse
from daisy_bluesky.sampling._visit_cost import VisitCost

WINDOW = 96
"""Largest edge of the part of a field that is rehearsed, pixels."""
VISIT_COUNTS = (10.0, 30.0, 100.0)
"""Mean counts of a sparse visit, of which the best is taken."""
HALVINGS = 6
LONGER = (2.0, 4.0)
ENOUGH = 20.0
"""How many times better than wanted a map gets before no more is measured."""
FIRST_COUNTS, MOST_COUNTS = 1.0, 4096.0


@dataclass(frozen=True)
class Rehearsal:
    """What was found out without an electron.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the map.
    rate : float
        Mean counts per second of dwell.
    cost : VisitCost
        What a visit costs.
    wanted : float
        Total distortion that is asked for.
    forecasts : list of Forecast
        By policy and rising time.
    needed : dict of str to Forecast
        For each policy that gets there, the map that reaches what is wanted, its time between that of two forecasts.
    raster_dwell : float
        Dwell time at every pixel with which a raster reaches what is wanted, s; infinite where none does.
    visit_dwell : float
        Dwell time of a visit of the best sparse map, s.
    overhead : float
        Time between two exposures above which the sparse map is faster than a raster as good, s; nan where no sparse
        map gets there.
    break_even : float
        Dwell time of a visit below which the sparse map is faster than a raster as good, s; nan likewise.
    """

    shape: tuple[int, int]
    rate: float
    cost: VisitCost
    wanted: float
    forecasts: list[Forecast]
    needed: dict[str, Forecast]
    raster_dwell: float
    visit_dwell: float
    overhead: float
    break_even: float

    @property
    def best(self) -> Forecast | None:
        """The map that reaches what is wanted for the least of what is scarce; None where none does."""
        scarce = "exposure" if self.cost.scarce == "electrons" else "seconds"
        return min(self.needed.values(), key=lambda one: float(getattr(one, scarce)), default=None)


def rehearse(
    phase_maps: Sequence[ArrayLike],
    means: ArrayLike,
    *,
    rate: float,
    cost: VisitCost | None = None,
    wanted: float = 0.01,
    visit_dwell: float | None = None,
    seed: int = 0,
) -> Rehearsal:
    """Foretell map quality against time and electrons.

    Counts are simulated for phase maps that could be there, on the middle of the field, and mapped by the policies
    themselves: a raster with the inference of the dose policy, `Slads`, and `DoseAllocator`. Every map is one
    rehearsal; what they differ by is the error of the forecast. Spectra are those of pure phases under the very means
    the policies know, and none is ill.

    Parameters
    ----------
    phase_maps : sequence of (rows, columns) int
        Labels 1...; all of one shape.
    means : (phases, channels) array_like
        Mean spectra of the phases, positive; any scale.
    rate : float
        Mean counts per second of dwell.
    cost : VisitCost, optional
        What a visit costs; 1 ms of dwell at least and nothing else when omitted.
    wanted : float
        Total distortion that is asked for.
    visit_dwell : float, optional
        Dwell time of a sparse visit, s; the best of a few when omitted.
    seed : int
        Seed of counts and policies.

    Returns
    -------
    Rehearsal

    Raises
    ------
    ValueError
        If an argument is out of range, a map has labels no spectrum is there for, or there is no map.

    References
    ----------
    Zhang et al. 2018 (EDS-SLADS), equation 14 (total distortion).
    """
    check_seed(seed)
    cost = VisitCost() if cost is None else cost
    spectra, windows, shape = _checked(phase_maps, means, rate, wanted)
    if visit_dwell is not None and not 0 < visit_dwell < np.inf:
        raise ValueError(f"visit_dwell: {visit_dwell} s is not positive")
    fields = [PaperField(labels, spectra, rate, cost, seed + turn) for turn, labels in enumerate(windows)]
    raster_dwell = float(np.median([_needed_dwell(field, wanted) for field in fields]))
    budgets = _budgets(fields[0], min(raster_dwell, MOST_COUNTS / rate))
    counts = VISIT_COUNTS if visit_dwell is None else (visit_dwell * rate,)
    best_visit, sparse_maps = _best_sparse(fields, budgets, {count / rate for count in counts}, wanted)
    curves: dict[str, Sequence[Sequence[Paid | None]]] = {
        "raster": [[raster_within(field, budget) for budget in budgets] for field in fields],
        "sparse": sparse_maps,
        "dose": [dosed(field, budgets, wanted / ENOUGH) for field in fields],
    }
    forecasts = {policy: joined(policy, runs) for policy, runs in curves.items()}
    needed = {policy: found for policy, points in forecasts.items() if (found := reaching(points, wanted)) is not None}
    if np.isfinite(raster_dwell):
        needed["raster"] = _raster_needed(raster_dwell, cost, wanted)
    fraction = needed["sparse"].fraction if "sparse" in needed else np.nan
    pixels = shape[0] * shape[1]
    return Rehearsal(
        shape, rate, cost, wanted,
        [_scaled(one, pixels) for points in forecasts.values() for one in points],
        {policy: _scaled(one, pixels) for policy, one in needed.items()},
        raster_dwell, best_visit,
        overhead=break_even_overhead(fraction, best_visit, raster_dwell),
        break_even=break_even_dwell(fraction, cost.overhead, raster_dwell),
    )  # fmt: skip


def _best_sparse(
    fields: Sequence[PaperField], budgets: Sequence[float], dwells: set[float], wanted: float
) -> tuple[float, list[list[Paid]]]:
    """Return the dwell time of a visit, s, that gets furthest, and the sparse maps with it."""
    # sparse visits may need longer than any raster, and the break-even dwell tells by how much
    longer = [*budgets, *(budgets[-1] * times for times in LONGER)]
    possible = sorted({max(dwell, fields[0].cost.minimum_dwell) for dwell in dwells})
    tried = {dwell: [sparse(field, longer, dwell) for field in fields] for dwell in possible}
    best = min(tried, key=lambda dwell: order_of(joined("sparse", tried[dwell]), wanted))
    return best, tried[best]


def _checked(
    phase_maps: Sequence[ArrayLike], means: ArrayLike, rate: float, wanted: float
) -> tuple[NDArray[np.float64], list[NDArray[np.int64]], tuple[int, int]]:
    """Return normalised spectra, the middles of the maps, and the shape of the whole map."""
    spectra = np.asarray(means, np.float64)
    if spectra.ndim != 2 or len(spectra) < 2 or not (spectra > 0).all() or not np.isfinite(spectra).all():
        raise ValueError(
            "means: mean spectra must be positive in every channel, (phases, channels) of 2 phases or more"
        )
    if not 0 < rate < np.inf:
        raise ValueError(f"rate: {rate} counts per second is not positive")
    if not 0 < wanted < 1:
        raise ValueError(f"wanted: a total distortion of {wanted} is not between 0 and 1")
    maps = [np.asarray(one) for one in phase_maps]
    if not maps or any(one.shape != maps[0].shape or one.ndim != 2 for one in maps):
        raise ValueError("phase_maps: give one or more maps, (rows, columns), of the same shape")
    if min(maps[0].shape) < 8:
        raise ValueError(f"phase_maps: {maps[0].shape} pixels are too few to rehearse on; give at least 8 x 8")
    for one in maps:
        if one.min() < 1 or one.max() > len(spectra):
            raise ValueError(f"phase_maps: labels go from {one.min()} to {one.max()}, spectra from 1 to {len(spectra)}")
    rows, columns = maps[0].shape
    top, left = max((rows - WINDOW) // 2, 0), max((columns - WINDOW) // 2, 0)
    windows = [one[top : top + WINDOW, left : left + WINDOW].astype(np.int64) for one in maps]
    return spectra / spectra.sum(axis=1, keepdims=True), windows, (rows, columns)


def _needed_dwell(field: PaperField, wanted: float) -> float:
    """Return the dwell time with which a raster reaches a distortion, s, between two that were tried."""
    dwell, before = max(FIRST_COUNTS / field.rate, field.cost.minimum_dwell), (0.0, 1.0)
    while dwell * field.rate <= MOST_COUNTS:
        found = max(raster(field, dwell).distortion, 0.5 / field.labels.size)
        if found <= wanted:
            return dwell if before[0] == 0 else between(before, (dwell, found), wanted)
        before = dwell, found
        dwell *= np.sqrt(2.0)
    return float("inf")


def _budgets(field: PaperField, dwell: float) -> list[float]:
    """Return times a pixel, s, rising: that of a raster half as long again as is needed, its half, its quarter, ..."""
    most = 1.5 * dwell + field.cost.overhead
    least = (field.cost.minimum_dwell + field.cost.overhead) * 16 / field.labels.size
    return [budget for halving in range(HALVINGS, -1, -1) if (budget := most / 2**halving) > least]


def _raster_needed(dwell: float, cost: VisitCost, wanted: float) -> Forecast:
    return Forecast("raster", dwell + cost.overhead, dwell, 1.0, wanted, wanted, wanted)


def _scaled(one: Forecast, pixels: int) -> Forecast:
    return replace(one, seconds=one.seconds * pixels, exposure=one.exposure * pixels)
