"""What a decision costs, and what a sampler takes to start."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from time import process_time, thread_time_ns

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._sampling_maps import two_phases
from daisy_bluesky.sampling import Slads, patterns

SEED = 1
SIDES = (1024, 4096)
DECISIONS = 2000
WANTED_MEDIAN, WANTED_TAIL = 0.3, 1.0
WANTED_START, WANTED_MEMORY = 2.0, 400e6


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - a generated field
    """Time start-up and decisions, after everything is compiled."""
    _after_five_percent(two_phases(64, SEED), 50)
    yield _start_up(two_phases(SIDES[0], SEED))
    yield _memory(two_phases(SIDES[0], SEED))
    for side in SIDES:
        yield _decisions(side)


def _ingest(truth: NDArray[np.int64], fraction: float) -> Slads:
    sampler = Slads((truth.shape[0], truth.shape[1]), phases=2, seed=SEED)
    places = patterns.sobol((truth.shape[0], truth.shape[1]), fraction, SEED)
    sampler.ingest(places, truth[tuple(places.T)])
    sampler.remaining_distortion()
    return sampler


def _start_up(truth: NDArray[np.int64]) -> Gate:
    began = process_time()
    _ingest(truth, 0.01)
    spent = process_time() - began
    return Gate(
        "start-up, 1% of 1024 x 1024 ingested and all scores ready: CPU time",
        f"{spent:.2f} s",
        f"<= {WANTED_START:g} s",
        spent <= WANTED_START,
        "",
        {"seconds": spent},
    )


def _memory(truth: NDArray[np.int64]) -> Gate:
    tracemalloc.start()
    sampler = _ingest(truth, 0.05)
    sampler.suggest()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Gate(
        "memory of a sampler of 1024 x 1024 with 5% ingested: peak of what it allocates",
        f"{peak / 1e6:.0f} MB",
        f"<= {WANTED_MEMORY / 1e6:.0f} MB",
        peak <= WANTED_MEMORY,
        "",
        {"bytes": float(peak)},
    )


def _after_five_percent(truth: NDArray[np.int64], decisions: int) -> NDArray[np.float64]:
    """Return the CPU time of every suggest and ingest, ms; the first, which find everything cold, left out.

    The 5% hold the sampler's own start pattern, so that every decision is one by expected reduction.
    """
    sampler = _ingest(truth, 0.05)
    times = np.empty(decisions)
    for number in range(decisions):
        began = thread_time_ns()
        visit = sampler.suggest()[0]
        place = (int(visit["row"]), int(visit["column"]))
        sampler.ingest([place], [int(truth[place])])
        times[number] = (thread_time_ns() - began) / 1e6
    return times[decisions // 10 :]


def _decisions(side: int) -> Gate:
    repeats = side // SIDES[0]
    truth = np.tile(two_phases(SIDES[0], SEED), (repeats, repeats))
    middle, tail = np.quantile(_after_five_percent(truth, DECISIONS), (0.5, 0.99))
    times = 1 if side == SIDES[0] else 2
    return Gate(
        f"decision (suggest and ingest), {side} x {side} after 5%, seed {SEED}, {DECISIONS} decisions: CPU time",
        f"median {middle:.3f} ms, p99 {tail:.3f} ms",
        f"<= {times * WANTED_MEDIAN:g} ms, {times * WANTED_TAIL:g} ms",
        bool(middle <= times * WANTED_MEDIAN and tail <= times * WANTED_TAIL),
        "",
        {"median": float(middle), "p99": float(tail)},
    )
