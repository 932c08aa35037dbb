"""Lines that a series can be seen to hold, before it is summed."""

import numpy as np

from daisy_bluesky.mfsi._series_frames import SeriesFrames
from daisy_bluesky.spectra import characteristic_lines, line_net_counts, name_peaks

LOOKED_AT = 8  # frames
STRONGEST = ("Ka", "La", "Ma")
SUPPORT = "C"  # of films and of contamination


def lines_seen(frames: SeriesFrames, most: int = 4) -> dict[str, float]:
    """Return the lines of the elements that stand out most in the X-rays of a few frames, carbon aside.

    Parameters
    ----------
    frames : SeriesFrames
        The series.
    most : int, optional
        How many lines at most, one of each element.

    Returns
    -------
    dict of str to float
        Names and energies, keV, by falling net counts; empty where the series has no X-rays.
    """
    axis = frames.eds_axis
    if frames.events is None or axis is None:
        return {}
    spectrum = np.zeros(axis.channels)
    for number in np.unique(np.linspace(0, frames.count - 1, LOOKED_AT).astype(int)).tolist():
        events = frames.events(number)
        counts = events["count"] if "count" in (events.dtype.names or ()) else None
        spectrum += np.bincount(events["channel"], counts, axis.channels)
    named = {name for _, name in name_peaks(spectrum, axis) if name.split(" ")[1] in STRONGEST}
    named -= {name for name in named if name.split(" ")[0] == SUPPORT}
    found: dict[str, tuple[float, str, float]] = {}
    for name in named:
        element = name.split(" ")[0]
        energy = next(line.energy for line in characteristic_lines(element) if line.label == name)
        try:
            counts_of_line = float(line_net_counts(spectrum, axis, energy)[0])
        except ValueError:  # too near to an end of the axis
            continue
        if element not in found or found[element][0] < counts_of_line:
            found[element] = (counts_of_line, name, energy)
    ranked = sorted(found.values(), reverse=True)[:most]
    return {name: energy for _, name, energy in ranked}
