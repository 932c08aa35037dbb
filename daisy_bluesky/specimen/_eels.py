"""EELS spectra of the phases of a specimen."""

from collections.abc import Sequence
from math import exp

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen._eels_camera import EELSCamera
from daisy_bluesky.specimen._elastic import atomic_number, elastic_cross_section
from daisy_bluesky.specimen._fast_electron import ELECTRONS_PER_PICOCOULOMB, FastElectron
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.specimen._plural_scattering import PluralScattering
from daisy_bluesky.specimen._single_scattering import mean_free_path, single_scattering
from daisy_bluesky.spectra import EnergyAxis

DEFAULT_AXIS = EnergyAxis(-50.0, 1.0, 2048, "eV")


class EELSModel:
    """Expected and noisy EELS spectra: zero-loss peak, plasmon, core edges, and all of it scattered plurally.

    A phase scatters inelastically ``t / lambda`` times on average, lambda from its density. Its atoms take their part
    of it by their cross-sections: core edges, and valence electrons as the power-law background. The plasmon gets
    the rest.
    What the axis does not reach (the zero-loss peak, say) is not recorded, but is scattered into what it reaches.
    Edges are those of free atoms, without fine structure, and the camera does not saturate.

    Parameters
    ----------
    phases : sequence of Phase
        The phases of the specimen.
    axis : EnergyAxis, optional
        Energy axis of the spectra, eV.
    beam_energy : float, optional
        Kinetic energy of the electrons, keV.
    resolution : float, optional
        Full width at half maximum of the zero-loss peak, eV.
    convergence_angle, collection_angle : float, optional
        Half-angles of the probe and of the spectrometer's entrance, mrad.
    camera : EELSCamera, optional
        What the spectra are recorded with.

    Attributes
    ----------
    axis : EnergyAxis
        Energy axis of the spectra, eV.
    relative_thickness : ndarray
        (phases,) float64, t / lambda.
    expected : ndarray
        (phases, channels) float64, share of the incident electrons in each channel.

    Raises
    ------
    ValueError
        If there are no phases, or the axis, the resolution or an angle makes no sense.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        *,
        axis: EnergyAxis = DEFAULT_AXIS,
        beam_energy: float = 200.0,
        resolution: float = 1.0,
        convergence_angle: float = 10.0,
        collection_angle: float = 20.0,
        camera: EELSCamera | None = None,
    ) -> None:
        if not phases or not (convergence_angle >= 0 and collection_angle > 0):
            raise ValueError("an EELS spectrometer needs phases to look at, and a positive collection angle")
        self.axis = axis
        self.camera = camera if camera is not None else EELSCamera()
        electron = FastElectron(beam_energy)
        plural = PluralScattering(axis, resolution)
        self.relative_thickness: NDArray[np.float64] = np.array(
            [
                phase.thickness / mean_free_path(phase.density, electron, convergence_angle, collection_angle)
                for phase in phases
            ]
        )
        self.expected: NDArray[np.float64] = np.array(
            [
                _transmitted(phase, electron, collection_angle)
                * plural.spectrum(
                    single_scattering(phase, thickness, plural.losses, electron, collection_angle), thickness
                )
                for phase, thickness in zip(phases, self.relative_thickness, strict=True)
            ]
        )

    def spectrum(
        self, fractions: NDArray[np.float64], exposure: Exposure, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return the spectrum that the camera records in one exposure.

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
        ndarray
            (channels,) float32, digital counts of the camera.
        """
        incident = exposure.current * exposure.dwell * ELECTRONS_PER_PICOCOULOMB
        return self.camera.read((incident * fractions) @ self.expected, rng)


def _transmitted(phase: Phase, electron: FastElectron, collection_angle: float) -> float:
    """Return the share of the electrons that elastic scattering leaves within the collection angle."""
    cross_section = sum(
        x * elastic_cross_section(atomic_number(element), electron, collection_angle * 1e-3)
        for element, x in phase.composition.items()
    )
    return exp(-phase.atoms_per_area * cross_section)
