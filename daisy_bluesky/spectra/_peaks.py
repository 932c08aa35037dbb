"""Names for the peaks of an X-ray spectrum."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import find_peaks, peak_prominences

from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._lines import Line, characteristic_lines

_TRIED = (
    "B C N O F Na Mg Al Si P S Cl K Ca Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Sr Y Zr Nb Mo Ru Rh Pd Ag Cd In Sn Sb "
    "Te I Cs Ba La Ce Pr Nd Sm Gd Dy Er Yb Hf Ta W Re Ir Pt Au Hg Pb Bi"
)
COMMON_ELEMENTS = tuple(_TRIED.split())
"""Elements that are tried where none are given."""

_FOURTH_DIFFERENCE = np.array([1, -4, 6, -4, 1]) / np.sqrt(70)  # blind to peaks, and keeps the noise of white noise
_SIGNIFICANT = 6.0  # standard deviations above the background
_SHIFTS = (0.0, 0.01, -0.01, 0.02, -0.02, 0.03, -0.03, 0.04, -0.04, 0.05, -0.05)  # of a poor calibration, keV
_MINOR = ("Ll", "Ln", "Mz")  # lines that do not tell an element
_LOWEST = 0.2  # keV; peaks below are left to the noise of the detector
_WINDOW_EDGES = 0.5  # keV; below, absorption edges of the detector's window cut humps into the background
_SMALLEST = 0.004  # of the highest peak
_TELLING = 0.12  # weight above which a missing line speaks against an element
_CONVINCING = 0.6  # least agreement of an element's lines with the spectrum


@dataclass(frozen=True)
class _Peaks:
    """Peaks of a spectrum: energies in keV, heights above the background, and how low a height would be seen."""

    energies: NDArray[np.float64]
    heights: NDArray[np.float64]
    axis: EnergyAxis
    threshold: NDArray[np.float64]

    def height_near(self, energy: float, reach: float) -> float:
        """Return the height of the highest peak within `reach` keV, or zero."""
        return float(self.heights[np.abs(self.energies - energy) <= reach].max(initial=0))

    def shifted(self, shift: float) -> "_Peaks":
        """Return the peaks as they are when the energy axis is `shift` keV too low."""
        return replace(self, energies=self.energies + shift)

    def visible(self, line: Line) -> bool:
        """Tell whether a line lies on the axis."""
        return bool(max(self.axis.energies[0], _LOWEST) < line.energy < self.axis.energies[-1])


def name_peaks(
    mean_spectrum: ArrayLike,
    axis: EnergyAxis,
    elements: Iterable[str] | None = None,
    *,
    beam_energy_kev: float = 200.0,
) -> list[tuple[float, str]]:
    """Name the significant peaks of a spectrum.

    Parameters
    ----------
    mean_spectrum : array_like, (channels,)
        Counts, summed or averaged; the noise is taken from the spectrum itself.
    axis : EnergyAxis
        Its energies, keV.
    elements : iterable of str, optional
        The elements that may be there. Without them, common elements are tried, and one is taken to be there only
        where its strongest line is seen and its other strong lines are not missed.
    beam_energy_kev : float, optional
        Beam energy, keV.

    Returns
    -------
    list of (float, str)
        Energies of the peaks, keV, and the names of their lines, such as ``"Fe Ka"``, by rising energy. Peaks
        without a convincing name are left out.

    Raises
    ------
    ValueError
        If the spectrum does not have the channels of the axis, or an element is unknown.
    """
    spectrum = np.asarray(mean_spectrum, dtype=np.float64)
    if spectrum.shape != (axis.channels,):
        raise ValueError(f"mean_spectrum has shape {spectrum.shape}, but the axis has {axis.channels} channels")
    found = _find(spectrum, axis)
    named: list[list[Line | None]] = []
    for shift in _SHIFTS:
        peaks = found.shifted(shift)
        if elements is None:
            present = _present(peaks, beam_energy_kev)
        else:
            present = [_visible_lines(element, peaks, beam_energy_kev) for element in elements]
        lines = [line for of_element in present for line in of_element]
        named.append([_best(energy, lines) for energy in peaks.energies.tolist()])
    explained = [
        _explained(names, found.shifted(shift)) - abs(shift) for names, shift in zip(named, _SHIFTS, strict=True)
    ]
    best = named[int(np.argmax(explained))]
    return [(energy, line.label) for energy, line in zip(found.energies.tolist(), best, strict=True) if line]


def tolerance(energy: float) -> float:
    """Return how far a peak may lie from a line to be taken for it, keV: a little more than a fifth of its width."""
    return 0.012 + 0.2 * math.sqrt(max(0.130**2 + 0.0025 * (energy - 5.895), 0.05**2))


def _find(spectrum: NDArray[np.float64], axis: EnergyAxis) -> _Peaks:
    width = 0.035 / axis.dispersion
    smooth = gaussian_filter1d(spectrum, width)
    variance = uniform_filter1d(np.convolve(spectrum, _FOURTH_DIFFERENCE, "same") ** 2, max(5, int(6 * width)))
    noise = np.sqrt(np.maximum(variance, 0) / (2 * np.sqrt(np.pi) * width))
    seen = np.where(axis.energies > _LOWEST, smooth, 0)
    smallest = np.where(axis.energies > _WINDOW_EDGES, _SMALLEST, 5 * _SMALLEST)
    threshold = np.maximum(_SIGNIFICANT * noise, smallest * seen.max(initial=0))
    found = find_peaks(seen)[0]
    heights = peak_prominences(seen, found)[0]
    keep = heights > threshold[found]
    return _Peaks(axis.energies[found[keep]], heights[keep], axis, threshold)


def _explained(names: Sequence[Line | None], peaks: _Peaks) -> float:
    """Return the part of the peaks' heights, as square roots, that is explained, from 0 to 1."""
    weights = np.sqrt(peaks.heights)
    agreement = [
        _nearness(line.energy - energy, energy) if line else 0.0
        for line, energy in zip(names, peaks.energies.tolist(), strict=True)
    ]
    return float(weights @ np.array(agreement) / max(weights.sum(), 1e-12))


