"""What a file with a recorded spectrum image holds, whatever its format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from daisy_bluesky.spectra import EnergyAxis

MOST_PIXELS = 2**28
MOST_COUNTS = 2**31
NANOMETRES = {"nm": 1.0, "µm": 1e3, "μm": 1e3, "um": 1e3, "mm": 1e6, "m": 1e9, "Å": 0.1, "A": 0.1, "pm": 1e-3}
# In order of preference: the nearer to mass-thickness contrast, the better a stand-in for the HAADF signal.
SURVEY_IMAGES = ("HAADF", "ADF", "DF", "BSE", "SE")


@dataclass(frozen=True)
class Recording:
    """A recorded EDS spectrum image and the survey images taken with it.

    Attributes
    ----------
    shape : tuple of int
        (rows, columns), pixels.
    axis : EnergyAxis
        Energy axis of the spectra, keV; the channels are those of the file.
    counts : sparse array
        (rows * columns, channels) CSR uint32, counts; row-major pixels.
    images : mapping of str to ndarray
        Survey images, each (rows, columns) float64, in the units of the file.
    pixel_size : float or None
        Distance between pixel centres, nm, where the file tells.
    dwell : float or None
        Recorded dwell time per pixel, s, where the file tells.
    elements : tuple of str
        Elements named in the file.
    """

    shape: tuple[int, int]
    axis: EnergyAxis
    counts: Any
    images: Mapping[str, NDArray[np.float64]]
    pixel_size: float | None = None
    dwell: float | None = None
    elements: tuple[str, ...] = ()

    @property
    def survey(self) -> tuple[str, NDArray[np.float64]]:
        """Name and pixels of the image nearest to HAADF; the total counts where the file has none."""
        for kind in SURVEY_IMAGES:
            for name, image in self.images.items():
                if name.rstrip("0123456789") == kind:
                    return name, image
        total = np.asarray(self.counts.sum(axis=1), dtype=np.float64)
        return "total counts", total.reshape(self.shape)


def gather(
    shape: tuple[int, int, int], pixel: NDArray[np.int64], channel: NDArray[np.int64], n: NDArray[np.int64]
) -> Any:
    """Collect listed counts into one sparse row per pixel.

    Parameters
    ----------
    shape : tuple of int
        (rows, columns, channels).
    pixel, channel, n : ndarray
        (entries,) int64: row-major pixel, channel and number of counts of each entry; an entry may come twice.

    Returns
    -------
    sparse array
        (rows * columns, channels) CSR uint32, counts, channels in rising order.

    Raises
    ------
    ValueError
        If an entry lies outside `shape`, is negative, or there are more pixels or counts than can be held.
    """
    rows, columns, channels = shape
    if min(shape) < 1 or rows * columns > MOST_PIXELS:
        raise ValueError(f"its shape {shape} is not that of a spectrum image (rows, columns, channels)")
    if n.size and (min(pixel.min(), channel.min()) < 0 or pixel.max() >= rows * columns or channel.max() >= channels):
        raise ValueError(f"some of its counts lie outside the shape {shape} it states")
    if n.size and (n.min() < 0 or n.sum(dtype=np.float64) >= MOST_COUNTS):
        raise ValueError("its counts are negative or too many to be counts")
    listed = sparse.coo_array((n.astype(np.uint32), (pixel, channel)), shape=(rows * columns, channels))
    counts = listed.tocsr()
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


def energy_axis(offset: float, dispersion: float, channels: int) -> EnergyAxis:
    """Make the energy axis, keV, of a recording.

    Raises
    ------
    ValueError
        If the offset is not finite or the dispersion not positive.
    """
    if not (np.isfinite(offset) and np.isfinite(dispersion) and dispersion > 0):
        raise ValueError(f"its energy axis (offset {offset}, dispersion {dispersion} keV) makes no sense")
    return EnergyAxis(float(offset), float(dispersion), channels, "keV")


def nanometres(size: float, unit: str) -> float | None:
    """Return a length in nm, or None where the file does not tell one."""
    known = NANOMETRES.get(unit)
    return size * known if known is not None and np.isfinite(size) and size > 0 else None
