"""Stopping by the estimate of what is left: how often its interval is right at the moment of stopping."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._sampling_maps import SIDE, Case, families
from daisy_bluesky.bench._stopping_coverage import COVERED, Stop, coverage
from daisy_bluesky.sampling import Slads, total_distortion
from daisy_bluesky.specimen import phantom

LIMITS = (0.05, 0.02, 0.01)
EARLIEST, LATEST = 0.03, 0.35
EVERY = 64
PHANTOMS = ("dendrites", "spheres", "interfaces")
PHANTOM_SEEDS = range(10)
HIDDEN_SEEDS = range(10)


def measure(data: Path) -> Iterator[Gate]:
    """Sample with the shipped model until the upper limit of the estimate falls below several values."""
    none = np.zeros((SIDE, SIDE), bool)
    cases = {family.name: family.cases for family in families(data)}
    for kind in PHANTOMS:
        made = [Case(phantom(kind, (SIDE, SIDE), seed=seed).astype(np.int64), none, seed) for seed in PHANTOM_SEEDS]
        cases[f"phantom {kind}, seeds {PHANTOM_SEEDS[0]}-{PHANTOM_SEEDS[-1]}"] = made
    yield from compare(cases)
    yield hidden_objects()


def compare(cases: dict[str, list[Case]]) -> Iterator[Gate]:
    """Yield coverage and width over all families, and of each."""
    stops = {name: [stop for case in each for stop in sample(case)] for name, each in cases.items()}
    limits = ", ".join(f"{limit:g}" for limit in LIMITS)
    what = f"90% interval of the remaining distortion when its upper end falls below {limits}"
    yield coverage(f"{what}, all maps", [stop for each in stops.values() for stop in each])
    for name, each in stops.items():
        yield coverage(f"{what}: {name.split(',')[0]}", each)


def sample(case: Case) -> list[Stop]:
    """Sample a map and note the state whenever the upper end first falls below one of the limits."""
    sampler = Slads(case.truth.shape, phases=int(case.truth.max()), seed=case.seed)
    found, stops, waiting = case.found, [], list(LIMITS)
    for number in range(round(LATEST * case.truth.size)):
        visit = sampler.suggest()[0]
        place = (int(visit["row"]), int(visit["column"]))
        sampler.ingest([place], [int(found[place])])
        if number % EVERY or number < EARLIEST * found.size:
            continue
        estimate, low, high = sampler.remaining_distortion()
        while waiting and high <= waiting[0]:
            true = total_distortion(sampler.reconstruct(), case.truth, case.ill)
            stops.append(Stop(estimate, low, high, true))
            waiting.pop(0)
        if not waiting:
            break
    return stops


def hidden_objects() -> Gate:
    """Return how often the upper end allows for one small disc in a plain field, just before it is met."""
    true, high = [], []
    for seed in HIDDEN_SEEDS:
        rows, columns = np.indices((SIDE, SIDE)) - np.random.default_rng(seed).integers(16, SIDE - 16, (2, 1, 1))
        truth = 1 + (np.hypot(rows, columns) < SIDE / 40)
        sampler, bound = Slads(truth.shape, phases=1, seed=seed), 1.0
        for number in range(truth.size):
            visit = sampler.suggest()[0]
            place = (int(visit["row"]), int(visit["column"]))
            if truth[place] == 2:
                break
            sampler.ingest([place], [1])
            if number % EVERY == 0:
                bound = sampler.remaining_distortion()[2]
        true.append(float((truth == 2).mean()))
        high.append(bound)
    safe = float(np.mean(np.array(high) >= true))
    return Gate(
        f"one disc of radius {SIDE // 40} in a plain field, seeds {HIDDEN_SEEDS[0]}-{HIDDEN_SEEDS[-1]}: upper end of "
        "the estimate just before it is met",
        f"not below the disc's area in {safe:.0%} of the runs",
        ">= 82%",
        safe >= COVERED[0],
        f"median upper end {np.median(high):.4f}, area {np.median(true):.4f}",
        {"safe": safe},
    )
