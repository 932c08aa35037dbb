"""Spectra: energy axes, lines and edges."""

from daisy_bluesky.spectra._energy_axis import EnergyAxis
from daisy_bluesky.spectra._lines import ELECTRONS, Line, Transition, characteristic_lines, transitions

__all__ = ["ELECTRONS", "EnergyAxis", "Line", "Transition", "characteristic_lines", "transitions"]
