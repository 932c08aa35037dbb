"""How soon damage is noticed, and how often where there is none."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.mfsi import DamageMonitor

SERIES, FRAMES = 20, 230
EDGE_COUNTS, EDGE_BACKGROUND = 12_000, 20_000  # electrons a frame in the window of an oxygen edge
CARBON_COUNTS, CARBON_BACKGROUND = 150, 500  # X-rays a frame at 0.277 keV
LOSSES = {"mass loss by dose": 1.0, "a third stays": 0.67}  # part of the signal that can go
CRITICAL = 300.0  # frames after which 1/e of it is left
MOST_LOST = 0.10


def measure(data: Path) -> Iterator[Gate]:  # noqa: ARG001 - simulated series
    """Watch simulated series in which the oxygen edge fades and carbon grows."""
    quiet = [_series(seed, lambda frame: np.zeros_like(frame)) for seed in range(SERIES)]
    alarms = sum(noticed < FRAMES for noticed, _ in quiet)
    yield Gate(
        f"false alarms of both monitors in {SERIES} undamaged series of {FRAMES} frames",
        f"{alarms}",
        "0",
        alarms == 0,
        "",
        {"alarms": float(alarms)},
    )
    for name, part in LOSSES.items():
        lost = [_series(seed, _fading(part)) for seed in range(100, 100 + SERIES)]
        worst = max(at for _, at in lost)
        frames, share = np.median(lost, axis=0)
        yield Gate(
            f"signal lost when damage is noticed, {name}, worst of {SERIES} series",
            f"{worst:.1%}",
            f"< {MOST_LOST:.0%}",
            worst < MOST_LOST,
            f"median {share:.1%}, after {frames:.0f} frames",
            {"worst": worst},
        )


def _fading(part: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda frame: part * (1 - np.exp(-frame / CRITICAL))


def _series(seed: int, lost: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> tuple[int, float]:
    """Return the frame at which either monitor notices, or the number of frames, and what is lost by then."""
    rng = np.random.default_rng(seed)
    gone = lost(np.arange(FRAMES, dtype=np.float64))
    edge, carbon = DamageMonitor("falling"), DamageMonitor("rising")
    edge_counts = rng.poisson(EDGE_COUNTS * (1 - gone) + EDGE_BACKGROUND)
    carbon_counts = rng.poisson(CARBON_COUNTS * (1 + 2 * gone) + CARBON_BACKGROUND)
    for frame in range(FRAMES):
        fading = edge.add(float(edge_counts[frame]))
        growing = carbon.add(float(carbon_counts[frame]))
        if fading or growing:
            return frame, float(gone[frame])
    return FRAMES, float(gone[-1])
