"""The shortest, the longest and the largest series that are registered: what they cost, and how right they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._displacement_error import displacement_error
from daisy_bluesky.bench._gate import Gate
from daisy_bluesky.bench._mfsi_registration import Case, warm_up
from daisy_bluesky.mfsi import register
from daisy_bluesky.specimen import VirtualSeries

SEED = 0
CASES = (
    Case("2 frames of 64 x 64, a crystal", 2, (64, 64)),
    Case("1,000 frames of 64 x 64, particles", 1000, (64, 64), periodic=False),
    Case("2 frames of 2,048 x 2,048, a crystal", 2, (2048, 2048)),
)
MOST_SCORED = 100


@dataclass
class Drawn:
    """The frames of a virtual series, each drawn when it is asked for, and the CPU time that took, s."""

    series: VirtualSeries
    frames: int
    seconds: float = 0.0

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.frames

    def __getitem__(self, frame: int) -> NDArray[np.float32]:
        """Return the image of a frame."""
        began = process_time()
        image = self.series.image(frame)
        self.seconds += process_time() - began
        return image


def measure(_data: Path) -> Iterator[Gate]:
    """Register one series of each kind, one frame in memory at a time."""
    warm_up()
    for case in CASES:
        yield extreme(case)


def extreme(case: Case) -> Gate:
    """Return the row on one series."""
    series = case.series(SEED)
    frames = Drawn(series, case.frames)
    began = process_time()
    registration = register(frames)  # type: ignore[arg-type]
    spent = process_time() - began - frames.seconds
    scored = registration.numbers[:: max(1, case.frames // MOST_SCORED)].tolist()
    found = np.array([registration.displacement(frame) for frame in scored])
    error = displacement_error(found, np.array([series.displacement(frame) for frame in scored]))
    pixels = case.frames * case.shape[0] * case.shape[1]
    wrong = error.jumps + len(registration.excluded)
    return Gate(
        f"registration: CPU time, error of rows, px rms y/x, jumped frames; {case.what}, seed {SEED}",
        f"{spent:.1f} s = {1e6 * spent / pixels:.1f} us a pixel, {error.row[0]:.3f}/{error.row[1]:.3f}, {wrong}",
        "0 jumps",
        wrong == 0,
        "",
        {"seconds": spent, "y": float(error.row[0]), "x": float(error.row[1]), "jumps": float(wrong)},
    )
