"""How often the interval of what is left holds the truth, where and how long decided, at the moment of stopping."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._sampling_maps import four_phases, two_phases
from daisy_bluesky.bench._stopping_coverage import Stop, coverage
from daisy_bluesky.sampling.calibrate_stopping import DOSE_SIDE, SEPARATIONS, dose_states, label_map
from daisy_bluesky.specimen import phantom

SEEDS = (201,)
OVERHEADS = (0.0, 10.0)
KINDS = ("dendrites", "spheres", "interfaces", "grains", "overlaps")
LIMITS = (0.05, 0.02, 0.01, 0.005)


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - generated maps only
    """Measure coverage and width on maps of other kinds and seeds than those of the calibration."""
    stops = [
        stop
        for seed in SEEDS
        for truth in unseen_maps(seed)
        for separation in SEPARATIONS
        for overhead in OVERHEADS
        for stop in stopped(truth, seed, separation, overhead)
    ]
    yield coverage(
        f"where and how long, {DOSE_SIDE} x {DOSE_SIDE} maps of {2 + len(KINDS)} kinds, seed {SEEDS[0]}, overhead "
        f"{' and '.join(f'{each:g}' for each in OVERHEADS)} dwells: 90% interval of the remaining distortion when its "
        f"upper end falls below {', '.join(f'{limit:g}' for limit in LIMITS)}",
        stops,
    )


def unseen_maps(seed: int) -> list[NDArray[np.int64]]:
    """Return maps of kinds that the calibration has not seen, or not these."""
    made = [two_phases(DOSE_SIDE, seed), four_phases(DOSE_SIDE, seed)]
    made += [phantom(kind, (DOSE_SIDE, DOSE_SIDE), seed=seed).astype(np.int64) for kind in KINDS]
    return [label_map(each) for each in made]


def stopped(truth: NDArray[np.int64], seed: int, separation: float, overhead: float) -> list[Stop]:
    """Return the state of a run whenever the upper end first falls below one of the limits."""
    stops, waiting = list[Stop](), list(LIMITS)
    for allocator, distortion in dose_states(truth, seed, separation, overhead):
        estimate, low, high = allocator.remaining_distortion()
        while waiting and high <= waiting[0]:
            stops.append(Stop(estimate, low, high, distortion))
            waiting.pop(0)
    return stops
