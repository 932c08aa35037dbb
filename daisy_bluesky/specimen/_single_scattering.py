"""Single scattering: how often, and with which energy loss, a phase scatters the beam's electrons inelastically."""

from math import log

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.specimen._dipole_scattering import collected, dipole_scattering
from daisy_bluesky.specimen._fast_electron import FastElectron
from daisy_bluesky.specimen._phase import Phase
from daisy_bluesky.specimen._plasmon import plasmon_energy, plasmon_loss

CUT_OFF = 20.0  # mrad
CROSSOVER = 1.5  # where atoms take over from the free-electron gas, relative to the plasmon energy
STEEPNESS = 8
ALL_LOSSES = np.geomspace(1.1, 2e4, 8000)  # eV, over which the plasmon gets what the atoms leave it


def mean_free_path(density: float, electron: FastElectron, convergence_angle: float, collection_angle: float) -> float:
    """Return the mean free path, nm, of all inelastic scattering.

    Parameters
    ----------
    density : float
        Mass density, g/cm3.
    electron : FastElectron
        The scattered electron.
    convergence_angle, collection_angle : float
        Half-angles of the probe and of the spectrometer's entrance, mrad.

    References
    ----------
    K. Iakoubovskii, K. Mitsuishi, Y. Nakayama, K. Furuya, Microsc. Res. Tech. 71 (2008) 626, eq. 9.
    """
    energy = electron.energy
    factor = (1 + energy / 1022) / (1 + energy / 511) ** 2 * energy
    packing = float(density**0.3)
    inner = (5.5 * packing / factor) ** 2
    outer = CUT_OFF**2
    both = convergence_angle**2 + collection_angle**2
    difference = abs(convergence_angle**2 - collection_angle**2)
    ratio = (both + 2 * inner + difference) / (both + 2 * outer + difference) * outer / inner
    return 200 * factor / (11 * packing) / log(ratio)


def single_scattering(
    phase: Phase,
    thickness: float,
    losses: NDArray[np.float64],
    electron: FastElectron,
    collection_angle: float,
) -> NDArray[np.float64]:
    """Return the expected number of inelastic scatterings per electron and eV.

    Above the plasmon, atoms scatter with their oscillator strengths, absolutely: core edges on a background that
    falls as a power of the energy loss. The plasmon gets the rest of the `thickness`.

    Parameters
    ----------
    phase : Phase
        What scatters.
    thickness : float
        Expected number of scatterings per electron of any loss, t / lambda.
    losses : ndarray
        (losses,) float64, positive energy losses, eV.
    electron : FastElectron
        The scattered electron.
    collection_angle : float
        Half-angle that the spectrometer accepts, mrad.

    Returns
    -------
    ndarray
        (losses,) float64, per eV.
    """
    plasmon = plasmon_energy(phase)
    by_atoms = np.trapezoid(_atoms(phase, plasmon, ALL_LOSSES, electron, collection_angle), ALL_LOSSES)
    by_gas = np.trapezoid(_electron_gas(plasmon, ALL_LOSSES, electron, collection_angle), ALL_LOSSES)
    share = max(thickness - by_atoms, 0.0) / by_gas
    return np.asarray(
        _atoms(phase, plasmon, losses, electron, collection_angle)
        + share * _electron_gas(plasmon, losses, electron, collection_angle)
    )


def _atoms(
    phase: Phase, plasmon: float, losses: NDArray[np.float64], electron: FastElectron, collection_angle: float
) -> NDArray[np.float64]:
    tabulated = losses >= ALL_LOSSES[0]
    scattering = np.zeros_like(losses)
    scattering[tabulated] = dipole_scattering(phase, losses[tabulated], electron, collection_angle)
    return scattering / (1 + (CROSSOVER * plasmon / losses) ** STEEPNESS)


def _electron_gas(
    plasmon: float, losses: NDArray[np.float64], electron: FastElectron, collection_angle: float
) -> NDArray[np.float64]:
    loss = plasmon_loss(plasmon, losses) * collected(losses, electron, collection_angle)
    return np.asarray(loss / (1 + (losses / (CROSSOVER * plasmon)) ** STEEPNESS))
