"""Spectra: energy axes, lines and edges."""

from daisy_bluesky.spectra._deviance import poisson_deviance
from daisy_bluesky.spectra._edges import edges
from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._lines import ELECTRONS, Line, Transition, characteristic_lines, transitions
from daisy_bluesky.spectra._peaks import COMMON_ELEMENTS, name_peaks

__all__ = [
    "COMMON_ELEMENTS",
    "ELECTRONS",
    "EnergyAxis",
    "Line",
    "Transition",
    "characteristic_lines",
    "edges",
    "name_peaks",
    "poisson_deviance",
    "transitions",
]
