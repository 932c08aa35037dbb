"""How large an objective's own differences are, and where its regions begin."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

_SPAN = 0.02, 0.98  # quantiles of the measured values between which an objective's levels lie
_LEAST_NOISE = 0.01  # variance of a membership, so that no measurement is beyond doubt
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


def threshold_of(values: Floats) -> float:
    """Return the value that parts values, (n,), in two, the sum of squares between the parts as large as can be.

    References
    ----------
    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Syst. Man Cybern. 9, 62 (1979).
    """
    ordered = np.sort(values)
    if len(ordered) < 2:
        return float(ordered.mean()) if len(ordered) else 0.0
    lower = np.arange(1, len(ordered))
    below = np.cumsum(ordered)[:-1]
    apart = (ordered.sum() - below) / (len(ordered) - lower) - below / lower
    best = int(np.argmax(apart**2 * lower * (len(ordered) - lower)))
    return float(ordered[best : best + 2].mean())


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
