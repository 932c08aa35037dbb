"""Maps of a recorded spectrum image, where nobody knows the truth: judged on counts that were held out."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.classify import PhaseLikelihood
from daisy_bluesky.report._outcome import MapOutcome
from daisy_bluesky.report._rasters import PRIOR_STRENGTHS
from daisy_bluesky.report._run import RunSummary
from daisy_bluesky.sampling import potts_posterior
from daisy_bluesky.spectra import poisson_deviance

REFINEMENTS = 4


class RecordedCounts(Protocol):
    """A recorded spectrum image, e.g. `daisy_bluesky.specimen.RecordedSpecimen`."""

    shape: tuple[int, int]
    recorded_dwell: float

    def thinned(self, fraction: float, part: int = 0) -> Any:
        """Return one of the independent parts of the counts, (rows * columns, channels) sparse."""
        ...


@dataclass(frozen=True)
class HeldOut:
    """Counts that no map has seen.

    Attributes
    ----------
    counts : sparse array
        (pixels, channels), row-major pixels.
    totals : ndarray
        (pixels,) float64, counts of each pixel.
    """

    counts: Any
    totals: NDArray[np.float64]

    @classmethod
    def half(cls, specimen: RecordedCounts) -> "HeldOut":
        """Hold out the second half of every pixel's recorded dwell."""
        counts = specimen.thinned(0.5, part=1)
        return cls(counts, np.asarray(counts.sum(axis=1), dtype=np.float64).ravel())

    def deviance(self, phase_map: NDArray[np.integer], spectra: NDArray[np.float64]) -> float:
        """Return the mean Poisson deviance per pixel of reconstructed spectra.

        The spectrum of a pixel is reconstructed as the mean spectrum of its phase times the counts held out there, for
        every map alike: what is judged is whether the map says what kind of material lies where, not how thick it is.

        Parameters
        ----------
        phase_map : ndarray
            (rows, columns) int, labels 1..L; anything else stands for the mean of all phases.
        spectra : ndarray
            (L, channels) float64, mean spectrum of each phase, any positive scale.
        """
        shapes = spectra / spectra.sum(axis=1, keepdims=True)
        shapes = np.vstack([shapes.mean(axis=0), shapes])
        members = np.eye(len(shapes))[np.maximum(phase_map.ravel(), 0)]
        return poisson_deviance(self.counts, (members * self.totals[:, None], shapes)) / self.totals.size


def recorded_outcomes(specimen: RecordedCounts, run: RunSummary) -> list[MapOutcome]:
    """Judge the map of a run on a recorded specimen beside a raster of equal electrons.

    Parameters
    ----------
    specimen : RecordedCounts
        The specimen; the run may have used the first half of each pixel's dwell.
    run : RunSummary
        The run; its spectra are those of its first visits.

    Returns
    -------
    list of MapOutcome
        The run's own map, and the raster with the strength of the spatial prior best on the counts held out.

    Raises
    ------
    ValueError
        The run found no phase, or its visits took more than half of the recorded dwell: nothing is left to judge on.

    Notes
    -----
    The raster gives all pixels the same share of their recorded dwell. It starts from the phases the run has found,
    which a raster of so few counts a pixel could hardly find itself, and refines their mean spectra from its own
    counts and posterior; that favours the raster.
    """
    own = run.outcome("adaptive map")
    spent = run.acquisition()
    if spent.dwell > specimen.recorded_dwell / 2 * (1 + 1e-6):
        raise ValueError(
            f"dwell_time: {spent.dwell:.3g} s leaves less than half of the recorded {specimen.recorded_dwell:.3g} s "
            "to judge on; use a shorter one"
        )
    held_out = HeldOut.half(specimen)
    measured = run.mean_spectra * np.bincount(run.labels[run.labels > 0], minlength=len(run.mean_spectra) + 1)[1:, None]
    adaptive = replace(own, deviance=held_out.deviance(own.phase_map, _smoothed(measured)))
    share = spent.dwell * spent.visits / spent.pixels / specimen.recorded_dwell
    counts = specimen.thinned(share)
    candidates = [
        _raster(counts, measured, specimen.shape, held_out, strength) for strength in (None, *PRIOR_STRENGTHS)
    ]
    phase_map, deviance = min(candidates, key=lambda candidate: candidate[1])
    raster = MapOutcome(
        name="raster, equal electrons",
        phase_map=phase_map,
        sampled_fraction=1.0,
        counts_per_spectrum=float(counts.sum()) / spent.pixels,
        electrons=run.electrons,
        seconds=spent.visits * spent.dwell + spent.pixels * spent.overhead,
        deviance=deviance,
    )
    return [adaptive, raster]


def _raster(
    counts: Any,
    measured: NDArray[np.float64],
    shape: tuple[int, int],
    held_out: HeldOut,
    strength: float | None,
) -> tuple[NDArray[np.int64], float]:
    spectra = _smoothed(measured)
    for _ in range(REFINEMENTS):
        likelihood = np.asarray(counts @ np.log(spectra).T).reshape(*shape, -1)
        posterior = potts_posterior(likelihood, strength)
        spectra = _smoothed(np.asarray((counts.T @ posterior.reshape(-1, len(spectra))).T))
    phase_map = 1 + np.argmax(posterior, axis=-1)
    return phase_map, held_out.deviance(phase_map, spectra)


def _smoothed(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return summed counts (phases, channels) as spectra without shot noise, positive and with a sum of one.

    A phase without counts looks like the whole field.
    """
    counts = np.where(sums.sum(axis=1, keepdims=True) < 1, sums.sum(axis=0), sums)
    return PhaseLikelihood.fit(np.rint(counts).astype(np.int64), np.arange(1, len(counts) + 1)).means
