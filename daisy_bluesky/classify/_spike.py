"""Counts heaped in fewer channels than any X-ray line is wide."""

from daisy_bluesky.classify._counts import Spectra
from daisy_bluesky.compilation import compiled

NARROW = 1  # channels either side of the spike's centre
AROUND = 6
LEAST_COUNTS = 12
LEAST_SHARE = 0.9
LEAST_PART = 0.05


@compiled
def is_spike(spectrum: Spectra) -> bool:
    """Return whether a spectrum (channels,) holds a spike.

    A characteristic line spreads over its detector's resolution, five channels of 10 eV and more; a spike has nearly
    all counts of its neighbourhood in three, and a fair part of the whole spectrum's.
    """
    channels = len(spectrum)
    total = 0.0
    for channel in range(channels):
        total += spectrum[channel]
    for channel in range(AROUND, channels - AROUND):
        if spectrum[channel] >= 2:
            within = 0.0
            for near in range(channel - NARROW, channel + NARROW + 1):
                within += spectrum[near]
            around = 0.0
            for near in range(channel - AROUND, channel + AROUND + 1):
                around += spectrum[near]
            if within >= max(LEAST_COUNTS, LEAST_PART * total) and within >= LEAST_SHARE * around:
                return True
    return False
