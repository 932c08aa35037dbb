"""The running sums of one area: images, spectra, and where its frames lie."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.callbacks._energy_alignment import EnergyAlignment
from daisy_bluesky.callbacks._registered_frame import MOST_WAVES, RegisteredFrame, RegisteredFrames
from daisy_bluesky.mfsi import AlignedSum, EelsSum, Registrar, SpectrumSum

Array = NDArray[np.float64]


class AreaSum:
    """Registers the frames of an area as they come, and sums them.

    Parameters
    ----------
    shape : tuple of int
        Pixels of a frame, (rows, columns).
    spectra : mapping of str to SpectrumSum or EelsSum
        Empty sums, by data key.
    energies : mapping of str to EnergyAlignment
        What aligns the energies of EELS spectra, by data key.
    upsample : int
        Output pixels per pixel.
    scan_fraction : float
        Part of the time from one frame to the next that is spent scanning.

    Attributes
    ----------
    image : AlignedSum
        Of the images.
    registered : RegisteredFrames
        Where the frames lie.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        spectra: Mapping[str, SpectrumSum | EelsSum],
        energies: Mapping[str, EnergyAlignment],
        upsample: int,
        scan_fraction: float,
    ) -> None:
        self.image = AlignedSum(shape, upsample=upsample)
        self.spectra = spectra
        self.registered = RegisteredFrames(columns=shape[1])
        self._shape, self._energies, self._scan_fraction = shape, energies, scan_fraction
        self._registrar = Registrar(scan_fraction=scan_fraction)

    def add(self, number: int, area: int, image: NDArray[Any], data: Mapping[str, Any]) -> RegisteredFrame:
        """Register a frame, and add it to the sums unless it cannot be used.

        Parameters
        ----------
        number, area : int
            Its number in the series, and its area.
        image : (rows, columns) ndarray
            What it is registered by.
        data : mapping of str to Any
            What the event tells, with its spectra.
        """
        try:
            displacement = self._registrar.add(image)
        except ValueError as error:
            return self._left_out(number, area, str(error))
        if displacement is None:
            return self._left_out(number, area, self._registrar.excluded[len(self._registrar.alignments) - 1])
        # energy losses first: what is wrong with a frame is found there, before its X-rays are counted
        for key in sorted(self.spectra, key=lambda key: isinstance(self.spectra[key], SpectrumSum)):
            try:
                self._add_spectra(key, number, data, displacement)
            except (ValueError, MemoryError) as error:
                return self._left_out(number, area, f"{key}: {error}")
        self.image.add(image, displacement)
        found = self._found(number, area, "")
        self.registered.frames.append(found)
        return found

    def _add_spectra(self, key: str, number: int, data: Mapping[str, Any], displacement: Array) -> None:
        total, values = self.spectra[key], np.asarray(data[key])
        if isinstance(total, SpectrumSum):
            total.add(values, displacement, frame=number)
        else:
            offset = float(data[f"{key.removesuffix('_frame')}_energy_offset"])
            total.add(values, displacement, frame=number, energy_shift=self._energies[key].shift(values, offset))

    def _left_out(self, number: int, area: int, reason: str) -> RegisteredFrame:
        found = self._found(number, area, reason)
        self.registered.frames.append(found)
        return found

    def _found(self, number: int, area: int, excluded: str) -> RegisteredFrame:
        registrar, usable = self._registrar, [one for one in self._registrar.alignments if one is not None]
        degree = registrar.degree
        functions = (degree + 1) * (degree + 2) // 2 + 2 * MOST_WAVES
        coefficients, waves = np.zeros((functions, 2)), np.zeros((MOST_WAVES, 2))
        rows, error = np.zeros((self._shape[0], 2)), np.full(2, np.nan)
        if usable:
            known = np.array(registrar.prior.basis.waves).reshape(-1, 2)
            waves[: len(known)] = known
        if not excluded:
            alignment = usable[-1]
            coefficients[: len(alignment.coefficients)] = alignment.coefficients
            rows, error = alignment.rows.copy(), alignment.error.copy()
        return RegisteredFrame(number, area, excluded, coefficients, rows, error, waves, degree, self._scan_fraction)
