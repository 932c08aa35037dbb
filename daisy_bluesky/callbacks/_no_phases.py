"""A labeller for runs in which phases are of no interest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class NoPhases:
    """Takes every spectrum for a valid one of a single phase without a name.

    Parameters
    ----------
    channels : int
        Number of energy channels.
    """

    phases: Sequence[str] = ()

    def __init__(self, channels: int) -> None:
        self._channels = channels

    def label(self, visit: int, spectrum: NDArray[np.generic]) -> int:  # noqa: ARG002 - looks at nothing
        """Return 1; 0 where a spectrum is not finite."""
        return int(np.isfinite(spectrum).all())

    def label_batch(self, visits: Sequence[int], spectra: NDArray[np.generic]) -> NDArray[np.int64]:  # noqa: ARG002
        """Return 1 for each of some spectra (n, channels); 0 where one is not finite."""
        return np.asarray(np.isfinite(spectra).all(axis=1), np.int64)

    def log_likelihood(self, spectrum: NDArray[np.generic]) -> NDArray[np.float64]:  # noqa: ARG002
        """Return nothing: (0,) float64."""
        return np.empty(0)

    def log_likelihoods(self, spectra: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return nothing: (n, 0) float64."""
        return np.empty((len(spectra), 0))

    def relabelled(self) -> Sequence[tuple[Any, int]]:
        """Return nothing: no label ever changes."""
        return ()

    def mean_spectra(self) -> NDArray[np.float64]:
        """Return nothing: (0, channels) float64."""
        return np.empty((0, self._channels))
