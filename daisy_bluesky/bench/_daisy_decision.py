"""What a decision for several objectives costs."""

from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import numpy as np

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.sampling import Objectives
from daisy_bluesky.specimen import phantom

SHAPE = (256, 256)
BEFORE, TIMED = 0.05, 1000
WANTED = 1e-3


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - maps are generated
    """Measure ingest and suggest, three objectives, after 5% of the pixels."""
    maps = [phantom(kind, SHAPE, seed=7, phases=2).astype(float) for kind in ("grains", "dendrites", "spheres")]
    objectives = Objectives(SHAPE, {"A": 1.0, "B": 1.0, "poor in C": 1.0}, seed=7)
    rng, times = np.random.default_rng(7), []
    for _ in range(round(BEFORE * maps[0].size) + TIMED):
        visit = objectives.suggest()[0]
        place = (int(visit["row"]), int(visit["column"]))
        evidence = [[(image[place] + 0.1 * rng.standard_normal(), 0.01) for image in maps]]
        began = thread_time()
        objectives.ingest([place], evidence)
        objectives.suggest()
        times.append(thread_time() - began)
    timed = np.array(times[-TIMED:])
    yield Gate(
        f"decision for 3 objectives (ingest + suggest), {SHAPE[0]} x {SHAPE[1]} after {BEFORE:.0%}, CPU time, {TIMED} "
        "decisions: median",
        f"{np.median(timed) * 1e3:.2f} ms",
        f"<= {WANTED * 1e3:g} ms",
        bool(np.median(timed) <= WANTED),
        f"99% below {np.quantile(timed, 0.99) * 1e3:.2f} ms; the longest, with a look over everything, "
        f"{timed.max() * 1e3:.0f} ms",
        {"median": float(np.median(timed)), "p99": float(np.quantile(timed, 0.99))},
    )
