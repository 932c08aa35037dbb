"""Total distortion of sparse sampling with certain labels, beside every sparse peer."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._sampling_electrons import COUNTS, equal_electron_raster
from daisy_bluesky.bench._sampling_maps import Case, Family, LabelMap, families, trained_model, training_maps
from daisy_bluesky.bench._sampling_peers import Predictor, learn, sampled
from daisy_bluesky.sampling import Slads, SladsModel, patterns, reconstruct, total_distortion

FRACTIONS = (0.05, 0.1, 0.15, 0.2)
COMPARED = (0, 1, 2)
STATIC = (patterns.raster, patterns.jittered, patterns.sobol, patterns.random)
OURS = "ours"
NET = "SLADS-Net"
WANTED_AREA = 0.85
# Total distortion at 10, 15 and 20%.
WANTED = {"dendrite2": {1: 0.021, 2: 0.005, 3: 0.0018}, "two-phase": {1: 0.024, 2: 0.008}}
Curves = dict[str, NDArray[np.float64]]


def measure(data: Path) -> Iterator[Gate]:
    """Sample every map adaptively, as published, in static patterns, and by a raster of as many electrons."""
    peers: dict[str, dict[str, Predictor]] = {}
    for family in families(data):
        if family.training not in peers:
            peers[family.training] = learn(training_maps(data, family.training))
        yield from compare(family, trained_model(data, family.training), peers[family.training])


def compare(family: Family, model: SladsModel, peers: dict[str, Predictor]) -> Iterator[Gate]:
    """Yield the rows of one family of maps."""
    curves: Curves = {OURS: np.array([adaptive(case, model, FRACTIONS) for case in family.cases])}
    for name, predictor in peers.items():
        both = np.array([_peer(case, predictor) for case in family.cases])
        curves[name], curves[f"{name}, our reconstruction"] = both[..., 0], both[..., 1]
    for pattern in STATIC:
        curves[pattern.__name__] = np.array([_static(case, pattern.__name__) for case in family.cases])
    for counts in COUNTS:
        name = f"raster of the same electrons, {counts:g} counts a visit"
        curves[name] = np.array([[equal_electron_raster(case, f, counts) for f in FRACTIONS] for case in family.cases])
    yield _distortion(family, curves)
    yield _below_every_peer(family, curves)
    yield _area(family, curves)


def adaptive(case: Case, model: SladsModel, fractions: Sequence[float]) -> list[float]:
    """Sample a map one pixel at a time; return the distortion of the reconstruction at every fraction."""
    sampler = Slads(case.truth.shape, phases=int(case.truth.max()), model=model, seed=case.seed)
    found, figures, done = case.found, [], 0
    for fraction in fractions:
        wanted = round(fraction * case.truth.size)
        for _ in range(wanted - done):
            visit = sampler.suggest()[0]
            place = (int(visit["row"]), int(visit["column"]))
            sampler.ingest([place], [int(found[place])])
        done = wanted
        figures.append(total_distortion(sampler.reconstruct(), case.truth, case.ill))
    return figures


def best_map(found: LabelMap, measured: NDArray[np.bool_]) -> LabelMap:
    """Return what `reconstruct` makes of the measured pixels, (rows, columns) int64."""
    return reconstruct((found.shape[0], found.shape[1]), np.argwhere(measured), found[measured])


def _peer(case: Case, predictor: Predictor) -> list[tuple[float, float]]:
    """Return the distortion of the published reconstruction (the vote) and of ours from the same points."""
    return [
        (
            total_distortion(labels, case.truth, case.ill),
            total_distortion(best_map(case.found, measured), case.truth, case.ill),
        )
        for labels, measured in sampled(case, predictor, FRACTIONS)
    ]


def _static(case: Case, name: str) -> list[float]:
    """Return the distortion of our reconstruction from a static pattern."""
    figures = []
    for fraction in FRACTIONS:
        measured = np.zeros(case.truth.shape, bool)
        measured[tuple(getattr(patterns, name)(case.truth.shape, fraction, case.seed).T)] = True
        figures.append(total_distortion(best_map(case.found, measured), case.truth, case.ill))
    return figures


def _at(figures: NDArray[np.float64]) -> str:
    return " / ".join(f"{figure:.4f}" for figure in figures)


def _spread(curve: NDArray[np.float64]) -> str:
    """Return the median curve and, at 15%, the quartiles."""
    low, high = np.quantile(curve[:, FRACTIONS.index(0.15)], (0.25, 0.75))
    return f"{_at(np.median(curve, axis=0))} (quartiles at 15% {low:.4f}-{high:.4f})"


def _distortion(family: Family, curves: Curves) -> Gate:
    low, middle, high = np.quantile(curves[OURS], (0.25, 0.5, 0.75), axis=0)
    wanted = next((gates for start, gates in WANTED.items() if family.name.startswith(start)), {})
    figures = {
        f"{name} at {fraction:.0%}": float(value)
        for name, curve in curves.items()
        for fraction, value in zip(FRACTIONS, np.median(curve, axis=0), strict=True)
    }
    return Gate(
        f"{family.name}: total distortion at 5 / 10 / 15 / 20%, median",
        f"{_at(middle)}; quartiles {_at(low)} and {_at(high)}",
        " / ".join(f"<= {limit} at {FRACTIONS[number]:.0%}" for number, limit in wanted.items()),
        all(middle[number] <= limit for number, limit in wanted.items()) if wanted else None,
        "; ".join(f"{name} {_spread(curve)}" for name, curve in curves.items() if name != OURS),
        figures,
    )


def _below_every_peer(family: Family, curves: Curves) -> Gate:
    published = [name for name in curves if name != OURS and "," not in name]
    best = np.min([np.median(curves[name], axis=0) for name in published], axis=0)
    own = np.median(curves[OURS], axis=0)
    return Gate(
        f"{family.name}: below every sparse peer at 5, 10 and 15%, medians",
        ", ".join(f"{own[number] / best[number]:.2f} x" for number in COMPARED),
        "< 1 x the best peer's",
        bool(all(own[number] < best[number] for number in COMPARED)),
    )


def _area(family: Family, curves: Curves) -> Gate:
    areas = {name: float(np.median(np.trapezoid(curve, FRACTIONS, axis=1))) for name, curve in curves.items()}
    ratio = areas[OURS] / areas[NET]
    same = areas[OURS] / areas[f"{NET}, our reconstruction"]
    return Gate(
        f"{family.name}: area under the curve of total distortion from 5 to 20%, medians",
        f"{ratio:.3f} x SLADS-Net's",
        f"<= {WANTED_AREA} x",
        ratio <= WANTED_AREA,
        f"{same:.3f} x if SLADS-Net's points are reconstructed as ours are",
        {"ratio": ratio, "ratio, our reconstruction": same},
    )
