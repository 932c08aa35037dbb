"""Spectra of the elements of a projected specimen, and what a spectrometer does to them in a scan."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import xraydb
from numpy.typing import NDArray

from daisy_bluesky.specimen._eds_model import EDS_AXIS, EDSModel
from daisy_bluesky.specimen._eels import EELSModel
from daisy_bluesky.specimen._eels_camera import EELSCamera
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.spectra import EnergyAxis

EVENT = np.dtype([("row", np.int32), ("column", np.int32), ("channel", np.int32), ("count", np.uint16)])
_AXIS = EnergyAxis(-20.0, 1.0, 2048, "eV")
_THICKNESS = 25.0  # nm
_SHIFT_STEP = 0.02  # channels to which shifts of the EELS axis are rounded


@dataclass(frozen=True)
class DriftingSpectrometer:
    """An EELS spectrometer whose energy offset moves with time and with the probe.

    Attributes
    ----------
    axis : EnergyAxis
        Nominal energy axis, eV.
    electrons : float
        Mean electrons per spectrum.
    energy_drift : float
        Steady drift of the energy offset, eV per frame.
    energy_walk : float
        Standard deviation of its random walk, eV per frame.
    descan : tuple of float
        Change of the energy offset with the probe position, eV per row and per column.
    camera : EELSCamera
        What the spectra are recorded with.
    """

    axis: EnergyAxis = _AXIS
    electrons: float = 2.0e5
    energy_drift: float = 0.0
    energy_walk: float = 0.0
    descan: tuple[float, float] = (0.0, 0.0)
    camera: EELSCamera = field(default_factory=EELSCamera)

    def energy_shift(self, frame: int, shape: tuple[int, int], seed: int) -> NDArray[np.float64]:
        """Return by how much each spectrum lies too high, (rows, columns) float64, eV: the truth of a frame."""
        rng = np.random.default_rng([seed, 17])
        path = np.cumsum(self.energy_walk * rng.standard_normal(frame + 2) + self.energy_drift)
        rows, columns = np.indices(shape)
        part = (rows * shape[1] + columns) / (shape[0] * shape[1])
        drift = path[frame] + part * (path[frame + 1] - path[frame])
        return np.asarray(drift + self.descan[0] * rows + self.descan[1] * columns)

    def cube(
        self,
        amounts: NDArray[np.float64],
        elements: tuple[str, ...],
        shift: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Return a frame of spectra.

        Parameters
        ----------
        amounts : (rows, columns, elements) float64
            How much of each element lies under the probe, as parts of all.
        elements : tuple of str
            Their symbols.
        shift : (rows, columns) float64
            By how much each spectrum lies too high, eV.
        rng : numpy.random.Generator
            Random numbers of this frame.

        Returns
        -------
        (rows, columns, channels) float32
            Digital counts of the camera.
        """
        spectra = self.electrons * eels_spectra(elements, self.axis)
        step = _SHIFT_STEP * self.axis.dispersion
        rounded = np.rint(shift / step).astype(np.int64)
        cube = np.empty((*shift.shape, self.axis.channels), dtype=np.float32)
        for value in np.unique(rounded):
            energies = self.axis.energies - value * step
            moved = np.array([np.interp(energies, self.axis.energies, spectrum) for spectrum in spectra])
            there = rounded == value
            expected = amounts[there] @ moved
            cube[there] = self.camera.read(expected.ravel(), rng).reshape(expected.shape)
        return cube


def draw_events(rates: NDArray[np.float64], elements: tuple[str, ...], rng: np.random.Generator) -> NDArray[np.void]:
    """Return the X-rays of a frame.

    Parameters
    ----------
    rates : (elements, rows, columns) float64
        Expected X-rays of each element in each pixel.
    elements : tuple of str
        Symbols of the elements.
    rng : numpy.random.Generator
        Random numbers of this frame.

    Returns
    -------
    (n,) structured
        One per X-ray: row, column, channel (of 2,048 of 10 eV) and a count of one, in the order of the scan.
    """
    places, channels = [], []
    for rate, spectrum in zip(rates, eds_spectra(elements), strict=True):
        counts = rng.poisson(rate).ravel()
        there = np.repeat(np.arange(counts.size), counts)
        places.append(there)
        channels.append(np.searchsorted(np.cumsum(spectrum)[:-1], rng.random(len(there))))
    place, channel = np.concatenate(places), np.concatenate(channels)
    order = np.lexsort((channel, place))
    events = np.empty(len(place), dtype=EVENT)
    events["row"], events["column"] = np.divmod(place[order], rates.shape[2])
    events["channel"], events["count"] = channel[order], 1
    return events


@lru_cache(maxsize=16)
def eds_spectra(elements: tuple[str, ...]) -> NDArray[np.float64]:
    """Return each element's X-ray spectrum, (elements, 2048) float64, summing to one."""
    rates = EDSModel([_pure(name) for name in elements], axis=EDS_AXIS).rates
    return np.asarray(rates / rates.sum(axis=1, keepdims=True))


@lru_cache(maxsize=16)
def eels_spectra(elements: tuple[str, ...], axis: EnergyAxis) -> NDArray[np.float64]:
    """Return each element's EELS spectrum, (elements, channels) float64, share of the incident electrons."""
    return EELSModel([_pure(name) for name in elements], axis=axis).expected


def _pure(element: str) -> Phase:
    return Phase(element, {element: 1.0}, max(1.0, float(xraydb.atomic_density(element))), _THICKNESS)
