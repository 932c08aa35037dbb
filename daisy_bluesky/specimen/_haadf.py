"""HAADF intensity: mass-thickness contrast and the noise of its detector."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen._elastic import atomic_number, elastic_cross_section
from daisy_bluesky.specimen._fast_electron import ELECTRONS_PER_PICOCOULOMB, FastElectron
from daisy_bluesky.specimen._phase import Phase

REFERENCE = 14  # silicon, where Rutherford scattering through the screened nucleus sets the scale


class HAADFModel:
    """Electrons that a high-angle annular dark-field detector counts.

    The share of the beam that phase p sends onto the detector is ``1 - exp(-N_p sum_i x_i sigma_i)`` with ``N_p`` its
    atoms per area and ``sigma_i = sigma_Si (Z_i / 14)^exponent``; under the probe, phases add by their fractions.

    Parameters
    ----------
    phases : sequence of Phase
        The phases of the specimen.
    beam_energy : float, optional
        Kinetic energy of the electrons, keV.
    inner_angle, outer_angle : float, optional
        Half-angles of the detector, mrad.
    exponent : float, optional
        Exponent of the atomic number; measured ones lie between 1.6 and 1.9.
    offset : float, optional
        What the detector reads without beam, detected electrons per exposure.
    read_noise : float, optional
        Standard deviation of that reading, detected electrons.
    pulse_spread : float, optional
        Standard deviation of the response to one electron, relative to its mean.

    Raises
    ------
    ValueError
        If there are no phases, or the angles are not ``0 < inner < outer``.

    References
    ----------
    S. J. Pennycook, Ultramicroscopy 30 (1989) 58 (Z contrast of high-angle scattering).
    O. L. Krivanek et al., Nature 464 (2010) 571 (exponent 1.64 measured).
    M. M. J. Treacy, Microsc. Microanal. 17 (2011) 847 (exponents from 1.6 to 2 and where they come from).
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        *,
        beam_energy: float = 200.0,
        inner_angle: float = 60.0,
        outer_angle: float = 200.0,
        exponent: float = 1.7,
        offset: float = 20.0,
        read_noise: float = 5.0,
        pulse_spread: float = 0.3,
    ) -> None:
        if not phases or not 0 < inner_angle < outer_angle:
            raise ValueError("a HAADF detector needs phases to look at, and angles with 0 < inner_angle < outer_angle")
        electron = FastElectron(beam_energy)
        silicon = elastic_cross_section(REFERENCE, electron, inner_angle * 1e-3, outer_angle * 1e-3)
        self.scattered: NDArray[np.float64] = np.array(
            [1 - np.exp(-phase.atoms_per_area * silicon * _relative(phase, exponent)) for phase in phases]
        )
        self.offset = offset
        self._read_variance = read_noise**2
        self._pulse_variance = pulse_spread**2

    def intensity(self, fractions: NDArray[np.float64], exposure: Exposure, rng: np.random.Generator) -> float:
        """Return what the detector reads in one exposure.

        Parameters
        ----------
        fractions : ndarray
            (phases,) float64, share of each phase in what lies under the probe, summing to 1.
        exposure : Exposure
            Current, pA, and dwell, s.
        rng : numpy.random.Generator
            Random numbers of this measurement.

        Returns
        -------
        float
            Detected electrons: Poisson noise, the spread of the detector's pulses, and its offset with noise.
        """
        incident = exposure.current * exposure.dwell * ELECTRONS_PER_PICOCOULOMB
        electrons = float(rng.poisson(incident * float(fractions @ self.scattered)))
        noise = sqrt(electrons * self._pulse_variance + self._read_variance) * float(rng.standard_normal())
        return electrons + self.offset + noise


def _relative(phase: Phase, exponent: float) -> float:
    """Return the mean of ``(Z / 14)^exponent`` over the atoms of a phase."""
    return sum(x * float((atomic_number(element) / REFERENCE) ** exponent) for element, x in phase.composition.items())
