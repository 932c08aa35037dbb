"""How well each phase's mean spectrum explains a spectrum."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d

from daisy_bluesky.classify._counts import (
    Floats,
    Integers,
    Spectra,
    as_spectra,
    as_training_spectra,
    project_counts,
)

NEIGHBOURHOODS = (60.0, 12.0, 3.0)  # channels: background, groups of lines, less than a line's width
PRIOR_COUNTS = 3.0  # what a wider neighbourhood weighs against a narrower one's counts
CHANNEL_PRIOR_COUNTS = 20.0  # what the narrowest weighs against the channel's own
FLOOR = 1e-3  # share of the counts that may fall anywhere, so that no channel is impossible


def smoothed_means(sums: ArrayLike) -> Floats:
    """Return normalised mean spectra without an empty channel.

    From wide neighbourhoods to narrow ones and at last to the channel itself, the mean is drawn towards the counts
    found there against a Gamma prior from the step before: a line with many counts keeps its shape, a background of a
    few counts is smoothed as widely as its counts ask for.

    Parameters
    ----------
    sums : (phases, channels) array_like
        Summed counts of each phase.

    Returns
    -------
    (phases, channels) ndarray of float64
        Probability of a count to fall in each channel; every row sums to 1 and is positive everywhere.
    """
    counts = np.atleast_2d(np.asarray(sums, np.float64))
    even = np.maximum(counts.sum(1, keepdims=True), 1.0) / counts.shape[1]
    means = np.broadcast_to(even, counts.shape)
    for width in NEIGHBOURHOODS:
        span = 2.0 * np.sqrt(np.pi) * width
        found = span * gaussian_filter1d(counts, width, axis=1, mode="nearest")
        means = means * (found + PRIOR_COUNTS) / (span * means + PRIOR_COUNTS)
    means = means * (counts + CHANNEL_PRIOR_COUNTS) / (means + CHANNEL_PRIOR_COUNTS) + FLOOR * even
    return np.asarray(means / means.sum(1, keepdims=True), np.float64)


class PhaseLikelihood:
    """Poisson likelihood of spectra under the mean spectrum of each phase.

    Given its total, a Poisson spectrum is multinomial, and the total says more about thickness and dwell time than
    about the phase: what is compared is the shape. Channels that no phase has counts in are kept possible.

    Parameters
    ----------
    means : (phases, channels) array_like
        Mean spectra, any positive scale; they are normalised.

    Attributes
    ----------
    means : (phases, channels) ndarray of float64
        Probability of a count to fall in each channel.

    Raises
    ------
    ValueError
        When a mean spectrum is not positive in every channel.
    """

    def __init__(self, means: ArrayLike) -> None:
        given = np.atleast_2d(np.asarray(means, np.float64))
        if given.size == 0 or not np.all(given > 0) or not np.all(np.isfinite(given)):
            raise ValueError("mean spectra must be positive in every channel: smooth them first")
        sums = given.sum(1, keepdims=True)
        self.means = given if np.allclose(sums, 1.0, rtol=1e-12, atol=0.0) else given / sums
        self._logarithms = np.ascontiguousarray(np.log(self.means).T)

    @classmethod
    def fit(cls, spectra: ArrayLike, labels: ArrayLike) -> "PhaseLikelihood":
        """Return the likelihood for the phases 1..L of labelled spectra (n, channels); label 0 is left out."""
        counts, marks, phases = as_training_spectra(spectra, labels)
        return cls(smoothed_means(phase_sums(counts, marks, phases)))

    @property
    def channels(self) -> int:
        """Number of energy channels."""
        return int(self.means.shape[1])

    def log_likelihood(self, spectra: ArrayLike) -> NDArray[np.float64]:
        """Return log-likelihoods in nats, up to a term that all phases share.

        Parameters
        ----------
        spectra : (channels,) or (n, channels) array_like
            Counts.

        Returns
        -------
        (n, phases) ndarray of float64
            ``sum over channels of counts * log(mean)``; the same bits for one spectrum as within a batch.
        """
        return project_counts(as_spectra(spectra, self.channels), self._logarithms)


def phase_sums(spectra: Spectra, labels: Integers, phases: int) -> Floats:
    """Return the summed counts of the phases 1..`phases`, (phases, channels)."""
    return np.stack([spectra[labels == label].sum(0, dtype=np.float64) for label in range(1, phases + 1)])
