"""What an EDS detector is expected to count on each phase of a specimen."""

from collections.abc import Sequence
from math import pi

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._emission import bremsstrahlung_yield, characteristic_yield, transmission
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.specimen._silicon_drift_detector import SiliconDriftDetector
from daisy_bluesky.spectra import EnergyAxis

EDS_AXIS = EnergyAxis(offset=0.0, dispersion=0.010, channels=2048, unit="keV")
ELECTRONS_PER_PICOAMPERE = 1e-12 / 1.602176634e-19  # per second
_LOWEST_ENERGY = 0.1  # keV; tables and detectors end here
_GRID = Phase("support grid", {"Cu": 1.0}, 8.96, 1000.0)


class EDSModel:
    """Expected EDS spectra of phases, in counts per live second and picoampere.

    Parameters
    ----------
    phases : sequence of Phase
        The materials.
    beam_energy : float, optional
        Kinetic energy of the electrons, keV.
    axis : EnergyAxis, optional
        The detector's channels, keV.
    detector : SiliconDriftDetector, optional
        The detector.
    stray_fraction : float, optional
        Counts from the copper support grid, excited by scattered electrons, for each count from the specimen.

    Attributes
    ----------
    rates : (phases, channels) float64
        Expected counts per live second and pA of beam current.

    Raises
    ------
    ValueError
        If there is no phase, or the beam energy is not positive.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        *,
        beam_energy: float = 200.0,
        axis: EnergyAxis = EDS_AXIS,
        detector: SiliconDriftDetector | None = None,
        stray_fraction: float = 0.03,
    ) -> None:
        if not phases:
            raise ValueError("no phases: an EDS model needs at least one")
        if not beam_energy > 0:
            raise ValueError(f"beam_energy is {beam_energy} keV, but must be positive")
        self.axis = axis
        self.beam_energy = beam_energy
        self.detector = detector or SiliconDriftDetector()
        continuum = axis.energies[axis.energies >= _LOWEST_ENERGY]
        response = self.detector.response(continuum, axis)
        stray = self._spectrum(_GRID, continuum, response)
        rates = np.array([self._spectrum(phase, continuum, response) for phase in phases])
        self.rates = rates + stray_fraction * rates.sum(axis=1, keepdims=True) * stray / stray.sum()

    def _spectrum(
        self, phase: Phase, continuum: NDArray[np.float64], response: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        lines, photons = characteristic_yield(phase, self.beam_energy)
        spectrum = self._seen(phase, lines, photons) @ self.detector.response(lines, self.axis)
        emitted = bremsstrahlung_yield(phase, continuum, self.beam_energy) * self.axis.dispersion
        spectrum += self._seen(phase, continuum, emitted) @ response
        solid_angle = self.detector.solid_angle / (4 * pi)
        return np.asarray(ELECTRONS_PER_PICOAMPERE * solid_angle * spectrum)

    def _seen(self, phase: Phase, energies: NDArray[np.float64], photons: NDArray[np.float64]) -> NDArray[np.float64]:
        leaving = transmission(phase, energies, self.detector.take_off_angle)
        return photons * leaving * self.detector.efficiency(energies)
