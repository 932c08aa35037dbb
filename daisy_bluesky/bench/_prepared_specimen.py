"""A specimen that has its answers ready: what is measured with it is the acquisition, not the physics."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from daisy_bluesky.protocols import Exposure
from daisy_bluesky.specimen import VirtualSpecimen
from daisy_bluesky.spectra import EnergyAxis

SPECTRA_OF_A_KIND = 64


class PreparedSpecimen:
    """Answers as a virtual specimen does, with spectra drawn beforehand.

    Every pixel gives one of 64 spectra of its own phase, an ill pixel one of 64 ill spectra: the noise repeats itself
    over the field, what is to be decided does not.

    Parameters
    ----------
    specimen : VirtualSpecimen
        Whose phases, ill pixels and expected spectra these are.
    counts : float
        Mean counts of a spectrum.
    seed : int
        Seed of the spectra.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    pixel_size : float
        nm.
    identity : str
        That of the specimen.
    eds_axis : EnergyAxis
        Channels of the EDS detector, keV.
    eels_axis : None
        There is no EELS.
    """

    eels_axis: EnergyAxis | None = None

    def __init__(self, specimen: VirtualSpecimen, counts: float, seed: int) -> None:
        self.shape = specimen.shape
        self.pixel_size = specimen.pixel_size
        self.identity = specimen.identity
        self.eds_axis: EnergyAxis | None = specimen.eds_axis
        good, _ = specimen.training_spectra(SPECTRA_OF_A_KIND, counts, seed)
        ill = specimen.ill_spectra(SPECTRA_OF_A_KIND, counts, seed)
        self._answers: list[Mapping[str, Any]] = [
            {"spectrum": spectrum, "live_time": 1.0, "real_time": 1.0} for spectrum in (*ill, *good)
        ]
        kind = np.where(specimen.ill, 0, specimen.labels).astype(np.int64)
        drawn = np.random.default_rng([seed, 51]).integers(SPECTRA_OF_A_KIND, size=self.shape)
        self._number = SPECTRA_OF_A_KIND * kind + drawn

    def haadf(self, exposure: Exposure) -> float:
        """Return the number of the pixel's answer, in place of an intensity."""
        return float(self._answer_at(exposure))

    def eds(self, exposure: Exposure) -> Mapping[str, Any]:
        """Return the answer of the pixel under the beam: ``"spectrum"``, (channels,) uint32, and nominal times, s."""
        return self._answers[self._answer_at(exposure)]

    def eels(self, exposure: Exposure) -> Mapping[str, Any]:
        """Refuse: no EELS spectra have been prepared.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(f"exposure {exposure.number}: no EELS spectra are prepared; use the detectors haadf and eds")

    def _answer_at(self, exposure: Exposure) -> int:
        return int(self._number[round(exposure.row), round(exposure.column)])
