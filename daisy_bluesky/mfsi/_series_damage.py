"""Whether a stored series shows that the beam changed the specimen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._damage_monitor import Damage, DamageMonitor, Direction
from daisy_bluesky.mfsi._window_maps import line_windows
from daisy_bluesky.spectra import EnergyAxis, characteristic_lines

EDGE_WIDTH = 50.0  # eV, of the window on an edge
BEFORE = (0.85, 0.98)  # of the onset: the window that tells how many electrons there were
CARBON_LINE, CARBON_EDGE = "C Ka", ("C K", 284.0)  # eV
Spectra = Mapping[int, NDArray[np.float64]]


@dataclass(frozen=True)
class WatchedSignal:
    """Counts of a line or an edge, frame by frame.

    Attributes
    ----------
    counts : mapping of int to float
        Counts in its window, by frame.
    beside : mapping of int to float
        Counts that tell how many electrons there were, so that a beam current that drifts does not look like damage.
    direction : {"falling", "rising"}
        What damage does to it.
    noise_gain : float
        Variance of counts over their mean.
    """

    counts: Mapping[int, float]
    beside: Mapping[int, float]
    direction: Direction
    noise_gain: float = 1.0

    @property
    def relative(self) -> dict[int, float]:
        """Counts over those beside, relative to their mean, by frame."""
        ratios = {number: self.counts[number] / self.beside[number] for number in self._exposed()}
        mean = float(np.mean(list(ratios.values()))) if ratios else 1.0
        return {number: ratio / mean for number, ratio in ratios.items()} if mean > 0 else {}

    @property
    def damage(self) -> Damage | None:
        """The change that chance does not explain, frames by their numbers in the series; None where there is none."""
        numbers = self._exposed()
        if not numbers:
            return None
        share = sum(self.counts.values()) / sum(self.beside.values())  # counts beside are noisy, too
        monitor = DamageMonitor(self.direction, noise_gain=self.noise_gain * (1 + share))
        for number in numbers:
            monitor.add(self.counts[number], exposure=self.beside[number])
        found = monitor.damage
        if found is None:
            return None
        return Damage(numbers[found.frame], numbers[found.since], found.change, found.significance)

    def _exposed(self) -> list[int]:
        return [number for number in sorted(self.counts) if self.beside[number] > 0]


def watched_lines(spectra: Spectra, axis: EnergyAxis, lines: Mapping[str, float]) -> dict[str, WatchedSignal]:
    """Return the lines that may fade, and carbon that may grow, held against the counts in all other channels.

    Parameters
    ----------
    spectra : mapping of int to (channels,) float64
        Counts of each frame, all pixels together.
    axis : EnergyAxis
        Energies of the channels, keV.
    lines : mapping of str to float
        The lines, keV.

    Returns
    -------
    dict of str to WatchedSignal
        By the name of the line.
    """
    carbon = next(line.energy for line in characteristic_lines("C"))
    windows = {name: line_windows(axis, energy)[0][0] for name, energy in lines.items()}
    try:
        windows[CARBON_LINE] = line_windows(axis, carbon)[0][0]
    except ValueError:  # this detector sees no carbon
        grown = dict.fromkeys(spectra, 0.0)
    else:
        grown = _within(spectra, windows[CARBON_LINE])
    found = {}
    for name, window in windows.items():
        counts = _within(spectra, window)
        if name == CARBON_LINE:
            beside = {number: float(spectrum.sum()) - counts[number] for number, spectrum in spectra.items()}
            found[name] = WatchedSignal(counts, beside, "rising")
            continue
        # carbon that grows is no reason to think that a line fades
        beside = {
            number: float(spectrum.sum()) - counts[number] - grown[number] for number, spectrum in spectra.items()
        }
        found[name] = WatchedSignal(counts, beside, "falling")
    return found


def _within(spectra: Spectra, window: NDArray[np.int64]) -> dict[int, float]:
    return {number: float(spectrum[window[0] : window[1]].sum()) for number, spectrum in spectra.items()}


def watched_edges(
    spectra: Spectra, axis: EnergyAxis, edges: Mapping[str, float], noise_gain: float
) -> dict[str, WatchedSignal]:
    """Return the edges that may fade, and carbon that may grow, held against the background before them.

    Parameters
    ----------
    spectra : mapping of int to (channels,) float64
        Counts of each frame, all pixels together, on one axis.
    axis : EnergyAxis
        Energies of the channels, eV.
    edges : mapping of str to float
        Their onsets, eV.
    noise_gain : float
        Variance of the counts over their mean.

    Returns
    -------
    dict of str to WatchedSignal
        By the name of the edge; those whose windows do not lie on the axis are missing.
    """
    carbon, at = CARBON_EDGE
    found = {}
    for name, onset in {**edges, carbon: at}.items():
        if axis.energies[0] > BEFORE[0] * onset or axis.energies[-1] < onset + EDGE_WIDTH:
            continue
        counts = _summed(spectra, axis, onset, onset + EDGE_WIDTH)
        before = _summed(spectra, axis, BEFORE[0] * onset, BEFORE[1] * onset)
        found[name] = WatchedSignal(counts, before, "rising" if name == carbon else "falling", noise_gain)
    return found


def _summed(spectra: Spectra, axis: EnergyAxis, low: float, high: float) -> dict[int, float]:
    inside = (axis.energies >= low) & (axis.energies < high)
    return {number: max(float(spectrum[inside].sum()), 0.0) for number, spectrum in spectra.items()}
