"""Regions that an operator prefers: they decide between pixels, and change nothing else."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling._field_checks import checked_preference, checked_region_preference

PREFERENCE = 4.0


class PreferredRegions(ABC):
    """What samplers share that compare pixels by score times preference.

    Expected reductions, maps and estimates stay what they are, and so does the start pattern; a first pass comes first.
    The same preference and data leave the same state, whichever came first.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    """

    shape: tuple[int, int]
    _preference: NDArray[np.float32] | float = 1.0

    def add_region(self, region: ArrayLike, preference: float = PREFERENCE) -> None:
        """Prefer a region: what is expected there counts more from now on.

        Parameters
        ----------
        region : (rows, columns) bool
            The pixels.
        preference : float
            How many times more they count than pixels elsewhere; 1 takes an earlier preference back.

        Raises
        ------
        ValueError
            If it is no mask of the field, or the preference is not between 0.001 and 1000; then nothing has changed.
        """
        before = np.broadcast_to(self._preference, self.shape)
        self.prefer(checked_region_preference(region, preference, before, self.shape))

    def prefer(self, preference: ArrayLike) -> None:
        """Say how much each pixel counts, (rows, columns) float; it replaces what was said before.

        Raises
        ------
        ValueError
            If its shape is not that of the field, or a preference is not between 0.001 and 1000; then nothing has
            changed.
        """
        self._preference = checked_preference(preference, self.shape)
        self._rank_by(self._preference)

    @abstractmethod
    def _rank_by(self, preference: ArrayLike) -> None:
        """Compare pixels by their scores times (rows, columns) preferences from now on."""
