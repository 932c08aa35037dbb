"""The camera behind an EELS spectrometer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EELSCamera:
    """A scintillator coupled to a CCD or CMOS sensor, its dark reference subtracted.

    Attributes
    ----------
    gain : float
        Mean digital counts per electron.
    gain_spread : float
        Standard deviation of the counts from one electron, relative to their mean.
    read_noise : float
        Standard deviation of the read-out of one channel, digital counts.

    Raises
    ------
    ValueError
        If the gain is not positive, or a noise is negative.
    """

    gain: float = 10.0
    gain_spread: float = 0.5
    read_noise: float = 8.0

    def __post_init__(self) -> None:
        if not (self.gain > 0 and self.gain_spread >= 0 and self.read_noise >= 0):
            raise ValueError("an EELS camera needs a positive gain, and noises that are not negative")

    def read(self, expected: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return what the camera reads where electrons are expected.

        Its variance is ``gain^2 (1 + gain_spread^2) expected + read_noise^2`` and that of rounding, 1/12.

        Parameters
        ----------
        expected : ndarray
            (channels,) float64, expected electrons.
        rng : numpy.random.Generator
            Random numbers of this measurement.

        Returns
        -------
        ndarray
            (channels,) float32, whole digital counts; noise can make them negative.
        """
        electrons = rng.poisson(expected)
        noise = np.sqrt((self.gain * self.gain_spread) ** 2 * electrons + self.read_noise**2)
        noise *= rng.standard_normal(electrons.size)
        return np.asarray(np.rint(self.gain * electrons + noise), dtype=np.float32)
