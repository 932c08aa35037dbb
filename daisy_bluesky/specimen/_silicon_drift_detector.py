"""The silicon drift detector: which photons it sees, and in which channels they are counted."""

from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np
import xraydb
from numpy.typing import NDArray
from scipy.special import ndtr

from daisy_bluesky.specimen._emission import mass_attenuation
from daisy_bluesky.spectra import EnergyAxis

_FWHM = 2 * sqrt(2 * log(2))  # of a Gaussian, in standard deviations
_FAR = 8.0  # standard deviations beyond which a Gaussian is nothing
_PAIR_ENERGY = 3.65e-3  # to make one electron-hole pair in silicon, keV
_MANGANESE_KA = 5.895  # keV
_SILICON_KA = 1.740  # keV
_POLYIMIDE = {"C": 0.691, "H": 0.026, "N": 0.073, "O": 0.209}  # weight fractions


@dataclass(frozen=True)
class SiliconDriftDetector:
    """An energy-dispersive X-ray detector.

    Attributes
    ----------
    solid_angle : float
        Solid angle seen from the specimen, sr.
    take_off_angle : float
        Angle of the line of sight above the specimen plane, degrees.
    polymer, aluminium : float
        Thicknesses of the window's polyimide film and of its aluminium coating, nm; 0 for a windowless detector.
    dead_layer : float
        Thickness of silicon whose charge is not collected, nm.
    silicon : float
        Thickness of active silicon, mm.
    resolution : float
        Full width at half maximum at Mn Ka, eV.
    fano_factor : float
        Variance of the number of electron-hole pairs over their mean.
    dead_time_per_count : float
        Time during which the pulse processor is deaf after each count, s.

    Raises
    ------
    ValueError
        If `resolution` is below what the Fano factor alone gives, or `solid_angle` is outside (0, 4 pi].
    """

    solid_angle: float = 0.7
    take_off_angle: float = 20.0
    polymer: float = 300.0
    aluminium: float = 30.0
    dead_layer: float = 50.0
    silicon: float = 0.45
    resolution: float = 130.0
    fano_factor: float = 0.115
    dead_time_per_count: float = 2e-6

    def __post_init__(self) -> None:
        if not 0 < self.solid_angle <= 4 * pi:
            raise ValueError(f"solid_angle is {self.solid_angle} sr, but must lie in (0, 4 pi]")
        if self._noise_variance < 0:
            raise ValueError(f"resolution of {self.resolution} eV at Mn Ka is finer than the Fano limit of silicon")

    @property
    def _noise_variance(self) -> float:
        return (self.resolution / 1000 / _FWHM) ** 2 - self.fano_factor * _PAIR_ENERGY * _MANGANESE_KA

    def width(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the full width at half maximum, (n,) keV, of lines at `energies`, (n,) keV: Fano and noise."""
        variance = self._noise_variance + self.fano_factor * _PAIR_ENERGY * np.maximum(energies, 0.0)
        return np.asarray(_FWHM * np.sqrt(variance))

    def efficiency(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the part of the photons, (n,), that passes window and dead layer and stops in the silicon."""
        silicon = xraydb.atomic_density("Si") * mass_attenuation({"Si": 1.0}, energies)
        optical_depth = (
            1.4 * mass_attenuation(_POLYIMIDE, energies) * self.polymer * 1e-7
            + 2.70 * mass_attenuation({"Al": 1.0}, energies) * self.aluminium * 1e-7
            + silicon * self.dead_layer * 1e-7
        )
        return np.asarray(-np.exp(-optical_depth) * np.expm1(-silicon * self.silicon * 0.1))

    def escape_fraction(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the part of the counts, (n,), from which a Si Ka photon escapes through the front face.

        References
        ----------
        S. J. B. Reed, N. G. Ware, J. Phys. E 5 (1972) 582: ``0.5 w (1 - 1/r) (1 - m ln(1 + 1/m))`` with w the K yield,
        r the jump ratio of silicon and m its attenuation of Si Ka over that of the incident photon.
        """
        edge = xraydb.xray_edge("Si", "K")
        ratio = mass_attenuation({"Si": 1.0}, np.array([_SILICON_KA]))[0] / mass_attenuation({"Si": 1.0}, energies)
        escaping = 0.5 * edge.fyield * (1 - 1 / edge.jump_ratio) * (1 - ratio * np.log1p(1 / ratio))
        return np.where(energies > edge.energy / 1000, escaping, 0.0)

    def response(self, energies: NDArray[np.float64], axis: EnergyAxis) -> NDArray[np.float64]:
        """Return the probability that a photon stopped in the detector is counted in a channel.

        Parameters
        ----------
        energies : (n,) float64
            Photon energies, keV.
        axis : EnergyAxis
            Where the channels lie, keV.

        Returns
        -------
        (n, channels) float64
            Rows sum to one, less what falls off the ends of the axis.
        """
        edges = np.append(axis.energies, axis.energies[-1] + axis.dispersion) - axis.dispersion / 2
        escaping = self.escape_fraction(energies)[:, None]
        full, escaped = self._peaks(energies, edges), self._peaks(energies - _SILICON_KA, edges)
        return np.asarray((1 - escaping) * full + escaping * escaped)

    def _peaks(self, energies: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
        sigma = self.width(energies)[:, None] / _FWHM
        deviations = (edges - energies[:, None]) / sigma
        below = (deviations > 0).astype(np.float64)
        near = np.abs(deviations) < _FAR
        below[near] = ndtr(deviations[near])
        return np.diff(below, axis=1)

    def live_time(self, dwell: float, rate: float) -> float:
        """Return the live time, s, of a dwell in s at `rate` counts per live second: the non-paralysable dead time."""
        return dwell / (1 + rate * self.dead_time_per_count)
