"""The mean spectrum of each phase, one above the other over the same energies."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from daisy_bluesky.report import _colours as colours
from daisy_bluesky.report._line_labels import draw_line_labels
from daisy_bluesky.report._named_lines import NamedLines
from daisy_bluesky.spectra import EnergyAxis

LOWEST = 0.12
"""Energy below which a spectrum shows only the detector's noise peak, keV."""
MARGIN = 1.12
NAMES = 0.38
"""Room for the line names above the highest peak, as a share of its height."""


def draw_spectra(
    panels: Sequence[Axes],
    spectra: NDArray[np.float64],
    axis: EnergyAxis,
    phases: Sequence[str],
    lines: Sequence[NamedLines],
) -> None:
    """Draw mean spectra with the square root of the counts upwards, where Poisson noise is the same everywhere.

    Parameters
    ----------
    panels : sequence of Axes
        One for each phase, the first at the top.
    spectra : (phases, channels) ndarray
        Mean counts.
    axis : EnergyAxis
        Their energies, keV.
    phases : sequence of str
        Names of the phases.
    lines : sequence of NamedLines
        For each phase the lines to name.
    """
    last = _last_energy(spectra, axis, lines)
    shown = (axis.energies >= LOWEST) & (axis.energies <= last)
    for label, (axes, spectrum) in enumerate(zip(panels, spectra, strict=True), 1):
        height = np.sqrt(spectrum)
        colour = colours.phase_colour(label)
        axes.fill_between(axis.energies[shown], height[shown], color=colour, alpha=0.35, linewidth=0)
        axes.plot(axis.energies[shown], height[shown], color=colour, linewidth=0.8)
        _arrange(axes, float(height[shown].max(initial=0)), (0.0, last), bottom=label == len(panels))
        name = axes.text(0.995, 0.9, phases[label - 1], transform=axes.transAxes, ha="right", va="top")
        name.set(color=colour, fontsize=8, fontweight="bold")
        named = lines[label - 1]
        tops = [float(height[_around(axis, energy)].max()) for energy in named.energies.values()]
        draw_line_labels(axes, named, tops, axes.get_ylim()[1] / (1 + NAMES) * 1.14)


def _arrange(axes: Axes, highest: float, energies: tuple[float, float], *, bottom: bool) -> None:
    axes.set_xlim(*energies)
    axes.set_ylim(0, max(highest, 1e-3) * (1 + NAMES))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=colours.INK if bottom else colours.HAIRLINE, linewidth=0.6)
    axes.set_yticks([])
    axes.tick_params(labelsize=7.5, length=2.5 if bottom else 0, width=0.6, labelbottom=bottom, colors=colours.INK)
    if bottom:
        axes.set_xlabel("energy / keV", fontsize=8, color=colours.INK, labelpad=2)


def _last_energy(spectra: NDArray[np.float64], axis: EnergyAxis, lines: Sequence[NamedLines]) -> float:
    named = [energy for phase in lines for energy in phase.energies.values()]
    cumulated = np.cumsum(spectra.sum(axis=0))
    most = float(axis.energies[np.searchsorted(cumulated, 0.98 * cumulated[-1])])
    return min(MARGIN * max([most, *named]), float(axis.energies[-1]))


def _around(axis: EnergyAxis, energy: float) -> slice:
    channel, reach = axis.channel(energy), max(1, round(0.04 / axis.dispersion))
    return slice(max(0, channel - reach), channel + reach + 1)
