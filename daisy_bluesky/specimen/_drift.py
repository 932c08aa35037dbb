"""Drift of the specimen under the beam."""

from dataclasses import dataclass, field
from math import cos, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray

_STEP = 1.0  # of the random walk, s


@dataclass(frozen=True)
class Drift:
    """A steady drift and a random walk, both functions of the clock time.

    Attributes
    ----------
    rate : float
        Speed of the steady drift, nm per minute.
    direction : float
        Its direction: 0 moves the specimen towards higher columns, 90 towards higher rows, degrees.
    random_walk : float
        Root-mean-square displacement along each axis after one minute of random walk, nm.
    seed : int
        Seed of the random walk.
    """

    rate: float = 0.0
    direction: float = 0.0
    random_walk: float = 0.0
    seed: int = 0
    _walk: list[NDArray[np.float64]] = field(default_factory=list, init=False, repr=False, compare=False)

    def displacement(self, time: float) -> tuple[float, float]:
        """Return how far the specimen has moved along rows and columns, nm, at a clock time in s."""
        steady = self.rate * time / 60
        row, column = steady * sin(radians(self.direction)), steady * cos(radians(self.direction))
        if self.random_walk:
            before, after = self._position(int(time / _STEP)), self._position(int(time / _STEP) + 1)
            part = time / _STEP % 1
            row += (1 - part) * before[0] + part * after[0]
            column += (1 - part) * before[1] + part * after[1]
        return row, column

    def _position(self, step: int) -> NDArray[np.float64]:
        if not self._walk or len(self._walk[0]) <= step:
            rng = np.random.default_rng(self.seed)
            steps = rng.standard_normal((2 ** max(12, (step + 1).bit_length()), 2))
            steps[0] = 0
            self._walk[:] = [np.cumsum(steps, axis=0) * self.random_walk * sqrt(_STEP / 60)]
        return np.asarray(self._walk[0][step])
