"""How long one decision of dose allocation takes."""

from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.sampling import DoseAllocator
from daisy_bluesky.specimen import phantom

SEED = 0
PHASES = 4
SIDES = {256: 0.5e-3, 1024: 1e-3}
EVENTS = 1000
NATS = 0.35


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - made from the repository's own phantoms
    """Time ingest and suggest, one event at a time, after a fast frame."""
    for side, wanted in SIDES.items():
        times = _times(side)
        median, last = np.quantile(times, (0.5, 0.99))
        yield Gate(
            f"decision of dose allocation (ingest + suggest), {side} x {side}, {PHASES} phases, grains, seed {SEED}, "
            f"after a fast frame, {EVENTS} events: CPU time",
            f"median {median * 1e3:.2f} ms",
            f"<= {wanted * 1e3:g} ms",
            bool(median <= wanted),
            f"99% {last * 1e3:.2f} ms",
            {"median": float(median), "p99": float(last)},
        )


def _times(side: int) -> list[float]:
    rng = np.random.default_rng(SEED)
    truth = phantom("grains", (side, side), seed=SEED).astype(np.int64).clip(1, PHASES)
    allocator = DoseAllocator(truth.shape, phases=PHASES, seed=SEED)
    places = np.argwhere(truth > 0)
    allocator.ingest(places, _evidence(truth.ravel(), rng))
    times = []
    visits = allocator.suggest()
    for event in range(EVENTS):
        places = np.stack([visits["row"], visits["column"]], axis=1)
        evidence = _evidence(truth[places[:, 0], places[:, 1]], rng)
        began = thread_time()
        allocator.ingest(places, evidence, dwell=visits["dwell"], visits=[event])
        visits = allocator.suggest()
        times.append(thread_time() - began)
    return times


def _evidence(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return log-likelihoods that tell the true phase by so many nats on average, (n, phases)."""
    evidence = rng.normal(0.0, np.sqrt(NATS), (len(labels), PHASES))
    evidence[np.arange(len(labels)), labels - 1] += NATS
    return evidence