def _visible_lines(element: str, peaks: _Peaks, beam_energy: float) -> list[Line]:
    lines = characteristic_lines(element, beam_energy)
    return [line for line in lines if peaks.visible(line) and line.name not in _MINOR]


def _present(peaks: _Peaks, beam_energy: float) -> list[list[Line]]:
    """Take the peaks from the highest down; each that is not yet explained brings in the element that suits it best."""
    candidates = [lines for element in COMMON_ELEMENTS if (lines := _visible_lines(element, peaks, beam_energy))]
    present: list[list[Line]] = []
    for peak in np.argsort(-peaks.heights):
        energy = float(peaks.energies[peak])
        if _best(energy, [line for lines in present for line in lines]) is None:
            scored = [(_agreement(lines, peaks), lines) for lines in candidates if _best(energy, _strong(lines))]
            score, lines = max(scored, key=lambda pair: pair[0], default=(0.0, []))
            if score >= _CONVINCING:
                present.append(lines)
    return present


def _strong(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.weight == 1]


def _best(energy: float, lines: Sequence[Line]) -> Line | None:
    """Return the line that suits a peak best: strong, and near."""
    near = [line for line in lines if abs(line.energy - energy) <= tolerance(energy) and line.weight > _TELLING]
    return max(near, key=lambda line: line.weight * _nearness(line.energy - energy, energy), default=None)


def _nearness(difference: float, energy: float) -> float:
    return float(np.exp(-((difference / tolerance(energy)) ** 2)))


def _agreement(lines: Sequence[Line], peaks: _Peaks) -> float:
    """Return how well an element's lines are found in a spectrum, from 0 to 1.

    The strongest line of the deepest visible shell must be there; every other line of that shell that would stand out
    must be there too, and in a likely ratio.
    """
    main = lines[0]
    height = peaks.height_near(main.energy, tolerance(main.energy))
    if height == 0 or main.weight < 1:
        return 0.0
    score = _nearness(float(np.abs(peaks.energies - main.energy).min()), main.energy)
    for line in lines[1:]:
        expected = line.weight * height
        reach = 3 * tolerance(line.energy)
        apart = line.shell == main.shell and abs(line.energy - main.energy) > 2 * reach
        would_show = line.weight > _TELLING and 0.4 * expected > peaks.threshold[peaks.axis.channel(line.energy)]
        if apart and would_show and peaks.height_near(line.energy, reach) < 0.3 * expected:
            score *= 0.3
    return score
