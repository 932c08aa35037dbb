"""Maps of lines from sums over windows of channels: of any sum, without listing its events."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._maps import ElementMap
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.spectra import EnergyAxis, line_weights


def window_maps(total: SpectrumSum, axis: EnergyAxis, lines: Mapping[str, float]) -> dict[str, ElementMap]:
    """Return a map of each of several characteristic lines, above a straight background.

    Parameters
    ----------
    total : SpectrumSum
        Summed frames. Of a bilinear sum, whose shares are no counts, variances are upper bounds.
    axis : EnergyAxis
        Energies of the channels, keV.
    lines : mapping of str to float
        Names and energies, keV.

    Returns
    -------
    dict of str to ElementMap
        The same as `line_maps` gives for sums of counts.

    Raises
    ------
    ValueError
        If a window reaches beyond the axis.
    MemoryError
        If the maps would exceed the memory limit of the sum.
    """
    maps, exposure = {}, total.exposure
    for name, energy in lines.items():
        windows, weights = line_windows(axis, energy)
        counts = total.maps(windows)
        net = np.tensordot(weights, counts, 1)
        maps[name] = ElementMap(net, np.tensordot(weights**2, counts, 1), exposure)
    return maps


def smooth_maps(total: SpectrumSum, axis: EnergyAxis, lines: Mapping[str, float]) -> dict[str, NDArray[np.float64]]:
    """Return maps to look at, (rows, columns) float64 net counts per exposure of a whole pixel; see `display`."""
    pictures = {}
    for name, energy in lines.items():
        windows, weights = line_windows(axis, energy)
        pictures[name] = np.asarray(np.tensordot(weights, total.display(windows), 1))
    return pictures


def line_windows(axis: EnergyAxis, energy: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return windows, (n, 2) first channel and channel after the last, and what a count in each adds to the net ones.

    The first window is that on the line itself.
    """
    channels, weights = line_weights(axis, energy)
    ends = np.flatnonzero(np.diff(weights)) + 1
    firsts, lasts = np.concatenate([[0], ends]), np.concatenate([ends, [weights.size]])
    used = np.flatnonzero(weights[firsts])
    used = used[np.argsort(-weights[firsts[used]], kind="stable")]
    windows = np.stack([firsts[used], lasts[used]], axis=1) + channels.start
    return windows.astype(np.int64), weights[firsts[used]]
