"""Spectra as the classifiers take them: checked, two-dimensional, contiguous."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.compilation import compiled

Spectra = NDArray[Any]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]


def as_spectra(spectra: ArrayLike, channels: int | None = None) -> Spectra:
    """Return spectra as a contiguous two-dimensional array the compiled kernels know.

    Parameters
    ----------
    spectra : array_like
        One spectrum (channels,) or several (n, channels), counts.
    channels : int, optional
        The number of channels asked for; any when None.

    Returns
    -------
    (n, channels) ndarray of uint32 or float32
        The same counts.

    Raises
    ------
    ValueError
        When the number of channels is another one, or counts are negative or not finite.
    """
    given = np.asarray(spectra)
    if given.ndim not in (1, 2) or given.shape[-1] == 0:
        raise ValueError(f"spectra must be (channels,) or (n, channels), not of shape {given.shape}")
    rows = given[None] if given.ndim == 1 else given
    if channels is not None and rows.shape[1] != channels:
        raise ValueError(f"spectra have {rows.shape[1]} channels but the classifier was made for {channels}")
    if rows.dtype.kind == "u" or rows.dtype.kind == "b":
        return np.ascontiguousarray(rows, np.uint32)
    if rows.dtype.kind not in "if" or (rows.size and not (rows.min() >= 0 and rows.max() < np.inf)):
        raise ValueError("spectra must hold counts: finite and not negative")
    return np.ascontiguousarray(rows, np.uint32 if rows.dtype.kind == "i" else np.float32)


def as_training_spectra(spectra: ArrayLike, labels: ArrayLike) -> tuple[Spectra, Integers, int]:
    """Return (spectra (n, channels) uint32, labels (n,), number of phases), spectra labelled 0 left out.

    Raises
    ------
    ValueError
        When the spectra are not whole counts, or the labels do not name the phases 1..L, each with counts.
    """
    counts, marks = as_spectra(spectra), np.asarray(labels, np.int64).ravel()
    if len(counts) != len(marks):
        raise ValueError(f"{len(counts)} training spectra but {len(marks)} labels: give one label for each spectrum")
    if counts.dtype.kind == "f" and not np.array_equal(counts, np.rint(counts)):
        raise ValueError("training spectra must be whole counts: draw Poisson counts from simulated intensities first")
    good = marks > 0
    counts, marks = counts[good].astype(np.uint32), marks[good]
    phases = int(marks.max(initial=0))
    for label in range(1, phases + 1):
        if not counts[marks == label].any():
            raise ValueError(f"no training counts for phase {label}: labels must name the phases 1..{phases}")
    if phases == 0:
        raise ValueError("no training spectra of any phase: labels must name the phases 1..L")
    return counts, marks, phases


def phase_names(names: Sequence[str] | None, phases: int) -> tuple[str, ...]:
    """Return one name for each phase, `names` where given, "phase 1"... otherwise.

    Raises
    ------
    ValueError
        When the number of names is not that of the phases, or two are the same.
    """
    if names is None:
        return tuple(f"phase {label}" for label in range(1, phases + 1))
    if len(names) != phases or len(set(names)) != phases:
        raise ValueError(f"names must hold {phases} different phase names, not {list(names)}")
    return tuple(str(name) for name in names)


def total_counts(spectra: Spectra) -> Floats:
    """Return the counts in each spectrum, (n,); sums of whole numbers are exact, in whatever order."""
    if spectra.dtype.kind == "u":
        return np.asarray(spectra.sum(axis=1, dtype=np.uint64), np.float64)
    return _total_counts(spectra)


@compiled
def _total_counts(spectra: Spectra) -> Floats:
    totals = np.zeros(spectra.shape[0])
    for row in range(spectra.shape[0]):
        for channel in range(spectra.shape[1]):
            totals[row] += spectra[row, channel]
    return totals


@compiled
def project_counts(spectra: Spectra, table: Floats) -> Floats:
    """Return ``spectra @ table`` with a summation order that does not depend on the number of spectra.

    Most channels of a short exposure are empty, so going through the filled ones alone is as fast as BLAS, and the
    same bits come out for one spectrum and for many.
    """
    results = np.zeros((spectra.shape[0], table.shape[1]))
    for row in range(spectra.shape[0]):
        for channel in range(spectra.shape[1]):
            count = spectra[row, channel]
            if count != 0:
                for column in range(table.shape[1]):
                    results[row, column] += count * table[channel, column]
    return results


@compiled
def bin_counts(spectra: Spectra, bin_of: Integers, bins: int) -> Singles:
    """Return the counts of each spectrum summed over the bins that `bin_of` (channels,) names, (n, bins)."""
    binned = np.zeros((spectra.shape[0], bins), np.float32)
    for row in range(spectra.shape[0]):
        for channel in range(spectra.shape[1]):
            if spectra[row, channel] != 0:  # of a short exposure most are
                binned[row, bin_of[channel]] += np.float32(spectra[row, channel])
    return binned


def even_bins(channels: int, most: int) -> tuple[Integers, int]:
    """Return which of at most `most` equally wide bins each channel falls in, (channels,), and how many there are."""
    width = -(-channels // most)
    bin_of = np.arange(channels) // width
    return bin_of, int(bin_of[-1]) + 1
