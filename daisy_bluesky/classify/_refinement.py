"""Better labels for the spectra of a finished run, from the spectra themselves."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.classify._counts import as_spectra, project_counts
from daisy_bluesky.classify._likelihood import PhaseLikelihood, phase_sums, smoothed_means

STEPS = 20


def refine(spectra: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.int64], PhaseLikelihood]:
    """Improve labels and mean spectra in turn until neither changes (classification expectation maximisation).

    Each step takes the mean spectra and shares of the phases from the labels, and gives every spectrum its likeliest
    phase under them. Labels 0 (ill) and -1 (unknown) stay; a phase that loses all its spectra keeps its last mean.

    Parameters
    ----------
    spectra : (n, channels) array_like
        Counts.
    labels : (n,) array_like of int
        0 ill, -1 unknown, 1..L phases.

    Returns
    -------
    labels : (n,) ndarray of int64
    likelihood : PhaseLikelihood
        The mean spectra of the phases.

    Raises
    ------
    ValueError
        When the numbers of spectra and labels differ, or no spectrum is of any phase.
    """
    counts, current = as_spectra(spectra), np.array(labels, np.int64).ravel()
    if len(counts) != len(current):
        raise ValueError(f"{len(counts)} spectra but {len(current)} labels: give one label for each spectrum")
    named = current >= 1
    if not named.any():
        raise ValueError("no spectrum is of any phase: there is nothing to refine")
    phases = int(current.max())
    means = smoothed_means(phase_sums(counts, current, phases))
    for _ in range(STEPS):
        sizes = np.bincount(current[named], minlength=phases + 1)[1:]
        evidence = project_counts(counts, np.ascontiguousarray(np.log(means).T)) + np.log((sizes + 0.5) / sizes.sum())
        renewed = np.where(named, 1 + np.argmax(evidence, axis=1), current)
        if np.array_equal(renewed, current):
            break
        current = renewed
        sums = phase_sums(counts, current, phases)
        held = sums.sum(1) > 0
        means[held] = smoothed_means(sums[held])
    return current, PhaseLikelihood(means)
