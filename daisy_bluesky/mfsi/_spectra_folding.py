"""Energy-loss spectra of the repeats of a motif laid upon each other."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from daisy_bluesky.mfsi._spectrum_sum_exposure import require_memory
from daisy_bluesky.mfsi._spectrum_sum_positions import checked_upsample
from daisy_bluesky.mfsi._template import Repeats
from daisy_bluesky.mfsi._template_folding import motif_places, require_repeats

MEMORY_LIMIT = 4 << 30
BLOCK = 64  # channels that are folded at a time


def fold_spectra(
    spectra: NDArray[np.floating],
    repeats: Repeats,
    *,
    exposure: ArrayLike = 1.0,
    upsample: int = 1,
    memory_limit: int = MEMORY_LIMIT,
) -> NDArray[np.float32]:
    """Return the mean spectra of the repeats of a motif in a summed spectrum image.

    Counts and exposure are interpolated bilinearly and summed over the repeats on their own, and divided at the end.

    Parameters
    ----------
    spectra : (rows, columns, channels) float
        Summed counts, as `EelsSum.volume` gives them.
    repeats : Repeats
        Where the motif repeats itself, pixels of `spectra`.
    exposure : (rows, columns) float, or float, optional
        Exposure of the pixels.
    upsample : int, optional
        Output pixels per pixel.
    memory_limit : int, optional
        Largest result, bytes.

    Returns
    -------
    (motif rows * upsample, motif columns * upsample, channels) float32
        Counts per exposure; NaN where no repeat was exposed.

    Raises
    ------
    ValueError
        If there are no repeats, `spectra` or `exposure` has another shape, or `upsample` is out of range.
    MemoryError
        If the result would exceed the memory limit.

    References
    ----------
    Jones et al., Microscopy 67 (2018) i98, Methods (template matching through image and spectrum-image series).
    """
    require_repeats(repeats)
    upsample = checked_upsample(upsample)
    if np.ndim(spectra) != 3:
        raise ValueError(f"spectra has shape {np.shape(spectra)}; it must be (rows, columns, channels)")
    rows, columns, channels = spectra.shape
    exposed = np.broadcast_to(np.asarray(exposure, np.float64), (rows, columns)).reshape(-1)
    shape = (repeats.shape[0] * upsample, repeats.shape[1] * upsample, channels)
    require_memory("folding the spectra", 4 * int(np.prod(shape)), memory_limit)
    folding = _folding(repeats, upsample, (rows, columns))
    weight = folding @ exposed
    folded = np.full((len(weight), channels), np.nan, np.float32)
    seen = weight > 0
    for low in range(0, channels, BLOCK):
        block = np.asarray(spectra[..., low : low + BLOCK], np.float64).reshape(rows * columns, -1)
        folded[seen, low : low + BLOCK] = ((folding @ block)[seen] / weight[seen, None]).astype(np.float32)
    return folded.reshape(shape)


def _folding(repeats: Repeats, upsample: int, field: tuple[int, int]) -> csr_array:
    """Return what sums the repeats: a matrix (motif pixels, pixels of the field) of bilinear weights."""
    places = np.concatenate([each.reshape(-1, 2) for each in motif_places(repeats, upsample)])
    pixels = len(places) // len(repeats)
    motif = np.tile(np.arange(pixels), len(repeats))
    whole = np.floor(places).astype(np.int64)
    part = places - whole
    entries = []
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = whole[:, 0] + down, whole[:, 1] + right
        weight = np.abs(1 - down - part[:, 0]) * np.abs(1 - right - part[:, 1])
        inside = (row >= 0) & (row < field[0]) & (column >= 0) & (column < field[1]) & (weight > 0)
        entries.append((weight[inside], motif[inside], (row * field[1] + column)[inside]))
    weights, to, of = (np.concatenate(each) for each in zip(*entries, strict=True))
    return csr_array((weights, (to, of)), shape=(pixels, field[0] * field[1]))
