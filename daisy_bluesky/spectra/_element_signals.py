"""What an element sends, by the name of its line or edge, measured spectrum by spectrum."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.spectra._edge_net_counts import edge_net_counts
from daisy_bluesky.spectra._edges import edges
from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._line_net_counts import line_weights
from daisy_bluesky.spectra._lines import characteristic_lines
from daisy_bluesky.spectra._peaks import COMMON_ELEMENTS

LEAST_VARIANCE = 1.0  # counts^2: that nothing was counted does not mean that there is nothing


class ElementSignal(Protocol):
    """A line or an edge of an element."""

    @property
    def name(self) -> str:
        """Element, and line or edge."""
        ...

    @property
    def axis(self) -> EnergyAxis:
        """Energies of the spectra."""
        ...

    def rate(self, spectrum: NDArray[np.generic], seconds: float) -> tuple[float, float]:
        """Return the net counts per second of a spectrum, (channels,), and their variance."""
        ...


@dataclass(frozen=True)
class LineSignal:
    """A characteristic X-ray line.

    Attributes
    ----------
    name : str
        Element and line, such as ``"Ti Ka"``.
    energy : float
        Energy, keV.
    axis : EnergyAxis
        Energies of the spectra, keV.
    """

    name: str
    energy: float
    axis: EnergyAxis

    @cached_property
    def _weights(self) -> tuple[slice, NDArray[np.float64], NDArray[np.float64]]:
        channels, weights = line_weights(self.axis, self.energy)
        return channels, weights, weights**2

    def rate(self, spectrum: NDArray[np.generic], seconds: float) -> tuple[float, float]:
        """Return the net counts per live second of a spectrum, (channels,) counts, and their variance."""
        channels, weights, squares = self._weights
        counts = np.asarray(spectrum[channels], np.float64)
        variance = max(float(counts @ squares), LEAST_VARIANCE)
        return float(counts @ weights) / seconds, variance / seconds**2


@dataclass(frozen=True)
class EdgeSignal:
    """A core-loss edge.

    Attributes
    ----------
    name : str
        Element and edge, such as ``"B K"``.
    onset : float
        Onset, eV.
    axis : EnergyAxis
        Energies of the spectra, eV.
    noise_gain, read_noise : float
        The camera's noise, as for `edge_net_counts`.
    """

    name: str
    onset: float
    axis: EnergyAxis
    noise_gain: float = 1.0
    read_noise: float = 0.0

    def rate(self, spectrum: NDArray[np.generic], seconds: float) -> tuple[float, float]:
        """Return the net counts per second of a spectrum, (channels,) counts, and their variance."""
        net, variance = edge_net_counts(
            spectrum, self.axis, self.onset, noise_gain=self.noise_gain, read_noise=self.read_noise
        )
        return float(net) / seconds, max(float(variance), LEAST_VARIANCE) / seconds**2


def element_signal(name: str, axes: Mapping[str, EnergyAxis], camera: Mapping[str, Any] | None = None) -> ElementSignal:
    """Return the line or the edge of a name.

    Parameters
    ----------
    name : str
        Element, and line or edge: ``"Ti Ka"``, ``"B K"``, ``"Fe L3"``.
    axes : mapping of str to EnergyAxis
        Energies of what is measured: ``"keV"`` of X-rays, ``"eV"`` of energy losses.
    camera : mapping, optional
        ``noise_gain`` and ``read_noise`` of the camera behind the spectrometer.

    Raises
    ------
    ValueError
        If there is no such line or edge on these axes; the error offers the nearest names that are.
    """
    signal = _line(name, axes.get("keV")) or _edge(name, axes.get("eV"), camera or {})
    if signal is None:
        raise ValueError(f"{name!r} is no line or edge on the energy axes measured{_offers(name, axes)}")
    return signal


def signal_names(element: str, axes: Mapping[str, EnergyAxis]) -> list[str]:
    """Return the names of the lines and edges of an element that can be measured on axes."""
    names = [line.label for line in characteristic_lines(element)] + [name for name, _ in edges(element)]
    return [name for name in names if _line(name, axes.get("keV")) or _edge(name, axes.get("eV"), {})]


def _line(name: str, axis: EnergyAxis | None) -> LineSignal | None:
    element = name.split(" ")[0]
    if axis is None or element not in COMMON_ELEMENTS:
        return None
    energies = {line.label: line.energy for line in characteristic_lines(element)}
    return LineSignal(name, energies[name], axis) if name in energies and _fits_line(energies[name], axis) else None


def _fits_line(energy: float, axis: EnergyAxis) -> bool:
    try:
        line_weights(axis, energy)
    except ValueError:
        return False
    return True


def _edge(name: str, axis: EnergyAxis | None, camera: Mapping[str, Any]) -> EdgeSignal | None:
    element = name.split(" ")[0]
    if axis is None or element not in COMMON_ELEMENTS:
        return None
    onset = dict(edges(element)).get(name)
    if onset is None or not _fits_edge(onset, axis):
        return None
    return EdgeSignal(name, onset, axis, **camera)


def _fits_edge(onset: float, axis: EnergyAxis) -> bool:
    try:
        edge_net_counts(np.zeros(axis.channels), axis, onset)
    except ValueError:
        return False
    return True


def _offers(name: str, axes: Mapping[str, EnergyAxis]) -> str:
    element = name.split(" ")[0]
    near = [element] if element in COMMON_ELEMENTS else get_close_matches(element, COMMON_ELEMENTS, n=3, cutoff=0.4)
    names = [each for one in near for each in signal_names(one, axes)]
    offered = get_close_matches(name, names, n=4, cutoff=0.3) or names[:4]
    return f"; did you mean {' or '.join(repr(each) for each in offered)}?" if offered else ""
