"""Element maps of summed frames: net counts above the background, their uncertainty, and the exposure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from daisy_bluesky.mfsi._eels_sum import EelsSum
from daisy_bluesky.mfsi._spectrum_sum import SpectrumSum
from daisy_bluesky.spectra import EnergyAxis, edge_net_counts, line_net_counts


@dataclass(frozen=True)
class ElementMap:
    """Net counts of a line or an edge.

    Attributes
    ----------
    net : (rows, columns) float64
        Counts above the background; noise can make them negative.
    variance : (rows, columns) float64
        Estimate of their variance, counts^2.
    exposure : (rows, columns) float64
        Exposure, in that of a whole pixel of one frame.
    """

    net: NDArray[np.float64]
    variance: NDArray[np.float64]
    exposure: NDArray[np.float64]

    @property
    def rate(self) -> NDArray[np.float64]:
        """Net counts per exposure of a whole pixel, for display, (rows, columns); NaN where nothing was exposed."""
        unexposed = np.full(self.net.shape, np.nan)
        return np.asarray(np.divide(self.net, self.exposure, out=unexposed, where=self.exposure > 0))

    @property
    def signal_to_noise(self) -> float:
        """Mean net counts of a pixel over their root mean square uncertainty."""
        return float(self.net.mean() / np.sqrt(max(float(self.variance.mean()), 1e-30)))

    @property
    def contrast_to_noise(self) -> float:
        """Standard deviation of what the map shows, noise taken off, over the noise of a pixel."""
        noise = max(float(self.variance.mean()), 1e-30)
        return float(np.sqrt(max(float(self.net.var()) - noise, 0.0) / noise))


def line_maps(
    total: SpectrumSum, axis: EnergyAxis, lines: Mapping[str, float], **options: Any
) -> dict[str, ElementMap]:
    """Return a map of each of several characteristic lines, above a straight background.

    Parameters
    ----------
    total : SpectrumSum
        Summed frames; dithered or nearest, so that counts are Poisson numbers.
    axis : EnergyAxis
        Energies of the channels, keV.
    lines : mapping of str to float
        Names and energies, keV, such as ``{"Ag La": 2.984}``.
    **options
        Windows, as `daisy_bluesky.spectra.line_net_counts` takes them.

    Returns
    -------
    dict of str to ElementMap

    Raises
    ------
    ValueError
        If the axis has not the sum's channels, a window reaches beyond it, or the sum is bilinear.
    """
    if axis.channels != total.channels:
        raise ValueError(f"axis has {axis.channels} channels, the sum {total.channels}")
    exposure = total.exposure
    events = total.events()
    pixels = events["row"].astype(np.int64) * exposure.shape[1] + events["column"]
    first = np.searchsorted(pixels, np.arange(exposure.size + 1))
    spectra = csr_array((events["count"], events["channel"], first), shape=(exposure.size, axis.channels))
    maps = {}
    for name, energy in lines.items():
        net, variance = line_net_counts(spectra, axis, energy, **options)
        maps[name] = ElementMap(net.reshape(exposure.shape), variance.reshape(exposure.shape), exposure)
    return maps


def edge_map(
    total: EelsSum,
    axis: EnergyAxis,
    onset_eV: float,  # noqa: N803
    width_eV: float = 50.0,  # noqa: N803
    fit_window: tuple[float, float] | None = None,
    *,
    noise_gain: float = 1.0,
    read_noise: float = 0.0,
    **options: Any,
) -> ElementMap:
    """Return a map of a core-loss edge, above a power-law background.

    Parameters
    ----------
    total : EelsSum
        Summed frames.
    axis : EnergyAxis
        Energies of the sum's channels, eV; see `EelsSum.energy_axis`.
    onset_eV, width_eV, fit_window, noise_gain, read_noise, **options
        As `daisy_bluesky.spectra.edge_net_counts` takes them; the noise that of one frame as recorded. What spreading
        spectra over output pixels does to the variance is accounted for, what interpolating them along the energy
        axis does is not.

    Returns
    -------
    ElementMap

    Raises
    ------
    ValueError
        If the axis has not the sum's channels, or a window does not lie on it or on channels every frame reached.
    """
    volume = total.volume()
    if axis.channels != volume.shape[2]:
        raise ValueError(f"axis has {axis.channels} channels, the sum {volume.shape[2]}")
    low, high = total.covered_channels
    covered = EnergyAxis(axis.energies[low], axis.dispersion, high - low, axis.unit)
    exposure = total.exposure
    net, variance = edge_net_counts(
        volume[..., low:high],
        covered,
        onset_eV,
        width_eV,
        fit_window,
        noise_gain=noise_gain * total.variance_factor,
        read_noise=read_noise,
        read_outs=exposure * total.variance_factor * total.binning,
        **options,
    )
    return ElementMap(net, variance, exposure)
