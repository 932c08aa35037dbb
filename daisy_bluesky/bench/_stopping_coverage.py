"""How often an interval of the remaining distortion holds the truth when a run stops by it."""

from dataclasses import dataclass

import numpy as np

from daisy_bluesky.bench._gate import Gate

COVERED = (0.82, 0.98)
# Distortion below which it does not matter how many times as wide as the estimate an interval is.
LEAST = 1e-3


@dataclass(frozen=True)
class Stop:
    """The moment a run stopped: estimate and interval, and the truth."""

    estimate: float
    low: float
    high: float
    true: float


def coverage(what: str, stops: list[Stop]) -> Gate:
    """Return how often the 90% interval held the truth, and how wide it was."""
    covered = float(np.mean([stop.low <= stop.true <= stop.high for stop in stops]))
    above = float(np.mean([stop.true > stop.high for stop in stops]))
    width = float(np.median([(stop.high - stop.low) / max(stop.estimate, LEAST) for stop in stops]))
    return Gate(
        f"{what}, {len(stops)} stops",
        f"covers {covered:.0%} (truth above it {above:.0%}); width {width:.2f} x the estimate (median)",
        f"covers {COVERED[0]:.0%}-{COVERED[1]:.0%}",
        COVERED[0] <= covered <= COVERED[1],
        "",
        {"covered": covered, "above": above, "width": width},
    )
