"""Spectra: energy axes, lines and edges."""

from daisy_bluesky.spectra._deviance import poisson_deviance
from daisy_bluesky.spectra._edge_net_counts import edge_net_counts
from daisy_bluesky.spectra._edges import edges
from daisy_bluesky.spectra._element_signals import EdgeSignal, ElementSignal, LineSignal, element_signal, signal_names
from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._line_net_counts import line_net_counts, line_weights
from daisy_bluesky.spectra._lines import ELECTRONS, Line, Transition, characteristic_lines, transitions
from daisy_bluesky.spectra._peaks import COMMON_ELEMENTS, name_peaks
from daisy_bluesky.spectra._power_law import PowerLaw, fit_power_law

__all__ = [
    "COMMON_ELEMENTS",
    "ELECTRONS",
    "EdgeSignal",
    "ElementSignal",
    "EnergyAxis",
    "Line",
    "LineSignal",
    "PowerLaw",
    "Transition",
    "characteristic_lines",
    "edge_net_counts",
    "edges",
    "element_signal",
    "fit_power_law",
    "line_net_counts",
    "line_weights",
    "name_peaks",
    "poisson_deviance",
    "signal_names",
    "transitions",
]
