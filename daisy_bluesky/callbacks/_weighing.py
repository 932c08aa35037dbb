"""Spectra of a few counts weighed against the phases, and the phases nobody announced made known to the policy."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.callbacks._frame_spectra import frame_spectra
from daisy_bluesky.callbacks._intake import Visits
from daisy_bluesky.classify import PooledLabeller
from daisy_bluesky.sampling import DoseAllocator

FRAME_VISITS = 1 << 40
"""Visits of frames are counted from here up: they have no events of their own."""


class Weighing:
    """Pools spectra of a few counts, and tells the policy log-likelihoods.

    Parameters
    ----------
    policy : DoseAllocator
    labeller : PooledLabeller
    """

    def __init__(self, policy: DoseAllocator, labeller: PooledLabeller) -> None:
        self._policy, self._labeller = policy, labeller
        self._framed = FRAME_VISITS

    def take(self, visits: Visits) -> tuple[list[int], int]:
        """Weigh spectra, and all earlier ones where there are more phases to weigh them against."""
        phases = len(self._labeller.phases)
        found = self._weigh(np.array(visits.numbers), np.array(visits.pixels), visits.spectra, visits.dwell)
        if len(self._labeller.phases) == phases:
            return found.tolist(), 0
        return found.tolist(), sum(label > phases for label in self.labels.values())

    def take_frame(self, events: NDArray[np.void], shape: tuple[int, int, int], dwell: float) -> None:
        """Weigh one visit to every pixel.

        Parameters
        ----------
        events : (n,) structured array
            Counts: fields row, column, channel and count, ascending by row.
        shape : (int, int, int)
            Rows, columns and channels of the frame.
        dwell : float
            Dwell time of every pixel, s.
        """
        for pixels, spectra in frame_spectra(events, shape):
            numbers = np.arange(self._framed, self._framed + len(pixels))
            self._framed += len(pixels)
            self._weigh(numbers, pixels, spectra, np.full(len(pixels), dwell))

    def _weigh(
        self,
        numbers: NDArray[np.int64],
        pixels: NDArray[np.int64],
        spectra: NDArray[np.generic],
        dwell: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Pool spectra, tell the policy what they say, and what all visits say when that has changed."""
        labeller, policy = self._labeller, self._policy
        found = labeller.take(numbers.tolist(), pixels, spectra)
        known = (found > 0) | ((found == 0) & ~labeller.failed(pixels))
        for which, evidence in ((known, labeller.log_likelihood(spectra)), (~known, found)):
            if which.any():
                policy.ingest(pixels[which], evidence[which], dwell=dwell[which], visits=numbers[which])
        if (renewed := labeller.renewed()) is not None:
            policy.reweigh(*renewed)
        if (stake := labeller.stake()) is not None:
            policy.suspect(stake)
        return found

    @property
    def labels(self) -> dict[int, int]:
        """What the pixel of each visit is taken for by now, those of frames left out."""
        return {visit: label for visit, label in self._labeller.labels.items() if visit < FRAME_VISITS}
