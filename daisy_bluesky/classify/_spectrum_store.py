"""Spectra kept for a second look, as lists of their filled channels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.classify._counts import Floats, Integers, Singles, Spectra
from daisy_bluesky.compilation import compiled

Filled = NDArray[np.int32]


class SpectrumStore:
    """Every spectrum of a run in a few bytes per filled channel; kept spectra are numbered from 0, in order.

    Parameters
    ----------
    channels : int
        Number of energy channels.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._starts: Integers = np.zeros(1025, np.int64)
        self._channel: Filled = np.empty(1 << 16, np.int32)
        self._count = np.empty(1 << 16, np.float32)
        self._kept = 0

    def __len__(self) -> int:
        return self._kept

    def add(self, spectrum: Spectra) -> int:
        """Keep a spectrum (channels,) and return its number."""
        return self.add_all(spectrum[None])

    def add_all(self, spectra: Spectra) -> int:
        """Keep spectra (n, channels) and return the number of the first."""
        first, start = self._kept, int(self._starts[self._kept])
        stop = start + int(np.count_nonzero(spectra))
        if stop > len(self._channel):
            length = max(stop, 2 * len(self._channel))
            self._channel, self._count = _lengthened(self._channel, length), _lengthened(self._count, length)
        self._kept += len(spectra)
        if self._kept + 1 > len(self._starts):
            self._starts = _lengthened(self._starts, max(self._kept + 1, 2 * len(self._starts)))
        _list(spectra, start, self._starts[first + 1 :], self._channel, self._count)
        return first

    def spectra(self, numbers: Integers) -> Singles:
        """Return kept spectra, (n, channels) float32."""
        return _dense(self._starts, self._channel, self._count, numbers, np.arange(self.channels), self.channels)

    def binned(self, numbers: Integers, bin_of: Integers, bins: int) -> Singles:
        """Return kept spectra summed over bins, (n, bins) float32; `bin_of` (channels,) names each channel's bin."""
        return _dense(self._starts, self._channel, self._count, numbers, bin_of, bins)

    def sums(self, labels: Integers, phases: int) -> Floats:
        """Return the summed counts of spectra labelled 1..`phases`, (phases, channels); `labels` is (kept,)."""
        return _sums(self._starts, self._channel, self._count, labels, phases, self.channels)

    def project(self, numbers: Integers, table: Floats) -> Floats:
        """Return ``spectra @ table``, (n, columns), for a table (channels, columns)."""
        return _project(self._starts, self._channel, self._count, numbers, table)


def _lengthened(values: NDArray[Any], length: int) -> NDArray[Any]:
    longer = np.empty(length, values.dtype)
    longer[: len(values)] = values
    return longer


@compiled
def _list(spectra: Spectra, start: int, ends: Integers, channel: Filled, count: Singles) -> None:
    """List the filled channels of spectra (n, channels) from `start` on, and where those of each spectrum end."""
    place = start
    for row in range(spectra.shape[0]):
        for filled in range(spectra.shape[1]):
            if spectra[row, filled] != 0:
                channel[place], count[place] = filled, spectra[row, filled]
                place += 1
        ends[row] = place


@compiled
def _dense(
    starts: Integers, channel: Filled, count: Singles, numbers: Integers, bin_of: Integers, bins: int
) -> Singles:
    spectra = np.zeros((len(numbers), bins), np.float32)
    for row in range(len(numbers)):
        for i in range(starts[numbers[row]], starts[numbers[row] + 1]):
            spectra[row, bin_of[channel[i]]] += count[i]
    return spectra


@compiled
def _sums(starts: Integers, channel: Filled, count: Singles, labels: Integers, phases: int, channels: int) -> Floats:
    sums = np.zeros((phases, channels))
    for number in range(len(labels)):
        if labels[number] >= 1:
            target = sums[labels[number] - 1]
            for i in range(starts[number], starts[number + 1]):
                target[channel[i]] += count[i]
    return sums


@compiled
def _project(starts: Integers, channel: Filled, count: Singles, numbers: Integers, table: Floats) -> Floats:
    results = np.zeros((len(numbers), table.shape[1]))
    for row in range(len(numbers)):
        for i in range(starts[numbers[row]], starts[numbers[row] + 1]):
            for column in range(table.shape[1]):
                results[row, column] += count[i] * table[channel[i], column]
    return results
