"""Net counts of a characteristic X-ray line: what stands above a straight background."""

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._windows import Window, checked_spectra, window_channels, window_sum

_WIDTH = 1.2  # of the window, over the full width at half maximum: the best signal over noise for a Gaussian line
_GAP = 0.4  # between the window and those beside it, over the same width: beyond it a Gaussian line has 1%


def line_net_counts(
    spectra: ArrayLike | Any,
    axis: EnergyAxis,
    energy_keV: float,  # noqa: N803
    *,
    width_keV: float | None = None,  # noqa: N803
    background_keV: tuple[Window, Window] | None = None,  # noqa: N803
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the counts of a characteristic line above a straight background, and their variance.

    The background is the straight line through the mean counts of two windows beside the line. The net counts are then
    a weighted sum of the channels, ``sum(w n)``, of which ``sum(w^2 n)`` is the exact, unbiased estimate of the
    variance for Poisson counts n.

    Parameters
    ----------
    spectra : array_like (..., channels), or sparse array (n, channels)
        Counts.
    axis : EnergyAxis
        Their energies, keV.
    energy_keV : float
        Energy of the line, keV.
    width_keV : float, optional
        Width of the window on the line, keV; when not given, 1.2 times the full width at half maximum that a silicon
        drift detector of 130 eV at Mn Ka shows at this energy.
    background_keV : pair of (float, float), optional
        Two windows, keV, that hold background only. When not given, one on each side of the line, half as wide as its
        window; where other lines lie there, name better ones.

    Returns
    -------
    net : (...) float64
        Net counts; noise can make them negative.
    variance : (...) float64
        Estimate of their variance, counts^2; 0 where nothing was counted in any of the windows.

    Raises
    ------
    ValueError
        If the spectra do not have the channels of the axis, or a window reaches beyond the axis or holds no channel.

    References
    ----------
    J. I. Goldstein et al., Scanning Electron Microscopy and X-Ray Microanalysis, 4th ed. (2018), chapter 20
    (background beside a peak, and its statistics).
    """
    found = checked_spectra(spectra, axis)
    channels, weights = line_weights(axis, energy_keV, width_keV=width_keV, background_keV=background_keV)
    return window_sum(found, channels, weights), window_sum(found, channels, weights**2)


def line_weights(
    axis: EnergyAxis,
    energy: float,
    *,
    width_keV: float | None = None,  # noqa: N803
    background_keV: tuple[Window, Window] | None = None,  # noqa: N803
) -> tuple[slice, NDArray[np.float64]]:
    """Return the channels that `line_net_counts` looks at, and what each counts, (channels of the slice,) float64.

    Parameters and errors as there.
    """
    width = _WIDTH * _resolution(energy) if width_keV is None else float(width_keV)
    peak = (energy - width / 2, energy + width / 2)
    gap = _GAP * width
    beside = (peak[0] - gap - width / 2, peak[0] - gap), (peak[1] + gap, peak[1] + gap + width / 2)
    on_line = window_channels("energy_keV", peak, axis)
    sides = [window_channels("background_keV", window, axis) for window in background_keV or beside]
    middle, first, second = (axis.energies[part].mean() for part in (on_line, *sides))
    if first == second:
        raise ValueError(f"background_keV: {background_keV} are one window twice; a straight line needs two")
    share = (middle - first) / (second - first)
    weights = np.zeros(axis.channels)
    weights[on_line] = 1.0
    lines = on_line.stop - on_line.start
    for part, of_mean in zip(sides, (1 - share, share), strict=True):
        weights[part] -= lines * of_mean / (part.stop - part.start)
    start = min(part.start for part in (on_line, *sides))
    used = slice(start, max(part.stop for part in (on_line, *sides)))
    return used, weights[used]


def _resolution(energy: float) -> float:
    """Return the full width at half maximum of a peak, keV: 130 eV at Mn Ka, 45 eV of noise, Fano factor 0.115."""
    return sqrt(max(0.130**2 + 0.0025 * (energy - 5.895), 0.045**2))
