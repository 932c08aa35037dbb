"""Spectra: energy axes, lines and edges."""

from daisy_bluesky.spectra._energy_axis import EnergyAxis

__all__ = ["EnergyAxis"]
