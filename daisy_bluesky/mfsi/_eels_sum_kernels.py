"""Kernels that move whole spectra: along their energy axis first, then onto the output pixels."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled
from daisy_bluesky.mfsi._spectrum_sum_kernels import overlap


@compiled
def shift_spectrum(spectrum: NDArray[np.float32], shift: float, shifted: NDArray[np.float32]) -> None:
    """Move a spectrum by a number of channels, by cubic convolution; channels that nothing reaches become 0."""
    n = spectrum.size
    whole = int(np.floor(shift))
    t = np.float32(1.0 - (shift - whole))  # place between the second and third of the four channels that contribute
    if shift == whole:
        whole, t = whole - 1, np.float32(0.0)
    before = np.float32(-0.5) * t + t * t - np.float32(0.5) * t * t * t
    low = np.float32(1.0) - np.float32(2.5) * t * t + np.float32(1.5) * t * t * t
    high = np.float32(0.5) * t + np.float32(2.0) * t * t - np.float32(1.5) * t * t * t
    behind = np.float32(-0.5) * t * t + np.float32(0.5) * t * t * t
    shifted[:] = 0
    for k in range(max(0, whole + 1), min(n, n + whole + 1)):
        at = k - whole - 1
        last = min(at + 1, n - 1)
        value = low * spectrum[at] + high * spectrum[last]
        shifted[k] = value + before * spectrum[max(at - 1, 0)] + behind * spectrum[min(at + 2, n - 1)]


@compiled
def shift_spectra(
    spectra: NDArray[np.float32], shift: NDArray[np.float64], low: int, high: int, shifted: NDArray[np.float32]
) -> None:
    """Move every spectrum of an image by its own number of channels; return channels `low` to `high`."""
    buffer = np.empty(spectra.shape[2], np.float32)
    for r in range(spectra.shape[0]):
        for c in range(spectra.shape[1]):
            shift_spectrum(spectra[r, c], shift[r, c], buffer)
            shifted[r, c] = buffer[low:high]


@compiled
def bin_spectrum(spectrum: NDArray[np.float32], binning: int, binned: NDArray[np.float32]) -> None:
    """Add up channels, as many as fit."""
    for k in range(binned.size):
        binned[k] = spectrum[k * binning : (k + 1) * binning].sum()


@compiled
def spread_spectra(
    spectra: NDArray[np.float32],
    shift: NDArray[np.float64],
    positions: NDArray[np.int32],
    exposure: NDArray[np.int64],
    width: int,
    binning: int,
    total: NDArray[np.float32],
) -> None:
    """Add the spectra of a frame to the output pixels that a box of `width` pixels around each overlaps.

    Channels are added up by `binning` after a spectrum has been moved along its energy axis.
    """
    buffer, binned = np.empty(spectra.shape[2], np.float32), np.empty(total.shape[2], np.float32)
    for r in range(spectra.shape[0]):
        for c in range(spectra.shape[1]):
            if exposure[r, c] == 0:
                continue
            moved = spectra[r, c]
            if shift[r, c] != 0:
                shift_spectrum(spectra[r, c], shift[r, c], buffer)
                moved = buffer
            if binning > 1:
                bin_spectrum(moved, binning, binned)
                moved = binned
            row, column = np.int64(positions[r, c, 0]), np.int64(positions[r, c, 1])
            lowest_row, lowest_column = int((row - 128 * (width - 1)) >> 8), int((column - 128 * (width - 1)) >> 8)
            for down in range(max(lowest_row, 0), min(lowest_row + width + 1, total.shape[0])):
                part = overlap(row, width, down) / (256 * width)
                for right in range(max(lowest_column, 0), min(lowest_column + width + 1, total.shape[1])):
                    weight = np.float32(part * overlap(column, width, right) / (256 * width))
                    if weight > 0:
                        into = total[down, right]
                        for k in range(into.size):
                            into[k] += weight * moved[k]


@compiled
def centres_of_peaks(
    spectra: NDArray[np.float32], low: int, high: int, half_width: float, centres: NDArray[np.float64]
) -> None:
    """Find the peak of each spectrum within channels `low` to `high`: centre of mass around itself, iterated."""
    for r in range(spectra.shape[0]):
        for c in range(spectra.shape[1]):
            spectrum = spectra[r, c]
            centre = float(low + np.argmax(spectrum[low:high]))
            for _ in range(10):
                first, last = centre - half_width, centre + half_width
                mass, moment = 0.0, 0.0
                for k in range(max(int(np.floor(first)), low), min(int(np.ceil(last)) + 1, high)):
                    inside = min(max(min(k + 0.5, last) - max(k - 0.5, first), 0.0), 1.0)
                    mass += inside * spectrum[k]
                    moment += inside * spectrum[k] * k
                centre = moment / mass if mass > 0 else np.nan
            centres[r, c] = centre
