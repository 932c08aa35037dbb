"""The shear that drift gives to every frame alike: told from the drift between frames, or said to be unknown."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._mfsi_registration import Case
from daisy_bluesky.mfsi import CommonDistortion, register

SEEDS = range(5)
DRIFTING = Case("drift of 2 px a frame along the lines, 20 frames", 20, scan={"drift": (0.5, 1.94)})
STILL = Case("a random walk of 0.15 px a frame, 8 frames", 8, scan={"drift": (0.0, 0.0)})
WANTED = 0.1  # degrees


def measure(_data: Path) -> Iterator[Gate]:
    """Register series with and without drift."""
    drifting = [common_distortion(DRIFTING, seed) for seed in SEEDS]
    errors = [abs(common.shear - true) for common, true in drifting]
    worst = max(errors) if all(common.known for common, _ in drifting) else float("nan")
    claimed = sum(common_distortion(STILL, seed)[0].known for seed in SEEDS)
    yield Gate(
        f"registration: shear common to all frames; {DRIFTING.what}, worst of {len(SEEDS)} seeds",
        f"{np.median([true for _, true in drifting]):.2f} degrees, right to {worst:.3f}; {claimed} of {len(SEEDS)} "
        f"claimed for {STILL.what}",
        f"right to {WANTED:g} degrees; else unknown",
        bool(worst <= WANTED and claimed == 0),
        "",
        {"worst": worst, "claimed": float(claimed)},
    )


def common_distortion(case: Case, seed: int) -> tuple[CommonDistortion, float]:
    """Return what the registration of a series says, and its true shear in degrees."""
    series = case.series(seed)
    registration = register([series.image(frame) for frame in range(case.frames)])
    mean = np.mean([series.displacement(frame).mean(axis=1) for frame in range(case.frames)], axis=0)
    return registration.common_distortion, true_shear(mean)


def true_shear(displacement: NDArray[np.float64]) -> float:
    """Return the angle by which columns lean, degrees, from the displacement of rows, (rows, 2) px."""
    slope = np.polyfit(np.arange(len(displacement)), displacement[:, 1], 1)[0]
    return float(np.degrees(np.arctan(slope)))
