"""Which lines a picture names in the mean spectrum of each phase."""

from collections.abc import Mapping, Sequence

import numpy as np

from daisy_bluesky.report._run import RunSummary
from daisy_bluesky.spectra import name_peaks

SAME_PEAK = 0.05
"""Energy within which a peak and a line are the same, keV."""


def lines_to_name(run: RunSummary, known: Sequence[Mapping[str, float]] = ()) -> list[dict[str, float]]:
    """Return the lines to name for each phase: those known, then the other peaks that can be named.

    Parameters
    ----------
    run : RunSummary
        The run; its mean spectra are searched for peaks.
    known : sequence of mapping
        For each phase the energies, keV, of lines that are certainly there, most important first.

    Returns
    -------
    list of dict
        For each phase energies, keV, by name such as ``"Fe Ka"``, most important first.
    """
    lines = [dict(phase) for phase in known]
    lines += [{} for _ in run.mean_spectra[len(lines) :]]
    axis = run.energy_axis
    if axis is None:
        return lines
    for label, (named, spectrum) in enumerate(zip(lines, run.mean_spectra, strict=False), 1):
        counts = spectrum * np.count_nonzero(run.labels == label)
        peaks = sorted(name_peaks(counts, axis), key=lambda peak: -counts[axis.channel(peak[0])])
        for energy, name in peaks:
            if all(abs(energy - other) > SAME_PEAK for other in named.values()):
                named.setdefault(name, energy)
    return lines
