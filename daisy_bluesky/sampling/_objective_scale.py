"""How large an objective's own differences are, and where its regions begin."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

_SPAN = 0.02, 0.98  # quantiles of the measured values between which an objective's levels lie
_LEAST_NOISE = 0.01  # variance of a membership, so that no measurement is beyond doubt
_APART = 4.0  # standard deviations of noise: further than noise alone parts even a few values from many
_NOISE_SPAN = 4.1  # the same span of Gaussian noise, standard deviations


def scale_of(values: Floats, noise: Floats) -> float:
    """Return the span of an objective's true levels, in its unit.

    Parameters
    ----------
    values, noise : (n,) float64
        Measured values and their variances.

    Returns
    -------
    float
        The span of the values, less what noise adds to it; where they do not differ by more than their noise, the span
        of noise, so that nothing is made of nothing. 1 where there are no values.
    """
    if len(values) == 0:
        return 1.0
    span = float(np.diff(np.quantile(values, _SPAN))[0])
    of_noise = _NOISE_SPAN * float(np.sqrt(noise.mean()))
    return max(float(np.sqrt(max(span**2 - of_noise**2, 0.0))), of_noise) or 1.0


def threshold_of(values: Floats, noise: Floats, *, poor: bool) -> float:
    """Return where regions begin that are poor, or rich: the middle between the last level and the one before it.

    Values are parted in two, the sum of squares between the parts as large as can be, and the lower (or upper) part
    again, as long as the parts lie further apart than noise would part them. Where not even the first do, no value is
    taken for poor or rich.

    Parameters
    ----------
    values, noise : (n,) float64
        Measured values and their variances; at least one.
    poor : bool
        Whether the lowest level is meant, not the highest.

    References
    ----------
    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Syst. Man Cybern. 9, 62 (1979).
    """
    sign = 1.0 if poor else -1.0
    ordered, apart = np.sort(sign * values), _APART * float(np.sqrt(noise.mean()))
    threshold = ordered[0] - apart
    while len(ordered) > 1:
        split = _parted(ordered)
        middle = (ordered[:split].mean() + ordered[split:].mean()) / 2
        if ordered[split:].mean() - ordered[:split].mean() <= apart:
            break
        threshold, ordered = middle, ordered[:split]
    return float(sign * threshold)


def _parted(ordered: Floats) -> int:
    """Return how many of rising values are in the lower of two parts."""
    lower = np.arange(1, len(ordered))
    below = np.cumsum(ordered)[:-1]
    apart = (ordered.sum() - below) / (len(ordered) - lower) - below / lower
    return 1 + int(np.argmax(apart**2 * lower * (len(ordered) - lower)))


def membership(values: Floats, noise: Floats, threshold: float, *, poor: bool) -> tuple[Floats, Floats]:
    """Return the probability that true values lie beyond a threshold, and its variance.

    Parameters
    ----------
    values, noise : (...) float64
        Measured values and their variances.
    threshold : float
        Where the regions begin.
    poor : bool
        Whether values below are meant, not those above.
    """
    beyond = ndtr((threshold - values) / np.sqrt(np.maximum(noise, 1e-300)) * (1 if poor else -1))
    return beyond, np.maximum(beyond * (1 - beyond), _LEAST_NOISE)


def rarity(labels: NDArray[np.integer], largest: int) -> Floats:
    """Return what a wrong label costs where rare phases count, (largest + 2,): 1 for the rarest, less for others.

    Parameters
    ----------
    labels : (...) int
        The map as known, -1 for an unknown phase.
    largest : int
        Largest label there can be; the last entry is that of the unknown phase.
    """
    found, counts = np.unique(labels[labels != 0], return_counts=True)
    costs = np.ones(largest + 2)
    if len(found):
        costs[found] = np.sqrt(counts.min() / counts)
    return costs
