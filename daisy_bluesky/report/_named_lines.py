"""Which lines a picture names in the mean spectrum of each phase."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from daisy_bluesky.report._run import RunSummary
from daisy_bluesky.spectra import name_peaks

SAME_PEAK = 0.05
"""Energy within which a peak and a line are the same, keV."""


@dataclass(frozen=True)
class NamedLines:
    """The lines to name in one spectrum.

    Attributes
    ----------
    energies : mapping of str to float
        Energies, keV, by name such as ``"Fe Ka"``, most important first.
    certain : frozenset of str
        Names of those that stand for the phase; the others are its weaker lines, or not its own.
    """

    energies: Mapping[str, float]
    certain: frozenset[str]


def lines_to_name(run: RunSummary, known: Sequence[Mapping[str, float]] = ()) -> list[NamedLines]:
    """Return the lines to name for each phase: those known, then the other peaks that can be named.

    Parameters
    ----------
    run : RunSummary
        The run; its mean spectra are searched for peaks.
    known : sequence of mapping
        For each phase the energies, keV, of lines that are certainly there, most important first.

    Returns
    -------
    list of NamedLines
        One for each phase. Without known lines every peak that can be named is certain.
    """
    lines = []
    for label in range(1, len(run.mean_spectra) + 1):
        energies = dict(known[label - 1]) if label <= len(known) else {}
        certain = frozenset(energies)
        for energy, name in _peaks(run, label):
            if all(abs(energy - other) > SAME_PEAK for other in energies.values()):
                energies.setdefault(name, energy)
        lines.append(NamedLines(energies, certain or frozenset(energies)))
    return lines


def _peaks(run: RunSummary, label: int) -> list[tuple[float, str]]:
    axis = run.energy_axis
    if axis is None:
        return []
    counts = run.mean_spectra[label - 1] * np.count_nonzero(run.labels == label)
    return sorted(name_peaks(counts, axis), key=lambda peak: -counts[axis.channel(peak[0])])
