"""A fast raster that spends the electrons of a sparse map on all pixels: the rival where a visit costs nothing."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from daisy_bluesky.bench._sampling_maps import Case
from daisy_bluesky.sampling import potts_posterior, total_distortion
from daisy_bluesky.specimen import VirtualSpecimen

# Counts of one spectrum of the sparse map.
COUNTS = (20.0, 200.0)
BINNED = 16
# Counts that an ill spectrum spreads evenly over the channels, for each that another has.
BRIGHTNESS = 5.0
LEAST = 1e-6


def equal_electron_raster(case: Case, fraction: float, counts: float) -> float:
    """Return the distortion of a raster of as many electrons, classified with the spatial prior, spectra known.

    Parameters
    ----------
    case : Case
        The map; at most four phases.
    fraction : float
        Part of the pixels that the sparse map measures.
    counts : float
        Mean counts of one of its spectra.

    Returns
    -------
    float
        Total distortion.
    """
    spectra = _spectra()
    phases = int(case.truth.max())
    ill = len(spectra) - 1
    rng = np.random.default_rng([case.seed, round(1000 * fraction), round(counts)])
    measured = rng.poisson(fraction * counts * spectra[np.where(case.ill, ill, case.truth - 1)])
    log_likelihood = measured @ np.log(spectra[:phases].T)
    labels = 1 + potts_posterior(log_likelihood).argmax(axis=2)
    return total_distortion(labels, case.truth, case.ill)


@cache
def _spectra() -> NDArray[np.float64]:
    """Return mean spectra of the demonstration's phases, and of an ill spectrum last, (phases + 1, bins) float64."""
    specimen = VirtualSpecimen.demo((32, 32))
    each = np.array([specimen.eds_mean(number + 1) for number in range(len(specimen.phases))])
    binned = each[:, : each.shape[1] // BINNED * BINNED].reshape(len(each), -1, BINNED).sum(axis=2) + LEAST
    flat = np.full((1, binned.shape[1]), BRIGHTNESS / binned.shape[1])
    return np.concatenate([binned / binned.sum(axis=1, keepdims=True), flat])
