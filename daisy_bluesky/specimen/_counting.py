"""Counts of a detector that sees a mixture of known spectra: exact Poisson statistics, quickly."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled

_GUIDE = 4096  # entries of the look-up table that tells where to begin the search for a channel
_MANY = 7_000  # expected counts above which one Poisson number per channel is quicker than one channel per count


class CountingSource:
    """Draws spectra whose channels are independent Poisson numbers.

    Parameters
    ----------
    spectra : array_like, (components, channels)
        Expected spectra of the components, in any unit; each is normalised.

    Attributes
    ----------
    spectra : (components, channels) float64
        The normalised spectra.

    Raises
    ------
    ValueError
        If a spectrum has negative channels or no counts.
    """

    def __init__(self, spectra: ArrayLike) -> None:
        spectra = np.atleast_2d(np.asarray(spectra, dtype=np.float64))
        totals = spectra.sum(axis=1, keepdims=True)
        if not (np.all(spectra >= 0) and np.all(totals > 0)):
            raise ValueError("spectra to draw counts from must not be negative or empty")
        self.spectra = spectra / totals
        self._cumulative = np.cumsum(self.spectra, axis=1)
        self._cumulative /= self._cumulative[:, -1:]
        starts = np.arange(_GUIDE) / _GUIDE
        self._guide = np.array([np.searchsorted(row, starts, side="right") for row in self._cumulative])

    def draw(self, expected: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint32]:
        """Draw one spectrum.

        Parameters
        ----------
        expected : (components,) float64
            Expected counts of each component.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        (channels,) uint32
            Counts; every channel an independent Poisson number with the mixture as its mean.
        """
        if expected.sum() > _MANY:
            return np.asarray(rng.poisson(expected @ self.spectra), dtype=np.uint32)
        numbers = rng.poisson(expected)
        counts = np.zeros(self.spectra.shape[1], dtype=np.uint32)
        _sort_into_channels(rng.random(numbers.sum()), numbers, self._cumulative, self._guide, counts)
        return counts


@compiled
def _sort_into_channels(
    uniform: NDArray[np.float64],
    numbers: NDArray[np.int64],
    cumulative: NDArray[np.float64],
    guide: NDArray[np.int64],
    counts: NDArray[np.uint32],
) -> None:
    event = 0
    for component in range(len(numbers)):
        for _ in range(numbers[component]):
            value = uniform[event]
            channel = guide[component, int(value * guide.shape[1])]
            while cumulative[component, channel] <= value:
                channel += 1
            counts[channel] += np.uint32(1)
            event += 1
