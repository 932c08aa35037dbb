"""Windows of energy on an axis, and spectra that must fit it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from daisy_bluesky.spectra._energy_axis import EnergyAxis

Window = tuple[float, float]


def window_channels(name: str, window: Window, axis: EnergyAxis, least: int = 1) -> slice:
    """Return the channels whose centres lie in a window.

    Parameters
    ----------
    name : str
        What the window is called where it does not fit.
    window : (float, float)
        First and last energy, in the unit of the axis; the last is left out.
    axis : EnergyAxis
        The axis.
    least : int
        How many channels there must be at least.

    Raises
    ------
    ValueError
        If the window reaches beyond the axis, or holds too few channels.
    """
    low, high = (float(end) for end in window)
    first, last = (int(np.ceil((end - axis.offset) / axis.dispersion - 1e-9)) for end in (low, high))
    if not (first >= 0 and last <= axis.channels and last - first >= least):
        raise ValueError(
            f"{name}: {low:g} to {high:g} {axis.unit} is not a window of {least} channels or more on the axis, which "
            f"runs from {axis.energies[0]:g} to {axis.energies[-1]:g} {axis.unit}"
        )
    return slice(first, last)


def checked_spectra(spectra: ArrayLike | Any, axis: EnergyAxis) -> Any:
    """Return spectra as an array or as the sparse array that they are.

    Raises
    ------
    ValueError
        If they do not have the channels of the axis.
    """
    found: Any = spectra if sparse.issparse(spectra) else np.asarray(spectra)
    if found.shape[-1:] != (axis.channels,):
        raise ValueError(f"spectra have shape {found.shape}, but the axis has {axis.channels} channels")
    return found


def window_sum(spectra: Any, channels: slice, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return the sum over the channels of a window, weighted where weights (channels of the window,) are given."""
    within = spectra[..., channels]
    factors = np.ones(within.shape[-1]) if weights is None else weights
    return np.asarray(within @ factors, dtype=np.float64)
