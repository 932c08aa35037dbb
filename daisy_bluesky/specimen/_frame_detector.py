"""The annular dark-field detector of a fast scan."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


@dataclass(frozen=True)
class ScanDetector:
    """An ADF detector that is read pixel by pixel.

    Attributes
    ----------
    gain : float
        Mean digital counts per detected electron.
    offset : float
        What it reads without beam, digital counts.
    read_noise : float
        Standard deviation of that reading, digital counts.
    afterglow : float
        Part of a pixel's light that comes out in the next one, and of that again in the one after it; below 1.

    Raises
    ------
    ValueError
        If the gain is not positive, the noise negative, or the afterglow outside 0 to 1.
    """

    gain: float = 1.0
    offset: float = 0.0
    read_noise: float = 0.0
    afterglow: float = 0.0

    def __post_init__(self) -> None:
        if not (self.gain > 0 and self.read_noise >= 0 and 0 <= self.afterglow < 1):
            raise ValueError(
                "an ADF detector needs a gain above 0, no negative noise, and an afterglow from 0 to below 1"
            )

    def read(self, expected: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the image read where electrons are expected, both (rows, columns)."""
        electrons = rng.poisson(expected).astype(np.float64)
        if self.afterglow:
            electrons = lfilter([1 - self.afterglow], [1, -self.afterglow], electrons.ravel()).reshape(electrons.shape)
        noise = self.read_noise * rng.standard_normal(electrons.shape) if self.read_noise else 0.0
        return np.asarray(self.gain * electrons + self.offset + noise, dtype=np.float32)
