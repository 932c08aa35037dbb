"""Products of the channels of spectra that grow by single counts."""

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.compilation import compiled


@compiled
def grow(
    pixels: NDArray[np.int64],
    channels: NDArray[np.int64],
    counts: NDArray[np.int64],
    spectra: NDArray[np.float32],
    pairs: NDArray[np.float64],
) -> None:
    """Add counts to spectra, (pixels, channels), and to the number of pairs of different counts by their channels.

    Each new count pairs with every count its pixel has already: the sum of the pairs with their transpose is that of
    products of channels, of counts with others than themselves.
    """
    for i in range(pixels.size):
        spectrum = spectra[pixels[i]]
        row = pairs[channels[i]]
        for _ in range(counts[i]):
            for k in range(row.size):
                row[k] += spectrum[k]
            spectrum[channels[i]] += np.float32(1)
