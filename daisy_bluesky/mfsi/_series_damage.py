"""Whether a stored series shows that the beam changed the specimen."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.mfsi._damage_monitor import Damage, DamageMonitor, Direction
from daisy_bluesky.mfsi._window_maps import line_windows
from daisy_bluesky.spectra import EnergyAxis, characteristic_lines

EDGE_WIDTH = 50.0  # eV, of the window on an edge
BEFORE = (0.85, 0.98)  # of the onset: the window that tells how many electrons there were
CARBON_EDGE = 284.0  # eV
Spectra = Mapping[int, NDArray[np.float64]]


def damage_of_lines(spectra: Spectra, axis: EnergyAxis, lines: Mapping[str, float]) -> dict[str, Damage]:
    """Return what changed: lines that fade, and carbon that grows.

    Counts in the window of a line are held against those in all other channels, so that a beam current that drifts
    does not look like damage.

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
    dict of str to Damage
        By the name of the line; frames by their numbers in the series.
    """
    carbon = next(line.energy for line in characteristic_lines("C"))
    watched: dict[str, tuple[float, Direction]] = {name: (energy, "falling") for name, energy in lines.items()}
    watched["C Ka"] = (carbon, "rising")
    found = {}
    for name, (energy, direction) in watched.items():
        try:
            low, high = line_windows(axis, energy)[0][0]
        except ValueError:  # not on this axis
            continue
        inside = {number: float(spectrum[low:high].sum()) for number, spectrum in spectra.items()}
        beside = {number: float(spectrum.sum()) - inside[number] for number, spectrum in spectra.items()}
        damage = _changed(inside, beside, direction, 1.0)
        if damage is not None:
            found[name] = damage
    return found


def damage_of_edges(
    spectra: Spectra, axis: EnergyAxis, edges: Mapping[str, float], noise_gain: float
) -> dict[str, Damage]:
    """Return which edges fade against the background before them, and whether the carbon edge grows.

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
    dict of str to Damage
        By the name of the edge; frames by their numbers in the series.
    """
    watched: dict[str, tuple[float, Direction]] = {name: (onset, "falling") for name, onset in edges.items()}
    watched.setdefault("C K", (CARBON_EDGE, "rising"))
    found = {}
    for name, (onset, direction) in watched.items():
        window, before = axis.energies >= onset, axis.energies >= BEFORE[0] * onset
        window &= axis.energies < onset + EDGE_WIDTH
        before &= axis.energies < BEFORE[1] * onset
        if axis.energies[0] > BEFORE[0] * onset or axis.energies[-1] < onset + EDGE_WIDTH:
            continue
        inside = {number: max(float(spectrum[window].sum()), 0.0) for number, spectrum in spectra.items()}
        beside = {number: max(float(spectrum[before].sum()), 0.0) for number, spectrum in spectra.items()}
        damage = _changed(inside, beside, direction, noise_gain)
        if damage is not None:
            found[name] = damage
    return found


def _changed(
    inside: Mapping[int, float], beside: Mapping[int, float], direction: Direction, noise_gain: float
) -> Damage | None:
    """Test counts against exposures that are counts themselves, and so add to the noise."""
    rest = sum(beside.values())
    if rest <= 0:
        return None
    numbers = sorted(inside)
    monitor = DamageMonitor(direction, noise_gain=noise_gain * (1 + sum(inside.values()) / rest))
    for number in numbers:
        monitor.add(inside[number], exposure=beside[number])
    damage = monitor.damage
    if damage is None:
        return None
    return Damage(numbers[damage.frame], numbers[damage.since], damage.change, damage.significance)
