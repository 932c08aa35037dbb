"""Batches of 50: what they cost in quality, and how far the beam travels."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._sampling_maps import Case, Family, families, trained_model
from daisy_bluesky.sampling import Slads, SladsModel, total_distortion

BATCH = 50
FRACTIONS = (0.05, 0.1, 0.15)
WANTED_QUALITY, WANTED_TRAVEL = 1.1, 1 / 2.5


def measure(data: Path) -> Iterator[Gate]:
    """Sample every map one by one and in batches, with the same model and seeds."""
    for family in families(data):
        yield from compare(family, trained_model(data, family.training), BATCH)


def compare(family: Family, model: SladsModel, batch: int) -> Iterator[Gate]:
    """Yield the rows of one family of maps."""
    alone, together = ([sample(case, model, size, FRACTIONS) for case in family.cases] for size in (1, batch))
    one, many = (np.median([figures for figures, _ in runs], axis=0) for runs in (alone, together))
    means = [float(np.mean([figures for figures, _ in runs])) for runs in (alone, together)]
    yield Gate(
        f"{family.name}, batches of {batch}: total distortion against one by one, mean of 5, 10 and 15%",
        f"{means[1] / means[0]:.3f} x",
        f"<= {WANTED_QUALITY} x",
        means[1] <= WANTED_QUALITY * means[0],
        f"medians {_at(many)} against {_at(one)}",
        {"ratio": means[1] / means[0]},
    )
    travelled = [float(np.median([travel for _, travel in runs])) for runs in (alone, together)]
    yield Gate(
        f"{family.name}, batches of {batch}: beam travel against one by one",
        f"1/{travelled[0] / travelled[1]:.1f}",
        "<= 1/2.5",
        travelled[1] <= WANTED_TRAVEL * travelled[0],
        "",
        {"ratio": travelled[1] / travelled[0]},
    )


def sample(case: Case, model: SladsModel, batch: int, fractions: Sequence[float]) -> tuple[list[float], float]:
    """Return the distortion of the reconstruction at every fraction, and the way of the beam, pixels."""
    sampler = Slads(case.truth.shape, phases=int(case.truth.max()), model=model, seed=case.seed)
    found, figures = case.found, []
    way: list[NDArray[np.int64]] = []
    done = 0
    for fraction in fractions:
        wanted = round(fraction * case.truth.size)
        while done < wanted:
            visits = sampler.suggest(min(batch, wanted - done))
            places = np.stack([visits["row"], visits["column"]], axis=1)
            sampler.ingest(places, found[tuple(places.T)])
            way.append(places)
            done += len(places)
        figures.append(total_distortion(sampler.reconstruct(), case.truth, case.ill))
    return figures, float(np.hypot(*np.diff(np.concatenate(way), axis=0).T).sum())


def _at(figures: NDArray[np.float64]) -> str:
    return " / ".join(f"{figure:.4f}" for figure in figures)
