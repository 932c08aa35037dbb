"""What a map is worth and what it cost."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.sampling import small_objects_found, total_distortion

SMALL_OBJECT = 25
"""Largest area of what counts as a small object, pixels."""


@dataclass(frozen=True)
class MapOutcome:
    """One map of a field beside its price.

    Attributes
    ----------
    name : str
        How the map was measured.
    phase_map : ndarray
        (rows, columns) int, labels 1..L.
    sampled_fraction : float
        Measured pixels as a fraction of all.
    counts_per_spectrum : float
        Mean counts of a measured spectrum.
    electrons : float
        Electrons sent through the specimen.
    seconds : float
        Time on the instrument's clock, s.
    total_distortion : float or None
        Fraction of wrong labels among the pixels that are not ill; None without truth.
    blind_distortion : float or None
        For a raster, `total_distortion` is that of the spatial prior best against the truth, which no experiment
        knows; this is that of the prior whose strength the data tell. None otherwise.
    misclassified : float or None
        Fraction of the measured spectra with a wrong label: a good one taken for another phase than the truth, or for
        an unknown one, or an ill one taken for a phase; None without truth.
    false_alarms : float or None
        Fraction of the measured spectra that are good but were set aside as ill; None without truth.
    small_objects : tuple of int or None
        (found, total) objects of at most `SMALL_OBJECT` pixels; None without truth.
    deviance : float or None
        Mean deviance per pixel of the reconstructed spectra on counts that were held out; None where none were.
    """

    name: str
    phase_map: NDArray[np.integer]
    sampled_fraction: float
    counts_per_spectrum: float
    electrons: float
    seconds: float
    total_distortion: float | None = None
    blind_distortion: float | None = None
    misclassified: float | None = None
    false_alarms: float | None = None
    small_objects: tuple[int, int] | None = None
    deviance: float | None = None


@dataclass(frozen=True)
class GroundTruth:
    """What is really there, where that is known.

    Attributes
    ----------
    labels : ndarray
        (rows, columns) int, 1..L; a phase has the number it has in the maps to judge, as their classifier gives it.
    ill : ndarray
        (rows, columns) bool: pixels whose spectra fail; they do not count.
    """

    labels: NDArray[np.integer]
    ill: NDArray[np.bool_]

    def judge(self, outcome: MapOutcome, positions: ArrayLike, labels: ArrayLike) -> MapOutcome:
        """Return an outcome with the figures that need the truth.

        Parameters
        ----------
        outcome : MapOutcome
            The map.
        positions, labels : array_like
            Measured pixels (n, 2) and what was found there (n,), as for `misclassified`.
        """
        return replace(
            outcome,
            total_distortion=self.total_distortion(outcome.phase_map),
            misclassified=self.misclassified(positions, labels),
            false_alarms=self.false_alarms(positions, labels),
            small_objects=self.small_objects(outcome.phase_map),
        )

    def total_distortion(self, phase_map: NDArray[np.integer]) -> float:
        """Return the fraction of wrong labels in a map (rows, columns) among the pixels that are not ill."""
        return float(total_distortion(phase_map, self.labels, self.ill))

    def small_objects(self, phase_map: NDArray[np.integer]) -> tuple[int, int]:
        """Return how many small objects a map (rows, columns) shows, and how many there are."""
        found, total = small_objects_found(phase_map, self.labels, SMALL_OBJECT)
        return int(found), int(total)

    def misclassified(self, positions: ArrayLike, labels: ArrayLike) -> float:
        """Return the fraction of measured spectra with a wrong label, as `MapOutcome` defines it.

        Parameters
        ----------
        positions : (n, 2) array_like
            Measured pixels (row, column).
        labels : (n,) array_like
            What was found there: 0 ill, 1..L, -1 unknown.
        """
        expected, found = self._expected(positions), np.asarray(labels)
        return float(np.mean((found != 0) & (found != expected)))

    def false_alarms(self, positions: ArrayLike, labels: ArrayLike) -> float:
        """Return the fraction of measured spectra that are good but called ill; parameters as `misclassified`."""
        return float(np.mean((np.asarray(labels) == 0) & (self._expected(positions) != 0)))

    def _expected(self, positions: ArrayLike) -> NDArray[np.integer]:
        rows, columns = np.asarray(positions).T
        return np.where(self.ill[rows, columns], 0, self.labels[rows, columns])
